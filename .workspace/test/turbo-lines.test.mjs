import assert from "node:assert/strict";
import { test } from "node:test";
import { readLine } from "../turbo-lines.mjs";

test("the summary's path is found with and without colours, in a folder with a space", () => {
  const path = "/a b/logq/.turbo/runs/3MV.json";
  assert.equal(readLine(`Summary:    ${path}`).summary, path);
  assert.equal(readLine(`\u001b[1mSummary:    ${path}\u001b[0m`).summary, path);
});

test("what turbo says about itself is chatter", () => {
  for (const line of [
    "   • Running build in 11 packages",
    "\u001b[1m  Tasks:    \u001b[32m21 successful\u001b[0m, 22 total",
    "   Time:    864ms ",
    " ERROR  run failed: command  exited (1)",
    "@logq/core#test:  WARNING  command finished with error, but continuing...",
    "@logq/core:test: cache miss, executing e48b2aac6ac2c3bc",
  ]) {
    assert.equal(readLine(line).isChatter, true, line);
  }
});

test("what a task says is shown, even if it looks alike", () => {
  for (const line of [
    "@logq/core:test:  Tasks: 3",
    "@logq/core:build: src/index.ts(1,14): error TS2322: no",
    "  x No package found with name 'nonsense' in workspace",
  ]) {
    assert.equal(readLine(line).isChatter, false, line);
  }
});
