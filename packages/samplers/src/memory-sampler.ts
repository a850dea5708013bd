import { type Address, ALIAS_RECORD_BYTES, type DrawAddress, type KernelMemory, type Kernels } from "@logq/kernels";
import { LogUniformLaw } from "./laws/log-uniform.js";
import { candidateStream, requireCandidates } from "./requests.js";
import type { SamplerState } from "./state.js";
import type { DrawRequest, ValidSamplerSpec } from "./types.js";

/**
 * Draws straight into kernel memory, by kernels: the same ids as the `Sampler` of the state, bit for bit, and the same log Q as float32 has it (of
 * log-uniform within one rounding), for the laws whose tries are all taken (with replacement, nothing excluded).
 */
export interface MemorySampler {
  /** request.S ids, int32. @throws OptionError if S is out of range */
  draw(request: DrawRequest, ids: Address): void;
  /** out[i] = log Q(ids[i]) among S draws, of candidates and targets alike, float32. −∞ for a class without mass. */
  logQ(out: Address, ids: Address, count: number, S: number): void;
}

/** Bytes of the table in kernel memory, a multiple of 8, that `memorySamplerFrom` needs for a spec; 0: none. */
export function memoryTableBytes(spec: ValidSamplerSpec, n: number): number {
  return spec.name === "unigram" && spec.replacement ? ALIAS_RECORD_BYTES * n : 0;
}

/** Writes that table, once, before any thread draws. Nothing to do for laws without one. */
export function writeMemoryTable(state: SamplerState, { f64, i32 }: KernelMemory, table: Address): void {
  if (state.unigram === null || !state.spec.replacement) return;
  const { threshold, alias, probability } = state.unigram;
  for (let id = 0; id < state.n; id++) {
    const record = table + ALIAS_RECORD_BYTES * id;
    f64[record / 8] = threshold[id];
    f64[record / 8 + 1] = Math.log(probability[id]);
    i32[record / 4 + 4] = alias[id];
  }
}

/**
 * The sampler of a state over kernel memory. undefined where there are no kernels for the law: then `samplerFrom` draws.
 * @param table where `writeMemoryTable` wrote
 * @param scratch kernels.draws.scratchBytes bytes of the caller's thread
 */
export function memorySamplerFrom(
  state: SamplerState,
  kernels: Kernels,
  table: Address,
  scratch: Address,
): MemorySampler | undefined {
  if (!state.spec.replacement) return undefined;
  if (state.unigram !== null) return unigramSampler(state.n, kernels, table, scratch);
  if (state.spec.name === "uniform") return uniformSampler(state.n, kernels);
  return state.spec.name === "log-uniform" ? logUniformSampler(new LogUniformLaw(state.n), kernels) : undefined;
}

/** Readdressed for each draw, so that drawing allocates nothing. */
class Addressed implements DrawAddress {
  key = { low: 0, high: 0 };
  stream: DrawAddress["stream"] = candidateStream(0);
  step = 0;
  item = 0;

  at({ key, step, item, S }: DrawRequest): this {
    requireCandidates(S);
    this.key = key;
    this.stream = candidateStream(item);
    this.step = step;
    this.item = item;
    return this;
  }
}

function unigramSampler(n: number, { draws }: Kernels, table: Address, scratch: Address): MemorySampler {
  const address = new Addressed();
  return {
    draw(request, ids) {
      draws.aliasIds(ids, request.S, table, n, address.at(request), 0, scratch);
    },
    logQ(out, ids, count, S) {
      draws.aliasLogs(out, ids, count, table, Math.log(S));
    },
  };
}

function logUniformSampler({ n, logRange, logLogRange }: LogUniformLaw, { draws }: Kernels): MemorySampler {
  const address = new Addressed();
  return {
    draw(request, ids) {
      draws.logUniformIds(ids, request.S, n, logRange, address.at(request), 0);
    },
    logQ(out, ids, count, S) {
      draws.logUniformLogs(out, ids, count, Math.log(S) - logLogRange);
    },
  };
}

function uniformSampler(n: number, { draws, vector }: Kernels): MemorySampler {
  const address = new Addressed();
  return {
    draw(request, ids) {
      draws.uniformIds(ids, request.S, n, address.at(request), 0);
    },
    logQ(out, _ids, count, S) {
      vector.fill(out, Math.log(S) + Math.log(1 / n), count);
    },
  };
}
