/** Options of the libraries that have another name, or another form, on the command line. */
const FLAGS: Readonly<Record<string, string>> = {
  validationRatio: "--validation-ratio",
  testRatio: "--test-ratio",
  textColumn: "--text-column",
  labelColumn: "--label-column",
  userColumn: "--user-column",
  itemColumn: "--item-column",
  timeColumn: "--time-column",
  leaveOneOut: "--split leave-one-out",
  minCount: "--min-count",
  maxClasses: "--max-classes",
  minFeatureCount: "--min-feature-count",
  lowerCase: "--lowercase",
  endOfLine: "--end-of-line",
  labelSmoothing: "--label-smoothing",
  accidentalHits: "--accidental-hits",
  contextMode: "--context",
  negativesPerLabel: "--negatives-per-label",
  zLoss: "--z-loss",
  softCap: "--soft-cap",
  classWeights: "--class-weights",
  learnTemperature: "--learn-temperature",
  normalize: "--normalize",
  negativeWeight: "--negative-weight",
  negativeMargin: "--negative-margin",
  marginKind: "--margin-kind",
  dynamicWindow: "--dynamic-window",
  "learning rate": "--lr",
  "weight decay": "--weight-decay",
  "max steps": "--max-steps",
  "max minutes": "--max-minutes",
  "class scale": "--class-scale",
  "class bias": "--class-bias",
  "embedding scale": "--embedding-scale",
  "validation every": "--validation-every",
  "warm-up steps": "--warmup-steps",
  "final factor": "--final-factor",
  "clip norm": "--clip-norm",
  "initial accumulator": "--initial-accumulator",
  "dense factor": "--dense-factor",
  "table type": "--table-type",
};

/** Names that are also plain words: they are options only where a message begins with them. */
const FIRST_WORDS: Readonly<Record<string, string>> = {
  dim: "--dim",
  batch: "--batch",
  epochs: "--epochs",
  negatives: "--negatives",
  window: "--window",
  subsample: "--subsample",
  embedding: "--embedding",
  dropout: "--dropout",
  patience: "--patience",
  lanes: "--lanes",
  products: "--products",
  workers: "--workers",
  momentum: "--momentum",
  beta1: "--beta1",
  beta2: "--beta2",
  epsilon: "--epsilon",
  temperature: "--temperature",
  calibration: "--calibration",
  margin: "--margin",
  propensities: "--propensity",
  distortion: "--distortion",
  unknown: "--unknown",
  k: "--k",
};

const ANYWHERE = new RegExp(`(?<![-\\w"])(${Object.keys(FLAGS).join("|")})(?![-\\w"])`, "g");
const AT_START = new RegExp(`^(${Object.keys(FIRST_WORDS).join("|")})(?= (?:must be|is) )`);

/** A library's message in the words of the command line: "textColumn is missing" becomes "--text-column is missing". */
export function withFlags(message: string): string {
  return message
    .replace(AT_START, (name) => FIRST_WORDS[name] ?? name)
    .replaceAll(ANYWHERE, (name) => FLAGS[name] ?? name);
}
