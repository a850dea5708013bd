// Runs tasks of the packages through turbo, in dependency order, from its cache where nothing has changed.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { runChild } from "./child.mjs";
import { binFolder, callerFolder, root } from "./places.mjs";
import { readLine } from "./turbo-lines.mjs";

// Packages that use worker threads are tested too: more tasks at a time would only make them wait for each other.
const CONCURRENCY = 2;

/**
 * @typedef {object} Task
 * @property {string} package name of the package
 * @property {string} task "build", "test" …
 * @property {boolean} exists false where the package has no such script
 * @property {number | undefined} exitCode undefined where it was not run
 * @property {boolean} cached
 * @property {number} seconds
 */

/**
 * Runs turbo tasks; only the output of failing ones is shown.
 * @param {string[]} tasks names of tasks
 * @param {string[]} args more arguments for turbo
 * @param {(line: string) => void} onLine gets what is worth showing
 * @returns {Promise<{ code: number, packages: string[], tasks: Task[] }>} packages: those asked for; tasks: those that were
 *   reached, which excludes what comes after a failed one. Both are empty when turbo itself failed to start.
 */
export async function turbo(tasks, args, onLine) {
  let summaryFile;
  const split = args.indexOf("--");
  const own = split < 0 ? args : args.slice(0, split);
  const passed = split < 0 ? [] : args.slice(split);
  const options = [
    `--concurrency=${CONCURRENCY}`,
    "--continue=dependencies-successful",
    "--output-logs=errors-only",
    "--log-order=grouped",
    "--ui=stream",
    "--summarize",
  ];
  let blank = true;
  const { code } = await runChild(join(binFolder, "turbo"), ["run", ...tasks, ...options, ...own, ...passed], {
    cwd: root,
    env: environment(),
    onLine: (line) => {
      const { isChatter, isBlank, summary } = readLine(line);
      summaryFile = summary ?? summaryFile;
      // One blank line is enough where chatter stood between two.
      if (isChatter || (blank && isBlank)) return;
      blank = isBlank;
      onLine(line);
    },
  });
  return { code, ...(summaryFile === undefined ? { packages: [], tasks: [] } : readSummary(summaryFile)) };
}

function readSummary(file) {
  const summary = JSON.parse(readFileSync(file, "utf8"));
  rmSync(file);
  const tasks = summary.tasks.map(({ package: name, task, command, execution, cache }) => ({
    package: name,
    task,
    exists: command !== "<NONEXISTENT>",
    exitCode: execution?.exitCode,
    cached: cache?.status === "HIT",
    seconds: execution === undefined ? 0 : (execution.endTime - execution.startTime) / 1000,
  }));
  return { packages: summary.packages, tasks };
}

/** The variables under which tasks run. turbo.json says which of them a task's result depends on. */
function environment() {
  const env = { ...process.env };
  env.PATH = [binFolder, ...folderOfThisNode(env.PATH ?? ""), env.PATH].join(delimiter);
  env.TURBO_TELEMETRY_DISABLED = "1";
  env.TURBO_NO_UPDATE_NOTIFIER = "1";
  // A result from one Node or machine says nothing about another.
  env.LOGQ_MACHINE = `${process.version} ${process.platform} ${process.arch}`;
  if (env.LOGQ_DATA) {
    // Tests run in their packages' folders, and the path was meant from the caller's.
    env.LOGQ_DATA = resolve(callerFolder, env.LOGQ_DATA);
    env.LOGQ_DATA_FILES = signFiles(env.LOGQ_DATA);
  } else {
    delete env.LOGQ_DATA;
  }
  // Tasks write to a pipe and cannot see whether a terminal is behind it.
  if (process.stdout.isTTY && !env.NO_COLOR) env.FORCE_COLOR ??= "1";
  else if (!env.FORCE_COLOR) env.NO_COLOR = "1";
  return env;
}

/** Scripts find `node` on PATH: it has to be the one that runs this. Nothing is added where it already is. */
function folderOfThisNode(path) {
  const first = path
    .split(delimiter)
    .map((folder) => join(folder, "node"))
    .find((file) => existsSync(file));
  return first !== undefined && realpathSync(first) === realpathSync(process.execPath)
    ? []
    : [dirname(process.execPath)];
}

/** Stands for the content of a folder in the cache's key: its files' names, sizes and times. */
function signFiles(folder) {
  const hash = createHash("sha256");
  for (const name of existsSync(folder) ? readdirSync(folder, { recursive: true }).sort() : []) {
    const { size, mtimeMs } = statSync(join(folder, name));
    hash.update(`${name} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex");
}
