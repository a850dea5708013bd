// `npm run check`: everything about the code that is not a test.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { biome } from "./biome.mjs";
import { checkImports } from "./check-imports.mjs";
import { checkVersions } from "./check-versions.mjs";
import { runChild } from "./child.mjs";
import { root } from "./places.mjs";
import { turbo } from "./turbo.mjs";

/** Runs all checks, even after one has failed, and lists them. @returns {Promise<number>} the exit code */
export async function check() {
  const print = (line) => process.stdout.write(`${line}\n`);
  const outcomes = [];
  const step = async (title, run) => {
    const from = Date.now();
    const good = await run();
    outcomes.push({ title, good, seconds: (Date.now() - from) / 1000 });
  };
  const complaints = (list) => {
    list.forEach(print);
    return list.length === 0;
  };

  await step(
    "format and lint",
    async () => (await biome(["ci", "--error-on-warnings", "--diagnostic-level=warn"], print)) === 0,
  );
  await step("import direction", () => complaints(checkImports()));
  await step("versions and manifests", () => complaints(checkVersions()));
  await step("workspace tools", () => toolTests(print));
  await step("types of sources and tests", () => taskOfAll("types", print));
  await step("package exports", () => taskOfAll("exports", print));

  print("");
  for (const { title, good, seconds } of outcomes)
    print(`${good ? "ok    " : "failed"}  ${title}  (${seconds.toFixed(1)} s)`);
  return outcomes.every(({ good }) => good) ? 0 : 1;
}

async function taskOfAll(name, print) {
  const { code, tasks } = await turbo([name], [], print);
  const left = tasks.filter(({ exists, exitCode }) => exists && exitCode !== 0);
  for (const { package: owner, task, exitCode } of left) {
    print(`${owner}: ${task} ${exitCode === undefined ? "did not run" : "failed"}`);
  }
  return code === 0 && tasks.some(({ exists, task }) => exists && task === name) && left.length === 0;
}

/** The tests of this very folder: they need no package to be built. */
async function toolTests(print) {
  const folder = join(root, ".workspace", "test");
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".test.mjs"))
    .map((name) => join(folder, name));
  const lines = [];
  const { code } = await runChild(process.execPath, ["--test", ...files], {
    cwd: root,
    env: process.env,
    onLine: (line) => lines.push(line),
  });
  if (code !== 0) lines.forEach(print);
  return code === 0;
}
