import type { DrawKernels } from "@logq/kernels";
import type { Bind } from "./bind.js";
import { FIRST_WORD } from "./generate/arguments.js";
import { ALIAS_IDS, ALIAS_SCRATCH_BYTES } from "./generate/random/alias-ids.js";
import { LOG_UNIFORM_IDS } from "./generate/random/log-uniform-ids.js";
import { LOG_CENTRE, LOG_UNIFORM_LOGS } from "./generate/random/log-uniform-logs.js";
import { PERMUTED } from "./generate/random/permuted.js";
import { UNIFORM_IDS, UNIFORM_PAIRS } from "./generate/random/uniform-draws.js";
import { ULP } from "./generate/random/uniforms.js";
import { tellAddress, teller } from "./tell.js";

/** Bytes of a pair of float64, and of an id. */
const [PAIR_BYTES, ID_BYTES] = [16, 4];

/** Draws over one memory; the log Q of an alias table is `others`'s. */
export function nativeDraws(bind: Bind, others: DrawKernels): DrawKernels {
  return {
    ...others,
    scratchBytes: ALIAS_SCRATCH_BYTES,
    uniformPairs: nativeUniformPairs(bind),
    uniformIds: nativeUniformIds(bind),
    aliasIds: nativeAliasIds(bind),
    logUniformIds: nativeLogUniformIds(bind),
    logUniformLogs: nativeLogUniformLogs(bind),
    permuted: nativePermuted(bind),
  };
}

function nativeUniformPairs(bind: Bind): DrawKernels["uniformPairs"] {
  const kernel = bind("uniformPairs");
  const tell = teller(kernel, UNIFORM_PAIRS);
  return (out, count, { key, stream, step, item }, first) => {
    tell.word("out", out);
    tell.word("width", PAIR_BYTES * count);
    tell.word("first", first);
    tellAddress(kernel, UNIFORM_PAIRS, key, stream, step, item);
    kernel.run();
  };
}

function nativeUniformIds(bind: Bind): DrawKernels["uniformIds"] {
  const kernel = bind("uniformIds");
  const tell = teller(kernel, UNIFORM_IDS);
  return (ids, count, range, { key, stream, step, item }, first) => {
    tell.word("out", ids);
    tell.word("width", ID_BYTES * count);
    tell.word("first", first);
    tell.double("factor", ULP * range);
    tellAddress(kernel, UNIFORM_IDS, key, stream, step, item);
    kernel.run();
  };
}

function nativeAliasIds(bind: Bind): DrawKernels["aliasIds"] {
  const kernel = bind("aliasIds");
  const tell = teller(kernel, ALIAS_IDS);
  return (ids, count, table, n, { key, stream, step, item }, first, scratch) => {
    tell.word("ids", ids);
    tell.word("count", count);
    tell.word("table", table);
    tell.word("scratch", scratch);
    tell.word("first", first);
    tell.double("factor", ULP * n);
    tellAddress(kernel, ALIAS_IDS, key, stream, step, item);
    kernel.run();
  };
}

function nativeLogUniformIds(bind: Bind): DrawKernels["logUniformIds"] {
  const kernel = bind("logUniformIds");
  const tell = teller(kernel, LOG_UNIFORM_IDS);
  return (ids, count, n, logRange, { key, stream, step, item }, first) => {
    tell.word("out", ids);
    tell.word("width", ID_BYTES * count);
    tell.word("first", first);
    tell.word("last", n - 1);
    tell.double("factor", ULP * logRange);
    tellAddress(kernel, LOG_UNIFORM_IDS, key, stream, step, item);
    kernel.run();
  };
}

function nativeLogUniformLogs(bind: Bind): DrawKernels["logUniformLogs"] {
  const kernel = bind("logUniformLogs");
  const tell = teller(kernel, LOG_UNIFORM_LOGS);
  return (out, ids, count, offset) => {
    tell.word("out", out);
    tell.word("ids", ids);
    tell.word("width", ID_BYTES * count);
    tell.double("constant", offset - LOG_CENTRE);
    kernel.run();
  };
}

function nativePermuted(bind: Bind): DrawKernels["permuted"] {
  const kernel = bind("permuted");
  const tell = teller(kernel, PERMUTED);
  return (out, count, { size, halfBits, roundKeys }, first) => {
    tell.word("out", out);
    tell.word("count", count);
    tell.word("last", size - 1);
    tell.word("halfBits", halfBits);
    tell.word("mask", 2 ** halfBits - 1);
    tell.word("first", first);
    kernel.words.set(roundKeys, FIRST_WORD + PERMUTED.k0);
    kernel.run();
  };
}
