import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { ProbeAnswer, ProbeQuestion } from "./probe-worker.js";

/** What threads that work at the same time reach together. */
export interface ProbeRates {
  /** float32 multiplies and adds of 128-bit vectors in registers, 1e9 a second, as others leave the processor to them. */
  readonly gigaflops: number;
  /** The same in their best 20 microseconds: what WebAssembly SIMD cannot exceed, however busy the machine. */
  readonly peakGigaflops: number;
  /** Bytes read from memory in sequence, 1e9 a second. */
  readonly gigabytes: number;
}

/** The machine at one moment: on an idle one with two cores, two threads reach twice the flops of one. */
export interface ProbeReading {
  readonly oneThread: ProbeRates;
  readonly twoThreads: ProbeRates;
}

/** Workers are started from the built file, also by tests that run the sources. */
const WORKER = new URL("../../dist/machine/probe-worker.js", import.meta.url);

/** Time for a message to reach both threads, so that they start together. */
const NOTICE_MS = 2;

/** Two idle threads with a fixed task, to be asked how fast the machine is just now. */
export class MachineProbe {
  readonly #workers: readonly Worker[];

  private constructor(workers: readonly Worker[]) {
    this.#workers = workers;
  }

  static async start(): Promise<MachineProbe> {
    const workers = [new Worker(WORKER), new Worker(WORKER)];
    await Promise.all(workers.map((worker) => once(worker, "message")));
    return new MachineProbe(workers);
  }

  /** Four measurements of `ms` milliseconds each. */
  async read(ms: number): Promise<ProbeReading> {
    const rates = async (threads: number): Promise<ProbeRates> => {
      const arithmetic = await this.#ask("arithmetic", threads, ms);
      const memory = await this.#ask("memory", threads, ms);
      return {
        gigaflops: arithmetic.rate / 1e9,
        peakGigaflops: arithmetic.peak / 1e9,
        gigabytes: memory.rate / 1e9,
      };
    };
    return { oneThread: await rates(1), twoThreads: await rates(2) };
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  /** The threads' answers, summed. */
  async #ask(what: ProbeQuestion["what"], threads: number, ms: number): Promise<ProbeAnswer> {
    const at = performance.timeOrigin + performance.now() + NOTICE_MS;
    const answers = this.#workers.slice(0, threads).map(async (worker) => {
      const answer = once(worker, "message");
      worker.postMessage({ what, at, ms } satisfies ProbeQuestion);
      return (await answer)[0] as ProbeAnswer;
    });
    const all = await Promise.all(answers);
    const sum = (of: (answer: ProbeAnswer) => number) => all.reduce((total, answer) => total + of(answer), 0);
    return { rate: sum(({ rate }) => rate), peak: sum(({ peak }) => peak) };
  }
}
