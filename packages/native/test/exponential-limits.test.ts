import { expectAllClose } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { BACKENDS } from "./backends.js";

/** What machine code promises of exponentials beyond the interface: exactly 1 at the reference, no denormals, and +∞ where float32 ends. */
describe.each(BACKENDS)("exponentials: $name", ({ kernels, base }) => {
  const { memory, tile } = kernels;
  /** Addresses of vectors with room for 512 elements each. */
  const at = (index: number) => base + 4096 * index;
  const write = (index: number, values: ArrayLike<number>) => {
    memory.floats(at(index), values.length).set(values);
    return at(index);
  };

  it("are 1 at the reference itself, exactly, and 0 or a normal number far below", () => {
    const C = 400;
    const z = write(
      0,
      Float32Array.from({ length: C }, (_, c) => 70.3 - c / 4),
    );
    const reference = write(1, [Number.NEGATIVE_INFINITY]);
    memory.doubles(at(2), 1).fill(0);
    tile.softmaxExponentials(z, 1, C, 1, 1, 0, reference, at(2), at(3), 0, 0, 0);
    const e = memory.floats(z, C);
    expect(e[0]).toBe(1);
    expect(e.filter((x) => x !== 0 && x < 2 ** -126)).toEqual(new Float32Array(0));
    expect([e[347]! > 0, e[348]]).toEqual([true, 0]);
  });

  it("of softmaxGradient and softmaxFactors: +∞ where float32 ends, finite just below", () => {
    const x = [88.7, 88.73, 89, 95, 128, 1e10, Infinity];
    const R = x.length;
    const [z, start] = [write(0, x), write(1, x)];
    const zeros = write(2, new Float32Array(R));
    const ones = write(3, new Float32Array(R).fill(1));
    tile.softmaxFactors(at(4), start, zeros, ones, R);
    tile.softmaxGradient(z, R, 1, R, zeros, ones);
    for (const out of [memory.floats(at(4), R), memory.floats(z, R)]) {
      expectAllClose([out[0]!], [Math.exp(Math.fround(88.7))], { relative: 2e-6 });
      expect([...out.subarray(1)]).toEqual(new Array(R - 1).fill(Infinity));
    }
  });
});
