import { expect, it } from "vitest";
import { portableExp } from "../src/index.js";

it("portableExp is e^x with a relative error below 1e-15 on [0, 21.8], and exact at 0", () => {
  expect(portableExp(0)).toBe(1);
  for (let i = 0; i <= 21_800; i++) {
    const x = i / 1000 + i * 1e-9;
    expect(Math.abs(portableExp(x) / Math.exp(x) - 1), String(x)).toBeLessThan(1e-15);
  }
});
