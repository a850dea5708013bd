// `npm test`: every test of every package, and one count at the end.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, workspacePackages } from "./places.mjs";
import { countPackage, describe } from "./results.mjs";
import { turbo } from "./turbo.mjs";

const PROGRESS_EVERY_MS = 250;
const reportOf = (entry) => join(root, entry.folder, ".test", "results.json");

/**
 * Runs the tests; more arguments go to turbo (`--filter=@logq/core`), and those after a second `--` to the test runner.
 * The last line printed is "N passed, N failed".
 * @returns {Promise<number>} the exit code: zero only if something ran and nothing failed
 */
export async function test(args) {
  const packages = workspacePackages();
  // A report left by an earlier run must not be counted; turbo puts back those of packages that have not changed.
  for (const entry of packages) rmSync(reportOf(entry), { force: true });

  const stopProgress = tellProgress(packages);
  const outcome = await turbo(["test"], args, (line) => process.stdout.write(`${line}\n`));
  stopProgress();

  const results = resultsOf(outcome, packages);
  const { passed, failed, lines } = describe(results);
  process.stdout.write(`${lines.join("\n")}\n`);
  return passed === 0 || failed > 0 || outcome.code !== 0 ? 1 : 0;
}

/** One result for each package that was asked for, whether its tests were reached or not. */
function resultsOf({ code, packages: asked, tasks }, packages) {
  const notBuilt = tasks
    .filter(({ task, exitCode }) => task === "build" && exitCode !== undefined && exitCode !== 0)
    .map((task) => task.package);
  const results = asked.sort().map((name) => {
    const entry = packages.find((one) => one.name === name);
    return countPackage(
      name,
      tasks.find((one) => one.package === name && one.task === "test"),
      readReport(entry),
      notBuilt,
      {
        folder: join(root, entry.folder),
        readFile: (path) => (existsSync(path) ? readFileSync(path, "utf8") : ""),
        data: Boolean(process.env.LOGQ_DATA),
      },
    );
  });
  if (asked.length === 0 && code !== 0) results.push(failedRun(code));
  return results;
}

function failedRun(code) {
  const failure = { title: "(the run itself)", message: `turbo ended with exit code ${code}: see above` };
  return { name: "turbo", passed: 0, failures: [failure], skipped: [], seconds: 0, cached: false };
}

function readReport(entry) {
  const file = reportOf(entry);
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // Cut off in the middle of writing: as good as none.
    return undefined;
  }
}

/** Says which packages are through while others still run. */
function tellProgress(packages) {
  const open = new Set(packages);
  const timer = setInterval(() => {
    for (const entry of open) {
      const report = readReport(entry);
      if (report === undefined) continue;
      open.delete(entry);
      const { numPassedTests, numFailedTests, numTotalTests } = report;
      const others = numTotalTests - numPassedTests - numFailedTests;
      const bad = report.success || numFailedTests > 0 ? "" : ", and a file that failed as a whole";
      const counts = `${numPassedTests} passed, ${numFailedTests} failed${others > 0 ? `, ${others} skipped` : ""}${bad}`;
      process.stderr.write(`${entry.name}: ${counts}\n`);
    }
  }, PROGRESS_EVERY_MS);
  return () => clearInterval(timer);
}
