import { addFlushed, addProduct } from "./bfloat16.js";
import { type Instruction, NONE } from "./instruction.js";
import type { Machine, Step } from "./machine.js";

const TILES = 8;
const MOST_ROWS = 16;
/** 32-bit words of a row, at most. */
const ROW_WORDS = 16;

/** The tiles of a processor (AMX): eight of up to 16 rows of 64 bytes, as large as their configuration says; without one they cannot be used. */
export class Tiles {
  readonly words = new Int32Array(TILES * MOST_ROWS * ROW_WORDS);
  readonly halves = new Uint16Array(this.words.buffer);
  readonly rows = new Uint8Array(TILES);
  readonly rowBytes = new Uint16Array(TILES);
  configured = false;

  /** What ldtilecfg does with 64 bytes, given as words. */
  configure(words: Int32Array): void {
    const bytes = new Uint8Array(words.buffer, words.byteOffset, 64);
    const short = (at: number) => bytes[at]! | (bytes[at + 1]! << 8);
    if (bytes[0] !== 1) throw new Error(`palette ${bytes[0]} is not emulated`);
    if (bytes[1] !== 0) throw new Error("a configuration that starts with a row other than the first is not emulated");
    for (let tile = 0; tile < TILES; tile++) {
      this.rowBytes[tile] = short(16 + 2 * tile);
      this.rows[tile] = bytes[48 + tile]!;
      if (this.rowBytes[tile]! > 64 || this.rows[tile]! > MOST_ROWS) throw new Error(`tile ${tile} is too large`);
    }
    const reserved = [...bytes.subarray(2, 16), ...bytes.subarray(32, 48), ...bytes.subarray(56)];
    if (reserved.some((byte) => byte !== 0)) throw new Error("a configuration with bits that are reserved");
    this.words.fill(0);
    this.configured = true;
  }

  release(): void {
    this.words.fill(0);
    this.configured = false;
  }

  /** Throws if a tile cannot be used. */
  require(...tiles: readonly number[]): void {
    for (const tile of tiles) {
      if (!this.configured || this.rows[tile] === 0 || this.rowBytes[tile] === 0)
        throw new Error(`tile ${tile} is not configured`);
    }
  }
}

/** The first word of a row of a tile. */
const rowAt = (tile: number, row: number) => ROW_WORDS * (MOST_ROWS * tile + row);

/** What an instruction on tiles does; undefined if it is none. */
export function tileStep(m: Machine, i: Instruction): Step | undefined {
  const { tiles } = m;
  switch (i.name) {
    case "ldtilecfg": {
      const [address, words] = [m.address(i), new Int32Array(16)];
      return () => {
        m.space.loadWords(address(), 16, words, 0);
        tiles.configure(words);
      };
    }
    case "tilerelease":
      return () => tiles.release();
    case "tilezero":
      return () => {
        tiles.require(i.reg);
        tiles.words.fill(0, rowAt(i.reg, 0), rowAt(i.reg + 1, 0));
      };
    case "tileloadd":
    case "tilestored":
      return moveTile(m, i);
    case "tdpbf16ps":
      return () => multiplyTiles(tiles, i.reg, i.rm, i.vvvv);
    default:
      return undefined;
  }
}

/** Rows of a tile from memory or to it: the index register, times the scale, is their distance. */
function moveTile(m: Machine, i: Instruction): Step {
  const { tiles, space } = m;
  const { index, scale } = i.memory!;
  const first = m.addressOf({ ...i.memory!, index: NONE });
  return () => {
    tiles.require(i.reg);
    const at = first();
    const distance = index === NONE ? 0 : scale * m.number(index);
    const count = tiles.rowBytes[i.reg]! / 4;
    if (i.name === "tileloadd") tiles.words.fill(0, rowAt(i.reg, 0), rowAt(i.reg + 1, 0));
    for (let row = 0; row < tiles.rows[i.reg]!; row++) {
      const [address, place] = [at + distance * row, rowAt(i.reg, row)];
      if (i.name === "tileloadd") space.loadWords(address, count, tiles.words, place);
      else space.storeWords(address, count, tiles.words, place);
    }
  };
}

/**
 * Each sum takes the products of even and of odd halves in a sum of their own each, in the order of the rows of the second operand; then both together are
 * added to what it was.
 */
function multiplyTiles(tiles: Tiles, sums: number, left: number, right: number): void {
  tiles.require(sums, left, right);
  const { words, halves, rows, rowBytes } = tiles;
  const [depth, columns] = [rowBytes[left]! / 4, rowBytes[sums]! / 4];
  if (rows[left] !== rows[sums] || rowBytes[right] !== rowBytes[sums] || rows[right] !== depth)
    throw new Error("tdpbf16ps of tiles that do not fit each other");
  for (let row = 0; row < rows[sums]!; row++) {
    for (let column = 0; column < columns; column++) {
      const at = rowAt(sums, row) + column;
      let [even, odd] = [0, 0];
      for (let k = 0; k < depth; k++) {
        const [a, b] = [2 * (rowAt(left, row) + k), 2 * (rowAt(right, k) + column)];
        even = addProduct(even, halves[a]!, halves[b]!);
        odd = addProduct(odd, halves[a + 1]!, halves[b + 1]!);
      }
      words[at] = addFlushed(words[at]!, addFlushed(even, odd));
    }
  }
}
