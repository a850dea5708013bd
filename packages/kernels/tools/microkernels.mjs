/**
 * Writes the AssemblyScript source of the matrix microkernels: one function per number of rows (1 to 6), per number of vectors a row
 * (one: up to 4 columns, two: up to 8) and per way of walking the left operand. Every accumulator is a local of its own name, because
 * only then do all twelve of the largest tile live in registers.
 */

/** Twelve accumulators, two right vectors, one broadcast and one product: what 16 vector registers can hold. */
export const MAX_ROWS = 5;

/** How often the loop over k is unrolled. The order of the sum is the same as without. */
const UNROLL = 1;

/**
 * How the left operand is walked. `rows`: elements of a row are neighbours (columnStride 1). `columns`: elements of a column are
 * neighbours (rowStride 1). `strided`: neither.
 */
const WALKS = ["rows", "columns", "strided"];

const range = (count) => Array.from({ length: count }, (_, index) => index);

function leftPointers(walk, rows) {
  if (walk === "columns") return ["  let a0 = left;"];
  return range(rows).map((row) => (row === 0 ? "  let a0 = left;" : `  let a${row} = a${row - 1} + rowBytes;`));
}

function leftAddress(walk, row, step) {
  if (walk === "rows") return step === 0 ? `a${row}` : `a${row}, ${4 * step}`;
  if (walk === "columns") return row === 0 ? "a0" : `a0, ${4 * row}`;
  return `a${row}`;
}

function advance(walk, rows, steps) {
  if (walk === "rows") return range(rows).map((row) => `    a${row} += ${4 * steps};`);
  if (walk === "columns") return ["    a0 += columnBytes;"];
  return range(rows).map((row) => `    a${row} += columnBytes;`);
}

/** The multiplications and additions of one k, `step` steps after the pointers' position. */
function multiplyStep(walk, rows, vectors, step) {
  const lines = range(vectors).map((v) => `    b${v} = v128.load(b, ${32 * step + 16 * v});`);
  for (const row of range(rows).reverse()) {
    lines.push(`    a = v128.load32_splat(${leftAddress(walk, row, step)});`);
    for (const v of range(vectors)) {
      lines.push(`    c${row}${v} = f32x4.add(c${row}${v}, f32x4.mul(a, b${v}));`);
    }
  }
  return lines;
}

function loopBody(walk, rows, vectors, steps) {
  const lines = [];
  for (const step of range(steps)) {
    lines.push(...multiplyStep(walk, rows, vectors, step));
    if (walk !== "rows") lines.push(...advance(walk, rows, 1));
  }
  if (walk === "rows") lines.push(...advance(walk, rows, steps));
  lines.push(`    b += ${32 * steps};`);
  return lines;
}

function storeRows(rows, vectors) {
  const lines = ["  let o = out;", `  if (width == ${4 * vectors}) {`, "    if (accumulate) {"];
  for (const row of range(rows)) {
    if (row > 0) lines.push("      o += outBytes;");
    for (const v of range(vectors)) {
      lines.push(`      v128.store(o, f32x4.add(v128.load(o, ${16 * v}), c${row}${v}), ${16 * v});`);
    }
  }
  lines.push("    } else {");
  for (const row of range(rows)) {
    if (row > 0) lines.push("      o += outBytes;");
    for (const v of range(vectors)) lines.push(`      v128.store(o, c${row}${v}, ${16 * v});`);
  }
  lines.push("    }", "    return;", "  }");
  for (const row of range(rows)) {
    if (row > 0) lines.push("  o += outBytes;");
    const [first, second] = vectors === 2 ? [`c${row}0`, `c${row}1`] : [`c${row}0`, `c${row}0`];
    lines.push(`  storeColumns(o, ${first}, ${second}, width, accumulate);`);
  }
  return lines;
}

function microkernel(walk, rows, vectors) {
  const accumulators = range(rows).flatMap((row) => range(vectors).map((v) => `c${row}${v}`));
  return [
    `function ${walk}${rows}x${4 * vectors}(`,
    "  out: usize, outBytes: usize, left: usize, rowBytes: usize, columnBytes: usize,",
    "  panel: usize, K: u32, width: u32, accumulate: bool,",
    "): void {",
    ...leftPointers(walk, rows),
    "  let b = panel;",
    "  let a: v128;",
    ...range(vectors).map((v) => `  let b${v}: v128;`),
    ...accumulators.map((name) => `  let ${name} = f32x4.splat(0);`),
    `  for (let k = K / ${UNROLL}; k != 0; k--) {`,
    ...loopBody(walk, rows, vectors, UNROLL),
    "  }",
    `  for (let k = K % ${UNROLL}; k != 0; k--) {`,
    ...loopBody(walk, rows, vectors, 1),
    "  }",
    ...storeRows(rows, vectors),
    "}",
    "",
  ];
}

function dispatcher(walk) {
  const parameters = "out, outBytes, left, rowBytes, columnBytes, panel, K, width, accumulate";
  const cases = (vectors) =>
    range(MAX_ROWS).map((row) => `      case ${row + 1}: ${walk}${row + 1}x${4 * vectors}(${parameters}); return;`);
  return [
    `/** out (rows, width) (+)= left (rows, K) · panel (K, 8), left walked by ${walk}; 1 <= rows <= ${MAX_ROWS}, 1 <= width <= 8. */`,
    `export function ${walk}Tile(`,
    "  rows: u32, out: usize, outBytes: usize, left: usize, rowBytes: usize, columnBytes: usize,",
    "  panel: usize, K: u32, width: u32, accumulate: bool,",
    "): void {",
    "  if (width > 4) {",
    "    switch (rows) {",
    ...cases(2),
    "    }",
    "  } else {",
    "    switch (rows) {",
    ...cases(1),
    "    }",
    "  }",
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
    for (const rows of range(MAX_ROWS)) {
      lines.push(...microkernel(walk, rows + 1, 1), ...microkernel(walk, rows + 1, 2));
    }
    lines.push(...dispatcher(walk));
  }
  return lines.join("\n");
}
