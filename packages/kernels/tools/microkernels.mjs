/**
 * Writes the AssemblyScript source of the matrix microkernels: one function per number of rows (1 to MAX_ROWS), per number of vectors
 * a row (one: up to 4 columns, two: up to 8), for whole vectors and for ragged ones, and per way of walking the left operand. Every
 * accumulator is a local of its own name.
 *
 * The shape of the loop follows what V8 makes of it on x86-64, where 15 vector registers are free to use:
 * - ten accumulators, two right vectors, one broadcast and one product fit; with twelve accumulators one is spilled, and the store
 *   and reload in its chain of additions cost almost half of the speed;
 * - V8 up to Node 22 finds the accumulators from the end of the function and places operations backwards from there. If the loop visits
 *   rows in the right order (ROW_ORDER), each broadcast stands right before its products; else all broadcasts come first and are
 *   spilled, at half of the speed. The endings differ, and so do the orders; both are measured. Newer V8 keeps the order as written;
 * - the loop is not unrolled, for the same reason: V8 would load for all steps first;
 * - no function is called: what lives across a call is spilled where it is made, in the loop.
 */

/** Rows of the largest tile. */
export const MAX_ROWS = 5;

/**
 * How the left operand is walked. `rows`: elements of a row are neighbours (columnStride 1). `columns`: elements of a column are
 * neighbours (rowStride 1). `strided`: neither.
 */
const WALKS = ["rows", "columns", "strided"];

/** `Full`: width is that of the vectors. `Ragged`: width is less. */
const ENDINGS = ["Full", "Ragged"];

const ROW_ORDER = { Full: (rows) => rows, Ragged: (rows) => rows.reverse() };

const range = (count) => Array.from({ length: count }, (_, index) => index);

function leftPointers(walk, rows) {
  if (walk === "columns") return ["let a0 = left;"];
  return range(rows).map((row) => (row === 0 ? "let a0 = left;" : `let a${row} = a${row - 1} + rowBytes;`));
}

function advance(walk, rows) {
  if (walk === "columns") return ["a0 += columnBytes;"];
  const step = walk === "rows" ? "4" : "columnBytes";
  return range(rows).map((row) => `a${row} += ${step};`);
}

/** The multiplications and additions of one k. */
function loopBody(walk, rows, vectors, ending) {
  const lines = range(vectors).map((v) => `b${v} = v128.load(b, ${16 * v});`);
  for (const row of ROW_ORDER[ending](range(rows))) {
    lines.push(`a = v128.load32_splat(${walk === "columns" ? `a0, ${4 * row}` : `a${row}`});`);
    for (const v of range(vectors)) {
      lines.push(`c${row}${v} = f32x4.add(c${row}${v}, f32x4.mul(a, b${v}));`);
    }
  }
  return [...lines, ...advance(walk, rows), "b += 32;"];
}

/** The same lines for each row, from the first to the last; `o` points at the row's place in the output. */
function eachRow(rows, lines) {
  return range(rows).flatMap((row) => (row === 0 ? lines(row) : ["o += outBytes;", ...lines(row)]));
}

function storeFull(rows, vectors) {
  const store = (value) => (row) =>
    range(vectors).map((v) => `v128.store(o, ${value(`c${row}${v}`, 16 * v)}, ${16 * v});`);
  return [
    "if (accumulate) {",
    ...eachRow(
      rows,
      store((sum, at) => `f32x4.add(v128.load(o, ${at}), ${sum})`),
    ),
    "} else {",
    ...eachRow(
      rows,
      store((sum) => sum),
    ),
    "}",
  ];
}

function storeRagged(rows, vectors) {
  return eachRow(rows, (row) => [`storeColumns(o, c${row}0, c${row}${vectors - 1}, width, accumulate);`]);
}

function microkernel(walk, rows, vectors, ending) {
  const accumulators = range(rows).flatMap((row) => range(vectors).map((v) => `c${row}${v}`));
  return [
    `function ${walk}${rows}x${4 * vectors}${ending}(`,
    "  out: usize, outBytes: usize, left: usize, rowBytes: usize, columnBytes: usize,",
    "  panel: usize, K: u32, width: u32, accumulate: bool,",
    "): void {",
    ...leftPointers(walk, rows),
    "let b = panel;",
    "let a: v128;",
    ...range(vectors).map((v) => `let b${v}: v128;`),
    ...accumulators.map((name) => `let ${name} = f32x4.splat(0);`),
    "for (let k = K; k != 0; k--) {",
    ...loopBody(walk, rows, vectors, ending),
    "}",
    "let o = out;",
    ...(ending === "Full" ? storeFull(rows, vectors) : storeRagged(rows, vectors)),
    "}",
    "",
  ];
}

function dispatcher(walk) {
  const parameters = "out, outBytes, left, rowBytes, columnBytes, panel, K, width, accumulate";
  const cases = (vectors, ending) => [
    "switch (rows) {",
    ...range(MAX_ROWS).map(
      (row) => `case ${row + 1}: ${walk}${row + 1}x${4 * vectors}${ending}(${parameters}); return;`,
    ),
    "}",
  ];
  return [
    `/** out (rows, width) (+)= left (rows, K) · panel (K, 8), left walked by ${walk}; 1 <= rows <= ${MAX_ROWS}, 1 <= width <= 8. */`,
    `export function ${walk}Tile(`,
    "  rows: u32, out: usize, outBytes: usize, left: usize, rowBytes: usize, columnBytes: usize,",
    "  panel: usize, K: u32, width: u32, accumulate: bool,",
    "): void {",
    "if (width == 8) {",
    ...cases(2, "Full"),
    "} else if (width > 4) {",
    ...cases(2, "Ragged"),
    "} else if (width == 4) {",
    ...cases(1, "Full"),
    "} else {",
    ...cases(1, "Ragged"),
    "}",
    "}",
    "",
  ];
}

/** The whole source file. */
export function microkernelSource() {
  const lines = [
    "// Written by tools/microkernels.mjs: do not edit.",
    'import { storeColumns } from "../assembly/lanes";',
    "",
  ];
  for (const walk of WALKS) {
    for (const ending of ENDINGS) {
      for (const rows of range(MAX_ROWS)) {
        lines.push(...microkernel(walk, rows + 1, 1, ending), ...microkernel(walk, rows + 1, 2, ending));
      }
    }
    lines.push(...dispatcher(walk));
  }
  return lines.join("\n");
}
