// What the test runner wrote, made into counts. Nothing here runs anything.
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

/**
 * @typedef {object} PackageResult
 * @property {string} name
 * @property {number} passed
 * @property {{ title: string, message: string }[]} failures
 * @property {{ title: string, reason: string }[]} skipped
 * @property {number} seconds
 * @property {boolean} cached
 */

/**
 * Counts one package. What the report cannot say is a failure too: a file that did not load, a run that ended badly
 * though all its tests passed, a report that was never written.
 * @param {string} name the package
 * @param {import("./turbo.mjs").Task | undefined} task its test task; undefined when it was not reached
 * @param {any} report vitest's JSON report; undefined when there is none
 * @param {string[]} notBuilt packages whose build failed in this run
 * @param {{ folder: string, readFile: (path: string) => string, data: boolean }} context data: LOGQ_DATA is set
 * @returns {PackageResult}
 */
export function countPackage(name, task, report, notBuilt, context) {
  const { seconds = 0, cached = false } = task ?? {};
  const result = { name, passed: 0, failures: [], skipped: [], seconds, cached };
  for (const file of report?.testResults ?? []) countFile(file, result, context);

  const crash = crashOf(name, task, report, notBuilt);
  if (crash !== undefined && result.failures.length === 0) result.failures.push({ title: "(package)", message: crash });
  return result;
}

function crashOf(name, task, report, notBuilt) {
  if (task?.exists === false) return "it has no test script";
  if (task?.exitCode === undefined) {
    if (notBuilt.includes(name)) return "its build failed: see the output above";
    return notBuilt.length > 0 ? `not run, since the build of ${notBuilt.join(", ")} failed` : "not run";
  }
  if (report === undefined) return `no results were written (exit code ${task.exitCode})`;
  if (task.exitCode !== 0) return `exit code ${task.exitCode} though no test failed: see the output above`;
  return report.testResults.some((file) => file.assertionResults.length > 0) ? undefined : "it has no tests";
}

function countFile(file, result, { folder, readFile, data }) {
  const path = relative(folder, file.name);
  let failed = 0;
  for (const test of file.assertionResults) {
    const title = test.fullName;
    if (test.status === "passed") result.passed += 1;
    else if (test.status === "failed") {
      failed += 1;
      result.failures.push({ title: `${path}: ${title}`, message: firstLine(test.failureMessages[0] ?? "") });
    } else {
      const wantsData = !data && (title.includes("LOGQ_DATA") || readFile(file.name).includes("LOGQ_DATA"));
      const reason = wantsData ? "LOGQ_DATA is not set" : test.status === "todo" ? "not written yet" : "";
      result.skipped.push({ title: `${path}: ${title}`, reason });
    }
  }
  if (file.status === "failed" && failed === 0) {
    result.failures.push({ title: path, message: firstLine(file.message) || "the file or one of its hooks failed" });
  }
}

const firstLine = (text) => stripVTControlCharacters(text.split("\n", 1)[0]);

/** The report as lines; the last one is the count alone. */
export function describe(results) {
  const sum = (count) => results.reduce((total, result) => total + count(result), 0);
  const passed = sum((result) => result.passed);
  const failed = sum((result) => result.failures.length);
  const skipped = results.flatMap(({ name, skipped }) => skipped.map((test) => ({ name, ...test })));

  const lines = ["", ...table(results)];
  for (const [reason, tests] of groupByReason(skipped)) {
    lines.push("", `${tests.length} skipped${reason === "" ? "" : ` (${reason})`}`);
    lines.push(...tests.map((test) => `  ${test.name}  ${test.title}`));
  }
  if (failed > 0) {
    lines.push("", "Failed:");
    for (const { name, failures } of results) {
      for (const { title, message } of failures)
        lines.push(`  ${name}  ${title}${message === "" ? "" : `\n    ${message}`}`);
    }
  }
  if (passed + failed === 0) lines.push("", "No test ran.");
  return { passed, failed, lines: [...lines, "", `${passed} passed, ${failed} failed`] };
}

function groupByReason(tests) {
  const groups = new Map();
  for (const test of tests) groups.set(test.reason, [...(groups.get(test.reason) ?? []), test]);
  return groups;
}

function table(results) {
  const rows = results.map((result) => [
    result.name,
    String(result.passed),
    String(result.failures.length),
    String(result.skipped.length),
    result.cached ? "cached" : result.seconds > 0 ? `${result.seconds.toFixed(1)} s` : "not run",
  ]);
  const all = [["package", "passed", "failed", "skipped", "time"], ...rows];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  return all.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  "),
  );
}
