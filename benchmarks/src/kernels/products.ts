import { availableBackends } from "@logq/blas";
import type { Address, Kernels } from "@logq/kernels";
import { fillUniform } from "../data.js";
import { type Form, type KernelSpec, readRows } from "./kernel-group.js";

/** The shapes of a step with candidates: a unit of the row phase is BLOCK_ROWS rows of the batch, one of the table phase BLOCK_CLASSES rows. */
export interface StepShape {
  readonly B: number;
  readonly S: number;
  readonly D: number;
}

const BLOCK_ROWS = 32;
const BLOCK_CLASSES = 128;

/** Back-ends that not every machine has. */
const OTHERS: readonly Form[] = (await availableBackends())
  .filter((name) => name === "native" || name === "blas")
  .map((name) => ({ name, backend: name }));

const FORMS: readonly Form[] = [
  ...OTHERS,
  { name: "wasm, packing included", backend: "wasm" },
  { name: "wasm, packed before", backend: "wasm", packedBefore: true },
  { name: "reference", backend: "reference" },
];

/** Where the operands of a product lie. */
interface Operands {
  readonly left: Address;
  readonly right: Address;
  readonly out: Address;
  /** Packed blocks of the right operand, `blockBytes` apart; those packed before the clock starts lie apart, for their form alone. */
  readonly packed: Address;
  readonly packedBefore: Address;
  readonly blockBytes: number;
}

/** A class table's row is padded to 16 bytes. */
function paddedTo4(D: number): number {
  return Math.ceil(D / 4) * 4;
}

function blocks(count: number, size: number): { index: number; first: number; count: number }[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, index) => {
    const first = index * size;
    return { index, first, count: Math.min(size, count - first) };
  });
}

/** How a right operand is cut and packed. */
interface Packing {
  /** Rows of the right operand as stored, and how many a block has. */
  readonly rows: number;
  readonly block: number;
  readonly transposed: boolean;
}

interface ProductSpec {
  readonly name: string;
  readonly shape: StepShape;
  /** Elements of left (rows, ld) and right (rows, ld), and of out. */
  readonly left: readonly [rows: number, columns: number, ld: number];
  readonly right: readonly [rows: number, columns: number, ld: number];
  readonly out: readonly [rows: number, columns: number, ld: number];
  readonly packing: Packing;
  /** The products of the step, given the address of a packed block. */
  multiply(kernels: Kernels, at: Operands, packedBlock: (index: number) => Address): void;
  /** out[m][j] = Σ_k left·right, by strides of left and right over (m, k) and (k, j). */
  readonly plain: { M: number; K: number; N: number; leftStrides: [number, number]; rightStrides: [number, number] };
}

/** The three products of a step at one shape: logits, gradients of H, gradients of the classes. */
export function productSpecs(shape: StepShape): KernelSpec<Operands>[] {
  return [logits(shape), hiddenGradients(shape), classGradients(shape)].map(kernelSpec);
}

/** Z (S, B) = W · Hᵀ, a block of batch rows at a time. */
function logits(shape: StepShape): ProductSpec {
  const { B, S, D } = shape;
  const ld = paddedTo4(D);
  return {
    name: `logits W·Hᵀ, S = ${S}, B = ${B}, D = ${D}`,
    shape,
    left: [S, D, ld],
    right: [B, D, ld],
    out: [S, B, B],
    packing: { rows: B, block: BLOCK_ROWS, transposed: true },
    multiply({ matrix }, at, packedBlock) {
      for (const { index, first, count } of blocks(B, BLOCK_ROWS)) {
        matrix.multiply(at.out + 4 * first, B, at.left, ld, 1, packedBlock(index), S, D, count, false);
      }
    },
    plain: { M: S, K: D, N: B, leftStrides: [ld, 1], rightStrides: [1, ld] },
  };
}

/** dH (B, D) = Gᵀ · W, with G (S, B) as the softmax left it: a block of batch rows against one block of candidates after the other. */
function hiddenGradients(shape: StepShape): ProductSpec {
  const { B, S, D } = shape;
  const ld = paddedTo4(D);
  return {
    name: `hidden gradients Gᵀ·W, S = ${S}, B = ${B}, D = ${D}`,
    shape,
    left: [S, B, B],
    right: [S, D, ld],
    out: [B, D, ld],
    packing: { rows: S, block: BLOCK_CLASSES, transposed: false },
    multiply({ matrix }, at, packedBlock) {
      for (const rows of blocks(B, BLOCK_ROWS)) {
        const out = at.out + 4 * ld * rows.first;
        for (const classes of blocks(S, BLOCK_CLASSES)) {
          const z = at.left + 4 * (classes.first * B + rows.first);
          const packed = packedBlock(classes.index);
          matrix.multiply(out, ld, z, 1, B, packed, rows.count, classes.count, D, classes.first > 0);
        }
      }
    },
    plain: { M: B, K: S, N: D, leftStrides: [1, B], rightStrides: [ld, 1] },
  };
}

/** dW (S, D) = G · H: a block of candidates against one block of batch rows after the other. */
function classGradients(shape: StepShape): ProductSpec {
  const { B, S, D } = shape;
  const ld = paddedTo4(D);
  return {
    name: `class gradients G·H, S = ${S}, B = ${B}, D = ${D}`,
    shape,
    left: [S, B, B],
    right: [B, D, ld],
    out: [S, D, ld],
    packing: { rows: B, block: BLOCK_ROWS, transposed: false },
    multiply({ matrix }, at, packedBlock) {
      for (const classes of blocks(S, BLOCK_CLASSES)) {
        const out = at.out + 4 * ld * classes.first;
        for (const rows of blocks(B, BLOCK_ROWS)) {
          const z = at.left + 4 * (classes.first * B + rows.first);
          matrix.multiply(out, ld, z, B, 1, packedBlock(rows.index), classes.count, rows.count, D, rows.first > 0);
        }
      }
    },
    plain: { M: S, K: B, N: D, leftStrides: [B, 1], rightStrides: [ld, 1] },
  };
}

function kernelSpec(product: ProductSpec): KernelSpec<Operands> {
  const { shape, left, right, out, packing, plain } = product;
  const { B, S, D } = shape;
  const count = blocks(packing.rows, packing.block).length;
  const fill = (values: Float32Array, seed: number) => fillUniform(values, seed, -0.5, 0.5);
  return {
    name: product.name,
    forms: FORMS,
    work: { flops: 2 * B * S * D },
    // A float32 sum of K products of this size errs by some 2e-9·K.
    tolerance: { absolute: 1e-7 * plain.K },
    layout(plan, sizes) {
      const bytes = packing.transposed ? sizes.packed(D, packing.block) : sizes.packed(packing.block, D);
      const blockBytes = Math.ceil(bytes / 64) * 64;
      return {
        left: plan.reserve("left", 4 * left[0] * left[2]),
        right: plan.reserve("right", 4 * right[0] * right[2]),
        out: plan.reserve("out", 4 * out[0] * out[2]),
        packed: plan.reserve("packed", blockBytes * count),
        packedBefore: plan.reserve("packed before", blockBytes * count),
        blockBytes,
      };
    },
    bind(kernels, at, form) {
      fill(kernels.memory.floats(at.left, left[0] * left[2]), 1);
      fill(kernels.memory.floats(at.right, right[0] * right[2]), 2);
      const start = form.packedBefore ? at.packedBefore : at.packed;
      const packedBlock = (index: number) => start + index * at.blockBytes;
      const pack = () => {
        for (const { index, first, count } of blocks(packing.rows, packing.block)) {
          const source = at.right + 4 * right[2] * first;
          if (packing.transposed) kernels.matrix.packRightTransposed(packedBlock(index), source, right[2], D, count);
          else kernels.matrix.packRight(packedBlock(index), source, right[2], count, D);
        }
      };
      if (form.packedBefore) pack();
      return {
        run() {
          if (!form.packedBefore) pack();
          product.multiply(kernels, at, packedBlock);
        },
        result: () => readRows(kernels, at.out, ...out),
      };
    },
    expected() {
      const l = fill(new Float32Array(left[0] * left[2]), 1);
      const r = fill(new Float32Array(right[0] * right[2]), 2);
      return plainProduct(l, r, plain);
    },
  };
}

/** (M, N), summed in float64. */
function plainProduct(
  left: Float32Array,
  right: Float32Array,
  { M, K, N, leftStrides, rightStrides }: ProductSpec["plain"],
): Float64Array {
  const out = new Float64Array(M * N);
  for (let m = 0; m < M; m++) {
    for (let k = 0; k < K; k++) {
      const factor = left[m * leftStrides[0] + k * leftStrides[1]]!;
      const from = k * rightStrides[0];
      for (let j = 0; j < N; j++) out[m * N + j]! += factor * right[from + j * rightStrides[1]]!;
    }
  }
  return out;
}
