export {
  type AnyArray,
  type ArrayOf,
  type ArrayType,
  allocateShared,
  arrayTypeOf,
  readArrayFile,
  readArrayInPieces,
  writeArrayFile,
} from "./files/array-file.js";
export { type ReplaceRule, writeDirectoryAtomically } from "./files/directory.js";
export { decodeHead, encodeHead, type HeadFormat, hasMagic, readHead } from "./files/head.js";
export type { LabelsOptions } from "./labels/options.js";
export { prepareLabels } from "./labels/prepare.js";
export { CountedVocabulary, NumberedNames, StoredNames } from "./names/stored-names.js";
export type { CommonOptions } from "./options.js";
export type { PairsOptions } from "./pairs/options.js";
export { preparePairs } from "./pairs/prepare.js";
export type { OnProgress, Progress } from "./reading/progress.js";
export { type DatasetSummary, hasDataset, readSummary, type SplitSizes } from "./store/format.js";
export { openDataset } from "./store/open.js";
export { syntheticDataset } from "./synthetic/dataset.js";
export { syntheticLabels } from "./synthetic/labels.js";
export type { SyntheticLabelsOptions } from "./synthetic/labels-options.js";
export type { SyntheticOptions } from "./synthetic/options.js";
export type { TextOptions } from "./text/options.js";
export { prepareText } from "./text/prepare.js";
export {
  type AnyDataset,
  type Dataset,
  type DatasetOrigin,
  type LabelsDataset,
  type LabelsSplit,
  type Names,
  type PairsDataset,
  type PairsSplit,
  SPLIT_NAMES,
  type SplitName,
  type SyntheticDataset,
  type SyntheticSplit,
  type SyntheticTruth,
  type TextDataset,
  type TextSplit,
  type Vocabulary,
} from "./types.js";
