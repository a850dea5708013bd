import { significant } from "@logq/charts";
import type { CommonSettings } from "./results.js";

/** What a run is besides its data and shapes. */
export function runLine(settings: CommonSettings, backend: string): string {
  const { workers, seed, products, learningRate, schedule, negatives, sampler, distortion } = settings;
  const law = sampler === "unigram" && distortion !== 1 ? `unigram^${distortion}` : sampler;
  return `${workers} ${workers === 1 ? "thread" : "threads"}, ${backend}, ${products} products, seed ${seed}. Adagrad, rate ${learningRate}, ${schedule}; ${negatives.toLocaleString("en-US")} candidates, ${law}.`;
}

/** Seconds, or a dash where there are none. */
export const times = (seconds: number | null) => (seconds === null ? "–" : significant(seconds));
