import assert from "node:assert/strict";
import { test } from "node:test";
import { countPackage, describe } from "../results.mjs";

const context = { folder: "/w/core", readFile: () => "", data: false };
const done = { package: "@logq/core", task: "test", exists: true, exitCode: 0, cached: false, seconds: 1 };
const aTest = (status, title = "t") => ({
  status,
  fullName: title,
  failureMessages: status === "failed" ? ["Error: no\n at x"] : [],
});
const file = (tests, status = "passed", message = "") => ({
  name: "/w/core/test/a.test.ts",
  status,
  message,
  assertionResults: tests,
});
const report = (...files) => ({ testResults: files });
const count = (task, given, notBuilt = [], more = {}) =>
  countPackage("@logq/core", task, given, notBuilt, { ...context, ...more });
const lastLine = (...results) => describe(results).lines.at(-1);

test("passed, failed and skipped tests are counted apart", () => {
  const result = count(
    { ...done, exitCode: 1 },
    report(file([aTest("passed"), aTest("failed"), aTest("skipped")], "failed")),
  );
  assert.equal(result.passed, 1);
  assert.deepEqual(result.failures, [{ title: "test/a.test.ts: t", message: "Error: no" }]);
  assert.equal(result.skipped.length, 1);
  assert.equal(lastLine(result), "1 passed, 1 failed");
});

test("a file that did not load is one failure", () => {
  const result = count({ ...done, exitCode: 1 }, report(file([], "failed", "Cannot find module")));
  assert.deepEqual(result.failures, [{ title: "test/a.test.ts", message: "Cannot find module" }]);
});

test("a run that ends badly though every test passed is one failure", () => {
  assert.equal(lastLine(count({ ...done, exitCode: 1 }, report(file([aTest("passed")])))), "1 passed, 1 failed");
});

test("missing results, an unreached package, one without tests and one without a script are one failure each", () => {
  for (const [task, given, message] of [
    [{ ...done, exitCode: 137 }, undefined, /no results/],
    [undefined, undefined, /not run/],
    [done, report(), /no tests/],
    [{ ...done, exists: false }, undefined, /no test script/],
  ]) {
    const result = count(task, given);
    assert.equal(result.failures.length, 1);
    assert.match(result.failures[0].message, message);
  }
});

test("a failed build is named", () => {
  assert.match(count(undefined, undefined, ["@logq/core"]).failures[0].message, /its build failed/);
  assert.match(count(undefined, undefined, ["@logq/kernels"]).failures[0].message, /@logq\/kernels failed/);
});

test("tests that want data are skipped with their reason, listed, and not counted as passed", () => {
  const given = report(file([aTest("passed"), aTest("skipped", "reads (LOGQ_DATA)")]));
  const { lines } = describe([count(done, given)]);
  assert.ok(lines.includes("1 skipped (LOGQ_DATA is not set)"));
  assert.ok(lines.some((line) => line.includes("reads (LOGQ_DATA)")));
  assert.equal(lines.at(-1), "1 passed, 0 failed");
  assert.equal(count(done, given, [], { data: true }).skipped[0].reason, "");
});

test("nothing at all is said to be nothing", () => {
  const { lines, passed, failed } = describe([]);
  assert.ok(lines.includes("No test ran."));
  assert.deepEqual([passed, failed], [0, 0]);
});
