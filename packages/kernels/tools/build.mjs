/**
 * Compiles assembly/ to WebAssembly, once for shared and once for unshared memory, and writes both as text to
 * src/wasm/binary.generated.ts, so that the package needs no file access at run time. Does nothing if no input has changed.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { dataSegmentCount } from "./data-segments.mjs";
import { microkernelSource } from "./microkernels.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const output = join(root, "src", "wasm", "binary.generated.ts");

/** One memory holds at most 65,536 pages; whatever size the caller's has is accepted. */
const MAX_PAGES = "65536";

const COMMON = [
  "assembly/index.ts",
  ...["--runtime", "stub"],
  "--importMemory",
  "--noExportMemory",
  ...["--initialMemory", "1"],
  ...["--maximumMemory", MAX_PAGES],
  ...["-O3", "--converge"],
  "--noAssert",
  ...["--use", "abort="],
];

const FLAVOURS = [
  { name: "unshared", options: ["--enable", "simd"] },
  { name: "shared", options: ["--enable", "simd,threads", "--sharedMemory"] },
];

function fingerprint() {
  const hash = createHash("sha256").update(asc.version);
  for (const folder of ["assembly", "tools"]) {
    for (const file of readdirSync(join(root, folder)).sort()) {
      hash.update(`${folder}/${file}\n`).update(readFileSync(join(root, folder, file)));
    }
  }
  return hash.digest("hex");
}

async function compile({ name, options }) {
  let binary;
  const log = [];
  const files = new Map([["build/microkernels.ts", microkernelSource()]]);
  const { error } = await asc.main([...COMMON, ...options, "--outFile", `${name}.wasm`], {
    stdout: { write: (text) => log.push(text) },
    stderr: { write: (text) => log.push(text) },
    readFile: (file) => files.get(file) ?? readInput(file),
    writeFile: (_file, contents) => {
      binary = contents;
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`the ${name} kernels do not compile: ${error.message}\n${log.join("")}`);
  if (log.length > 0) console.warn(log.join(""));
  const segments = dataSegmentCount(binary);
  if (segments > 0) {
    throw new Error(
      `the ${name} kernels hold ${segments} data segments: every instance would write them over the caller's memory. ` +
        "Use no strings and no static arrays.",
    );
  }
  return binary;
}

function readInput(file) {
  const path = join(root, file);
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}

async function build() {
  // The fingerprint stands in the output itself, so that it cannot outlive or miss the file it speaks of.
  const stamp = `// Written by tools/build.mjs from assembly/: do not edit. Inputs: ${fingerprint()}`;
  if (existsSync(output) && readFileSync(output, "utf8").startsWith(stamp)) return;
  mkdirSync(join(root, "build"), { recursive: true });
  writeFileSync(join(root, "build", "microkernels.ts"), microkernelSource());
  const lines = [stamp];
  for (const flavour of FLAVOURS) {
    const binary = await compile(flavour);
    writeFileSync(join(root, "build", `${flavour.name}.wasm`), binary);
    lines.push(`export const ${flavour.name}: string = "${Buffer.from(binary).toString("base64")}";`);
    console.log(`kernels: ${flavour.name}.wasm, ${binary.length} bytes`);
  }
  writeFileSync(output, `${lines.join("\n")}\n`);
}

try {
  await build();
} catch (error) {
  console.error(`kernels: ${error.message}`);
  process.exitCode = 1;
}
