import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Backend } from "@logq/blas";
import { BackendError } from "@logq/core";
import type { GemmTask, GemmTurn } from "./gemm-worker.js";

/** Milliseconds of a turn, and turns whose best counts: other programs take time away and never give any. */
const TURN = 100;
const TURNS = 4;
/** Milliseconds in which all threads hear of a turn. */
const NOTICE = 15;

/** What the probe found. */
export interface GemmProbe {
  /** 1e9 flop/s by number of threads: each thread's best few milliseconds while all of them are at work. */
  readonly gigaflops: Record<string, number>;
  /** The part of the time of two threads, or of one on a single core, in which the system let them run. Near 1 on an idle machine. */
  readonly processorShare: number;
}

/**
 * The float32 GEMM rate of this machine through a back-end: the three products of a training step at its shapes, operands in the caches,
 * every thread with its own. They are first checked against plain sums.
 * @throws BackendError if a product is wrong
 */
export async function probeGemm(
  backend: Backend,
  dim: number,
  threads: readonly number[],
  signal: AbortSignal,
): Promise<GemmProbe> {
  const counts = [...new Set(threads)].sort((a, b) => a - b);
  const task: GemmTask = { backend, dim };
  const workers = Array.from({ length: counts.at(-1) ?? 0 }, () => startWorker(task));
  try {
    await Promise.all(workers.map((worker) => answerOf(worker)));
    const gigaflops: Record<string, number> = {};
    const both = Math.min(2, availableParallelism());
    let processorShare = 0;
    // The first turn lets the engine compile the code well; it does not count.
    await turn(workers);
    for (const threadCount of counts) {
      let best = 0;
      for (let i = 0; i < TURNS; i++) {
        signal.throwIfAborted();
        const before = process.cpuUsage();
        best = Math.max(best, await turn(workers.slice(0, threadCount)));
        const { user, system } = process.cpuUsage(before);
        const given = (user + system) / 1000 / (TURN * threadCount);
        if (threadCount === both) processorShare = Math.max(processorShare, Math.min(1, given));
      }
      gigaflops[threadCount] = best;
    }
    return { gigaflops, processorShare };
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function startWorker(task: GemmTask): Worker {
  return new Worker(new URL("./gemm-worker.js", import.meta.url), { workerData: task });
}

/** The sum of the threads' rates, all at work at the same time. */
async function turn(workers: readonly Worker[]): Promise<number> {
  const start = performance.timeOrigin + performance.now() + NOTICE;
  const message: GemmTurn = { start, end: start + TURN };
  const rates = workers.map((worker) => {
    const answer = answerOf(worker);
    worker.postMessage(message);
    return answer as Promise<number>;
  });
  return (await Promise.all(rates)).reduce((sum, rate) => sum + rate, 0);
}

async function answerOf(worker: Worker): Promise<unknown> {
  try {
    const [value] = await once(worker, "message");
    return value;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BackendError(`the GEMM probe failed: ${reason}`, { reason }, { cause });
  }
}
