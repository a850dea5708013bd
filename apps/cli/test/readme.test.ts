import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { logq, remove, sampleText, temporaryFolder, write } from "./support.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
/** Where imports of siblings resolve as they do for this package, and where nothing is kept. */
const SCRATCH = fileURLToPath(new URL("../.test/readme", import.meta.url));

/** The fenced blocks of a language, in order. */
function blocks(markdown: string, language: string): string[] {
  return Array.from(markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm))
    .filter((match) => match[1] === language)
    .map((match) => match[2]!);
}

/** The arguments of a line that calls the command; quotes hold words together. */
function wordsOf(line: string): string[] {
  return Array.from(line.matchAll(/"([^"]*)"|(\S+)/g), (match) => match[1] ?? match[2]!);
}

function run(program: string, args: readonly string[], cwd: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

const readme = await readFile(join(ROOT, "README.md"), "utf8");
const page = await readFile(join(ROOT, "docs", "softmax-in-minutes.md"), "utf8");
let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(SCRATCH, { recursive: true });
});
afterAll(() => Promise.all([remove(folder), remove(SCRATCH)]));

describe("the example in TypeScript of the README", () => {
  const [example] = blocks(readme, "ts");

  it("has the types that it says", async () => {
    const file = join(SCRATCH, "example.ts");
    await writeFile(file, example!);
    const options =
      "--ignoreConfig --noEmit --strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess --module nodenext --target es2022 --types node";
    const compiler = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    expect(await run(process.execPath, [compiler, ...options.split(" "), file], SCRATCH)).toEqual({
      code: 0,
      output: "",
    });
  }, 60_000);

  it("prints the numbers that the README states, up to 0.02 nats", async () => {
    const file = join(SCRATCH, "example.mjs");
    await writeFile(file, example!);
    const { code, output } = await run(process.execPath, [file], folder);
    expect(code, output).toBe(0);
    const printed =
      /sampled loss (\S+), .*\nexact cross-entropy (\S+), at best (\S+)\n(class \d+ -?\d+\.\d\d\n){3}$/.exec(output);
    const stated =
      /a sampled loss of (\S+) and an exact cross-entropy of (\S+) nats where no model can do better than (\d+\.\d+)/.exec(
        readme,
      );
    for (let i = 1; i <= 3; i++) {
      expect(Math.abs(Number(printed?.[i]) - Number(stated?.[i])), `number ${i} of ${output}`).toBeLessThanOrEqual(
        0.0201,
      );
    }
  }, 60_000);
});

describe("the commands of the README", () => {
  const recipes = blocks(readme, "sh").filter((block) => block.includes("logq -- prepare"));
  const files = {
    "corpus.txt": `${sampleText(400)}\nthe capital of w1\nthe king of w2\nthe king of w3`,
    "visits.csv": `user,item,time\n${Array.from({ length: 300 }, (_, i) => `${i % 50 === 0 ? "ada" : `user${i % 50}`},item${(i * 7) % 60},${i}`).join("\n")}`,
    "titles.tsv": Array.from(
      { length: 400 },
      (_, i) => `${i % 2 ? "sea" : "land"}\ta ${i % 2 ? "ship in the harbour" : "road"} ${i % 5}`,
    ).join("\n"),
  };

  it("are four recipes of at most four lines", () => {
    expect(recipes.map((recipe) => recipe.trim().split("\n").length)).toEqual([4, 4, 4, 4]);
  });

  it.each(recipes.map((recipe) => [/--out (\S+)/.exec(recipe)![1]!, recipe]))(
    "%s: every line works as written",
    async (_, recipe) => {
      await write(folder, files);
      for (const line of recipe.trim().split("\n")) {
        const [npm, ...args] = wordsOf(line).filter((word) => !["run", "-s", "logq", "--"].includes(word));
        expect(npm).toBe("npm");
        const { code, stderr } = await logq(folder, args);
        expect(code, `${line}\n${stderr}`).toBe(0);
      }
    },
    60_000,
  );
});

describe("softmax in minutes", () => {
  it("its first script prints what stands below it", async () => {
    const file = join(SCRATCH, "page.mjs");
    await writeFile(file, blocks(page, "js")[0]!);
    expect(await run(process.execPath, [file], SCRATCH)).toEqual({ code: 0, output: blocks(page, "text")[0] });
  }, 60_000);
});
