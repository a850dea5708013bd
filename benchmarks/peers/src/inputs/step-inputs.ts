import type { StepShape } from "../items/step-shape.js";
import { type ArrayFiles, InputFolder } from "./folder.js";
import { InputNumbers } from "./random.js";

/** The inputs of a step: a table, and batches that are used in turn so that their rows come from memory and not from a cache. */
export interface StepInputs {
  /** (n, D) */
  readonly table: Float32Array;
  /** A batch each. */
  readonly batches: readonly StepBatch[];
  /** Rows of the table that are compared after the first step. */
  readonly watched: Int32Array;
  readonly files: ArrayFiles;
  remove(): Promise<void>;
}

export interface StepBatch {
  /** (B, D) */
  readonly hidden: Float32Array;
  /** (B) */
  readonly targets: Int32Array;
  /** (S), all different and none of them a target; empty for a full softmax or own draws. */
  readonly candidates: Int32Array;
}

const TABLE_SCALE = 0.1;
const HIDDEN_SCALE = 1;

/** More rows than a last-level cache holds (64 · (256 + 1,024) rows of 512 bytes), as far as sampled steps go. */
const BATCHES = { full: 8, sampled: 64 } as const;
const WATCHED = 64;

/** @param options files: false if nobody will read them from disk */
export async function makeStepInputs(
  shape: StepShape,
  options: { readonly files?: boolean } = {},
): Promise<StepInputs> {
  const { n, D, S } = shape;
  const numbers = new InputNumbers(n + S);
  const table = numbers.floats(n * D, TABLE_SCALE);
  const batches = Array.from({ length: S === 0 ? BATCHES.full : BATCHES.sampled }, () => makeBatch(shape, numbers));
  const first = batches[0]!;
  const watched = Int32Array.from(
    new Set([
      ...first.targets.slice(0, WATCHED),
      ...first.candidates.slice(0, WATCHED),
      ...numbers.distinct(Math.min(WATCHED, n), n),
    ]),
  );
  if (options.files === false) return { table, batches, watched, files: {}, remove: async () => {} };
  const folder = await InputFolder.create();
  const files = await writeInputs(folder, shape, { table, batches, watched });
  return { table, batches, watched, files, remove: () => folder.remove() };
}

async function writeInputs(
  folder: InputFolder,
  { n, B, D, S }: StepShape,
  { table, batches, watched }: Pick<StepInputs, "table" | "batches" | "watched">,
): Promise<ArrayFiles> {
  const K = batches.length;
  const given = batches[0]!.candidates.length > 0;
  const hidden = joined(
    batches.map((batch) => batch.hidden),
    new Float32Array(K * B * D),
  );
  const targets = joined(
    batches.map((batch) => batch.targets),
    new Int32Array(K * B),
  );
  return {
    table: await folder.write("table", table, [n, D]),
    hidden: await folder.write("hidden", hidden, [K, B, D]),
    targets: await folder.write("targets", targets, [K, B]),
    watched: await folder.write("watched", watched, [watched.length]),
    ...(given && {
      candidates: await folder.write(
        "candidates",
        joined(
          batches.map((batch) => batch.candidates),
          new Int32Array(K * S),
        ),
        [K, S],
      ),
    }),
  };
}

/** Parts of equal length, one behind the other. */
function joined<A extends Float32Array | Int32Array>(parts: readonly A[], into: A): A {
  parts.forEach((part, k) => {
    into.set(part, k * part.length);
  });
  return into;
}

function makeBatch({ n, B, D, S, draws }: StepShape, numbers: InputNumbers): StepBatch {
  const hidden = numbers.floats(B * D, HIDDEN_SCALE);
  if (S === 0)
    return { hidden, targets: Int32Array.from({ length: B }, () => numbers.below(n)), candidates: new Int32Array(0) };
  if (draws === "own") {
    return {
      hidden,
      targets: Int32Array.from({ length: B }, () => numbers.logUniform(n)),
      candidates: new Int32Array(0),
    };
  }
  const ids = numbers.distinct(B + S, n);
  return { hidden, targets: ids.slice(0, B), candidates: ids.slice(B) };
}
