export type { DenseUnit } from "./dense-units.js";
export { Encoder, type TrainingStep } from "./encoder.js";
export { type InitialRows, initialiseRows, initialiseTable } from "./initialise.js";
export { checkInput, type EncoderInput, inputIds, scaleBagWeights, writeMeanWeights } from "./input.js";
export {
  type Block,
  type EncoderLayout,
  type EncoderPlanOptions,
  INITIAL_TABLE,
  type LayerLayout,
  type ParameterTable,
  planEncoder,
} from "./layout.js";
export type { EmbeddingRows } from "./rows.js";
export { buildSegments, planSegments, type Segments, segmentScratchBytes } from "./segments.js";
export { type EncoderSpec, inputWidth, type LayerShape, layerShapes, validateEncoderSpec } from "./spec.js";
