// Builds: what is up to date by its stamp is not even asked about.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CannotRun } from "./failure.mjs";
import { notes, root, withDependencies } from "./places.mjs";
import { turbo } from "./turbo.mjs";

/** Folders of a package that a build neither reads nor writes. */
const UNRELATED = new Set([
  "node_modules",
  "test",
  "results",
  "peers",
  "gradient-filter",
  "full-and-sampled",
  "python",
]);
const SHARED = ["pnpm-lock.yaml", "tsconfig.base.json", "turbo.json"];

/**
 * Builds a package and what it depends on; without a name, everything. Says nothing unless it takes a while or fails,
 * and then on standard error, so that standard output stays with the program to be run.
 * @param {{ package?: string, args?: string[] }} what
 */
export async function build({ package: name, args = [] }) {
  const from = Date.now();
  const stamp = name === undefined ? undefined : join(notes, `build-${name.replace("/", "-")}.json`);
  const sourcesBefore = name === undefined ? undefined : sign(name, "sources");
  if (stamp !== undefined && isFresh(stamp, sourcesBefore, name)) return;

  const lines = [];
  const filter = name === undefined ? [] : [`--filter=${name}`];
  const { code, tasks } = await turbo(["build"], [...filter, ...args], (line) => lines.push(line));
  if (code !== 0) {
    process.stderr.write(`${lines.join("\n")}\n`);
    const failed = tasks.filter((task) => task.exitCode !== undefined && task.exitCode !== 0);
    throw new CannotRun(
      `The build failed${failed.length > 0 ? `: ${failed.map((task) => task.package).join(", ")}` : ""}.`,
    );
  }
  const built = tasks.filter((task) => !task.cached && task.exists).length;
  if (built > 0) process.stderr.write(`Built ${built} packages in ${((Date.now() - from) / 1000).toFixed(1)} s\n`);
  // A source that changed meanwhile may or may not be in what was built, so only a quiet build is stamped.
  if (stamp !== undefined && sign(name, "sources") === sourcesBefore) {
    mkdirSync(notes, { recursive: true });
    writeFileSync(stamp, JSON.stringify({ sources: sourcesBefore, outputs: sign(name, "outputs") }));
  }
}

function isFresh(stamp, sources, name) {
  let kept;
  try {
    kept = JSON.parse(readFileSync(stamp, "utf8"));
  } catch {
    return false;
  }
  return kept.sources === sources && kept.outputs === sign(name, "outputs");
}

/** Path, size and times of every file a build reads ("sources") or writes ("outputs"). */
function sign(name, side) {
  const files = side === "sources" ? [...SHARED] : [];
  for (const { folder } of withDependencies(name)) collect(folder, side, files);
  const rows = files.map((file) => {
    const { size, mtimeMs, ctimeMs } = statSync(join(root, file));
    return `${file} ${size} ${mtimeMs} ${ctimeMs}`;
  });
  return rows.sort().join("\n");
}

function collect(folder, side, into, built = false) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (UNRELATED.has(entry.name) || entry.name.startsWith(".")) continue;
      collect(path, side, into, built || entry.name === "dist");
    } else if ((built || entry.name.includes(".generated.")) === (side === "outputs")) {
      if (!entry.name.endsWith(".md")) into.push(path);
    }
  }
}
