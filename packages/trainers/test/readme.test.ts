import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { isRun } from "../dist/index.js";
import { withDirectory } from "./support/directories.js";

const run = promisify(execFile);
const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
// The examples are JavaScript as they stand.
const examples = Array.from(readme.matchAll(/```ts\n(.*?)```/gs), ([, code]) => code!);

/** Runs an example as a program of its own, with packages where a user would have them; answers what it printed. */
async function runExample(code: string, directory: string): Promise<string> {
  const place = (name: string) => JSON.stringify(import.meta.resolve(name));
  const trainers = JSON.stringify(new URL("../dist/index.js", import.meta.url).href);
  const resolved = code
    .replaceAll('"@logq/trainers"', trainers)
    .replaceAll(/"@logq\/(?!trainers)\w+"/g, (name) => place(JSON.parse(name)));
  const file = join(directory, "example.mjs");
  await mkdir(join(directory, "runs"));
  await writeFile(file, resolved);
  const { stdout, stderr } = await run(process.execPath, [file], { cwd: directory });
  expect(stderr).toBe("");
  return stdout;
}

describe("the README", () => {
  it("has two examples", () => {
    expect(examples).toHaveLength(2);
  });

  it("trains, evaluates, saves and serves: to within 0.5 nats of the law, classes of the context on top", async () => {
    await withDirectory(async (directory) => {
      const printed = await runExample(examples[0]!, directory);
      expect(await isRun(join(directory, "runs/synthetic"))).toBe(true);
      const [, crossEntropy, recall, best] =
        /finished \{ 'cross-entropy': ([\d.]+), 'recall@20': ([\d.]+) \} ([\d.]+)/.exec(printed)!;
      expect(Number(crossEntropy) - Number(best)).toBeLessThan(0.5);
      expect(Number(recall)).toBeGreaterThan(0.3);
      expect(printed.match(/name: 'class \d+'/g)).toHaveLength(8);
    });
  }, 30_000);

  it("has an output layer that answers a loss, a gradient, an exact cross-entropy and rankings", async () => {
    await withDirectory(async (directory) => {
      const printed = (await runExample(examples[1]!, directory)).trim().split(" ").map(Number);
      const [loss, gradients, exact, ids] = printed;
      expect(loss).toBeGreaterThan(0);
      expect(gradients).toBe(32 * 64);
      expect(exact).toBeGreaterThan(0);
      expect(exact).toBeLessThan(Math.log(100_000));
      expect(ids).toBe(320);
    });
  }, 30_000);

  it("lists every folder of the sources", async () => {
    const entries = await readdir(fileURLToPath(new URL("../src", import.meta.url)), { withFileTypes: true });
    for (const entry of entries) if (entry.isDirectory()) expect(readme).toContain(`\`src/${entry.name}\``);
  });
});
