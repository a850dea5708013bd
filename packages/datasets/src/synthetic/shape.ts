import { z } from "zod";

/** What the options of all synthetic data are made of. */
export const count = z
  .int()
  .min(1)
  .max(2 ** 31 - 1);
export const exponent = z.number().min(0).max(4);
export const topics = z.int().min(1).max(1024);
export const boost = z.number().min(1).max(1e12);
export const seed = z.union([z.number(), z.string()], { error: "must be a number or a string" }).default(0);
