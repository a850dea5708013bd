import { KernelMemory } from "@logq/kernels";
import { TestRandom } from "@logq/testing";
import { expect, it } from "vitest";
import { FLAVOURS } from "./backends.js";

const OFFSETS = [0, 4.75, -2.3];

/** The first classes, and others of every size. */
function classes(): number[] {
  const random = new TestRandom(31);
  const others = Array.from({ length: 2000 }, () => Math.floor(Math.exp(random.uniform() * Math.log(2 ** 31 - 2))));
  return [...Array.from({ length: 300 }, (_, id) => id), ...others, 2 ** 31 - 3];
}

/** Logs of all classes with each offset. */
function logsOf({ create }: (typeof FLAVOURS)[number], ids: readonly number[]): Float32Array {
  const [at, out] = [64, 2 ** 15];
  const { draws, memory } = create(KernelMemory.create(2 ** 17, true));
  memory.ints(at, ids.length).set(ids);
  return Float32Array.from(
    OFFSETS.flatMap((offset) => {
      draws.logUniformLogs(out, at, ids.length, offset);
      return [...memory.floats(out, ids.length)];
    }),
  );
}

it("logUniformLogs has the same bits with both instruction sets, half a step of float32 from the truth at most", () => {
  const ids = classes();
  const [narrow, wide] = FLAVOURS.map((flavour) => logsOf(flavour, ids));
  expect(new Uint32Array(wide!.buffer)).toEqual(new Uint32Array(narrow!.buffer));
  const truth = OFFSETS.flatMap((offset) => ids.map((id) => offset + Math.log(Math.log1p(1 / (id + 1)))));
  // Beside the half step: what the sums before the rounding may be off.
  const allowed = (value: number) => 2 ** (Math.floor(Math.log2(Math.abs(value))) - 24) + 1e-11;
  expect(truth.filter((value, i) => Math.abs(wide![i]! - value) > allowed(value))).toEqual([]);
});
