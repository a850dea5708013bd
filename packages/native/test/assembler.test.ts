import { describe, expect, it } from "vitest";
import { Assembler } from "../dist/assembler/assembler.js";
import { VECTOR_OPS } from "../dist/assembler/vector-ops.js";
import encodings from "./fixtures/encodings.json" with { type: "json" };
import { assembled, assembles } from "./support/assemble.js";
import { decode } from "./support/emulator/decode.js";
import { format } from "./support/emulator/format.js";

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const bytesOf = (text: string) => Uint8Array.from(text.match(/../g)!, (byte) => Number.parseInt(byte, 16));

const ALL = Object.entries(encodings);
/** The file may have vector instructions that the assembler has no row for: the decoder is to know them all the same. */
const OURS = ALL.filter(([text]) => assembles(text));

describe("the assembler", () => {
  it(`encodes ${OURS.length} instructions as the GNU assembler does`, () => {
    const differing = OURS.flatMap(([text, bytes]) => {
      const ours = hex(assembled(text));
      return ours === bytes ? [] : [`${text}: ${ours} in place of ${bytes}`];
    });
    expect(differing).toEqual([]);
  });

  it("has no vector instruction that was not compared", () => {
    const compared = new Set(ALL.map(([text]) => /^(?:\{\w+\} )?(\w+)/.exec(text)![1]!));
    expect(Object.keys(VECTOR_OPS).filter((name) => !compared.has(name.replace(/Store$/, "")))).toEqual([]);
  });

  it("refuses registers that an encoding does not reach", () => {
    expect(() => new Assembler().vex("vaddps", 32, 16, 0, 0)).toThrow(RangeError);
    expect(() => new Assembler().vex("vaddps", 32, 0, 31, 0)).toThrow(RangeError);
    expect(() => new Assembler().vex("vaddps", 32, 0, 0, 17)).toThrow(RangeError);
  });

  it("is read back by the emulator's decoder as it was written", () => {
    for (const [text, bytes] of ALL) {
      const code = bytesOf(bytes);
      const instruction = decode(code, 0);
      expect(instruction.length, text).toBe(code.length);
      expect(format(instruction)).toBe(asDecoded(text, code.length));
    }
  });
});

/** What the decoder makes of an instruction: no pseudo prefixes, no displacement of 0, addresses behind the code as offsets. */
function asDecoded(text: string, length: number): string {
  return text
    .replace(/^\{\w+\} /, "")
    .replace("+0x0]", "]")
    .replace(/,\./, ",")
    .replace(/ \.\+/, " ")
    .replace(/rip\+(0x[0-9a-f]+)/, (_, distance: string) => `rip+0x${(Number(distance) + length).toString(16)}`);
}
