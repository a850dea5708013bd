import { requireInteger } from "@logq/core";
import { ACTIVATION, type Address, type MatrixKernels, type MemoryPlan } from "@logq/kernels";
import { type EncoderSpec, inputWidth, type LayerShape, layerShapes, validateEncoderSpec } from "./spec.js";

/** A float32 matrix in planned memory; row i starts at address + 4·ld·i bytes. */
export interface Block {
  readonly address: Address;
  readonly rows: number;
  readonly columns: number;
  /** Elements from row to row. */
  readonly ld: number;
}

/**
 * One table of learned numbers. Trainers keep optimizer state of the same layout and save and load `rows` rows of `columns` elements.
 * sparse: a step touches few rows, through segments of ids; dense: a step touches every row, through dense units.
 */
export interface ParameterTable extends Block {
  readonly name: string;
  readonly kind: "sparse" | "dense";
  /** The bias of a dense layer, which weight decay commonly spares. */
  readonly bias: boolean;
  /** Which table this is in the address of an initial value; see INITIAL_TABLE. */
  readonly initialTable: number;
  /** Initial values are uniform in [−initialLimit, initialLimit]; 0: all zeros. */
  readonly initialLimit: number;
}

/** Everything one dense layer uses. Addresses that only training needs are 0 in a layout without training. */
export interface LayerLayout extends LayerShape {
  /** x (maxRows, inputs), after dropout: the layer below, or the input vector. */
  readonly input: Block;
  /** y (maxRows, outputs), after dropout; the last layer's is H. */
  readonly output: Block;
  /** y before dropout, where the derivative of the activation needs it (tanh with dropout); same ld as `output`. Else 0. */
  readonly undropped: Address;
  /** dL/dx, which is the layer below's outputGradient or the input gradient. */
  readonly inputGradient: Block;
  /** dL/dy from above; the backward pass turns it into dL/d(x·A + b) in place. */
  readonly outputGradient: Block;
  /** Indices into `tables`. */
  readonly matrixTable: number;
  readonly biasTable: number;
  /** A packed for x·A, and Aᵀ packed for dy·Aᵀ. */
  readonly packedForward: Address;
  readonly packedBackward: Address;
  /** Shaped and strided like the parameters. */
  readonly matrixGradient: Address;
  readonly biasGradient: Address;
}

/** Where everything of an encoder lies: plain data that can be posted to workers. */
export interface EncoderLayout {
  /** The most rows a batch can have. */
  readonly maxRows: number;
  readonly training: boolean;
  /** H (maxRows, D): written by `forward`; by the caller for external input. Its ld is D if the input is concat without dense layers. */
  readonly hidden: Block;
  /** dL/dH (maxRows, D): written by the caller, then changed in place by `backward`. */
  readonly hiddenGradient: Block;
  /** x (maxRows, input width); H itself if there are no dense layers. */
  readonly inputVector: Block;
  /** dL/dx; `hiddenGradient` itself if there are no dense layers. */
  readonly inputGradient: Block;
  readonly layers: readonly LayerLayout[];
  readonly tables: readonly ParameterTable[];
  /** Bytes each worker gives to `denseGradient`, at an address that is a multiple of 16. */
  readonly scratchBytes: number;
}

export interface EncoderPlanOptions {
  /** The most rows a batch can have. */
  readonly maxRows: number;
  /** False leaves out all that only the backward pass needs. */
  readonly training: boolean;
  /** Tells the bytes of packed operands; any kernels of the back-end will do, over whatever memory. */
  readonly matrix: Pick<MatrixKernels, "packedBytes">;
  /** True: the embedding table lies in other memories, and an `EmbeddingRows` reads it; its address here is 0. */
  readonly embeddingApart?: boolean;
}

/** Numbers of tables in the address of an initial value: (key, STREAM.initialise, table, row, column). They are part of the meaning of a seed. */
export const INITIAL_TABLE = { classes: 0, embedding: 1, dense: 16, clusters: 65536 } as const;

/** Rows of a batch that `denseGradient` packs at a time: keeps the packed chunk of an ordinary layer in the second-level cache. */
export const GRADIENT_CHUNK_ROWS = 256;

/** Reserves all memory of an encoder. Throws OptionError for a bad spec; whether the plan fits is the plan's to say. */
export function planEncoder(plan: MemoryPlan, spec: EncoderSpec, options: EncoderPlanOptions): EncoderLayout {
  const valid = validateEncoderSpec(spec);
  const maxRows = requireInteger("maxRows", options.maxRows, 1, 2 ** 31 - 1);
  const { training, matrix } = options;
  const gradientRows = training ? maxRows : 0;
  const shapes = layerShapes(valid);

  const inputVector = reserveInput(plan, "encoder.input", maxRows, valid);
  const inputGradient = reserveInput(plan, "encoder.inputGradient", gradientRows, valid);
  const tables: ParameterTable[] = [];
  if (valid.input !== "external") tables.push(planEmbedding(plan, valid, options.embeddingApart === true));
  const layers: LayerLayout[] = [];
  let [input, gradient] = [inputVector, inputGradient];
  shapes.forEach((shape, l) => {
    const name = `dense${l}`;
    const output = reserveBlock(plan, `encoder.${name}.output`, maxRows, shape.outputs);
    const outputGradient = reserveBlock(plan, `encoder.${name}.outputGradient`, gradientRows, shape.outputs);
    const [A, bias] = planDense(plan, shape, l);
    const keepUndropped = training && valid.dropout > 0 && shape.activation === ACTIVATION.tanh;
    const reserve = (what: string, needed: boolean, bytes: number) =>
      needed ? plan.reserve(`encoder.${name}.${what}`, bytes) : 0;
    layers.push({
      ...shape,
      input,
      output,
      inputGradient: gradient,
      outputGradient,
      undropped: reserve("undropped", keepUndropped, 4 * maxRows * output.ld),
      matrixTable: tables.length,
      biasTable: tables.length + 1,
      packedForward: reserve("packedForward", true, matrix.packedBytes(shape.inputs, shape.outputs)),
      packedBackward: reserve("packedBackward", training, matrix.packedBytes(shape.outputs, shape.inputs)),
      matrixGradient: reserve("matrixGradient", training, 4 * A.rows * A.ld),
      biasGradient: reserve("biasGradient", training, 4 * bias.ld),
    });
    tables.push(A, bias);
    [input, gradient] = [output, outputGradient];
  });
  const widest = Math.max(0, ...shapes.map((shape) => shape.outputs));
  const scratchBytes = training && widest > 0 ? matrix.packedBytes(Math.min(maxRows, GRADIENT_CHUNK_ROWS), widest) : 0;
  return {
    maxRows,
    training,
    hidden: input,
    hiddenGradient: gradient,
    inputVector,
    inputGradient,
    layers,
    tables,
    scratchBytes,
  };
}

function planEmbedding(plan: MemoryPlan, spec: Required<EncoderSpec>, apart: boolean): ParameterTable {
  const reserved = reserveBlock(plan, "encoder.embedding", apart ? 0 : spec.vocabulary, spec.embedding);
  const block = { ...reserved, rows: spec.vocabulary };
  return {
    ...block,
    name: "embedding",
    kind: "sparse",
    bias: false,
    initialTable: INITIAL_TABLE.embedding,
    initialLimit: spec.initialScale,
  };
}

/** The matrix starts uniform in ±√(6 / (inputs + outputs)) (Glorot and Bengio 2010, eq. 16), the bias at 0. */
function planDense(plan: MemoryPlan, shape: LayerShape, l: number): [ParameterTable, ParameterTable] {
  const initialTable = INITIAL_TABLE.dense + l;
  const initialLimit = Math.sqrt(6 / (shape.inputs + shape.outputs));
  const name = `dense${l}`;
  const A = reserveBlock(plan, `encoder.${name}.matrix`, shape.inputs, shape.outputs);
  const bias = reserveBlock(plan, `encoder.${name}.bias`, 1, shape.outputs);
  return [
    { ...A, name: `${name}.matrix`, kind: "dense", bias: false, initialTable, initialLimit },
    { ...bias, name: `${name}.bias`, kind: "dense", bias: true, initialTable, initialLimit: 0 },
  ];
}

/**
 * Input vectors of concat are read as (maxRows, window·E) by the layers and as (maxRows·window, E) by gathers and segments,
 * so their rows follow each other without padding.
 */
function reserveInput(plan: MemoryPlan, name: string, rows: number, spec: EncoderSpec): Block {
  const columns = inputWidth(spec);
  return spec.input === "concat"
    ? reserve(plan, name, rows, columns, columns)
    : reserveBlock(plan, name, rows, columns);
}

/** Strides are multiples of 4 elements, so that every row starts on 16 bytes. */
function reserveBlock(plan: MemoryPlan, name: string, rows: number, columns: number): Block {
  return reserve(plan, name, rows, columns, 4 * Math.ceil(columns / 4));
}

/** A block without rows is absent: its address is 0. */
function reserve(plan: MemoryPlan, name: string, rows: number, columns: number, ld: number): Block {
  return { address: rows > 0 ? plan.reserve(name, 4 * rows * ld) : 0, rows, columns, ld };
}
