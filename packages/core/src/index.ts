export {
  requireAllFinite,
  requireInteger,
  requireLength,
  requireNumber,
  requireOneOf,
  requirePositive,
} from "./checks.js";
export { BackendError } from "./errors/backend.js";
export { type ErrorValues, LogqError } from "./errors/base.js";
export { ClassIdError } from "./errors/class-id.js";
export { DivergenceError } from "./errors/divergence.js";
export { EmptyInputError } from "./errors/empty-input.js";
export { FileFormatError } from "./errors/file-format.js";
export { MemoryLimitError } from "./errors/memory-limit.js";
export { MissingFileError } from "./errors/missing-file.js";
export { MissingLogQError } from "./errors/missing-log-q.js";
export { NotFiniteError } from "./errors/not-finite.js";
export { OptionError } from "./errors/option.js";
export { SamplerError } from "./errors/sampler.js";
export { ShapeError } from "./errors/shape.js";
export { WorkerError } from "./errors/worker.js";
export { EXPONENTIAL, portableExp } from "./numbers/exponential.js";
export { type AliasTable, buildAliasTable, drawAlias } from "./random/alias.js";
export { KeyedPermutation } from "./random/permutation.js";
export { type Key, philox } from "./random/philox.js";
export { keyFromSeed } from "./random/seed.js";
export { RandomStream, STREAM, type StreamId, stepLow, streamWord, uniform53 } from "./random/stream.js";
