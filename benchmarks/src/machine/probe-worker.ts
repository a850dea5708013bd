import { parentPort } from "node:worker_threads";
import { FLOPS_PER_ROUND, MEMORY_BYTES, type ProbeExports, probeModule } from "./probe-module.js";

/** What the probe asks: work from `at` (milliseconds of the epoch) for `ms`. */
export interface ProbeQuestion {
  readonly what: "arithmetic" | "memory";
  readonly at: number;
  readonly ms: number;
}

/** The answer, in flops or bytes a second. */
export interface ProbeAnswer {
  /** Over the whole time, as the scheduler and others let this thread work. */
  readonly rate: number;
  /** Of the fastest call, which nobody interrupted. */
  readonly peak: number;
}

/** Some 20 microseconds of work a call: functions are called often enough to be optimised, and the clock is read seldom. */
const ROUNDS_PER_CALL = 10_000;
const BYTES_PER_CALL = 2 ** 19;
const WARM_UP_MS = 50;

const { instance } = await WebAssembly.instantiate(probeModule());
const { memory, multiplyAdd, read } = instance.exports as unknown as ProbeExports;
// Pages that were never written are all one page of zeros, which the cache holds.
new Uint8Array(memory.buffer).fill(1);

let place = 0;

function arithmetic(): number {
  multiplyAdd(ROUNDS_PER_CALL);
  return ROUNDS_PER_CALL * FLOPS_PER_ROUND;
}

function readSome(): number {
  read(place, place + BYTES_PER_CALL);
  place = (place + BYTES_PER_CALL) % MEMORY_BYTES;
  return BYTES_PER_CALL;
}

/** Calls from `begin` for `ms` milliseconds of this thread's clock. */
function work(call: () => number, begin: number, ms: number): ProbeAnswer {
  while (performance.now() < begin);
  const start = performance.now();
  let done = 0;
  let peak = 0;
  let now = start;
  do {
    const before = now;
    const some = call();
    now = performance.now();
    done += some;
    peak = Math.max(peak, some / (now - before));
  } while (now < start + ms);
  return { rate: (1000 * done) / (now - start), peak: 1000 * peak };
}

work(arithmetic, performance.now(), WARM_UP_MS);
work(readSome, performance.now(), WARM_UP_MS);
parentPort!.on("message", ({ what, at, ms }: ProbeQuestion) => {
  parentPort!.postMessage(
    work(what === "arithmetic" ? arithmetic : readSome, at - performance.timeOrigin, ms) satisfies ProbeAnswer,
  );
});
parentPort!.postMessage("ready");
