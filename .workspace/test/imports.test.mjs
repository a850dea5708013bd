import assert from "node:assert/strict";
import { test } from "node:test";
import { blankComments, importsOf } from "../imports.mjs";

const names = (source) => importsOf(source).map(({ specifier }) => specifier);

test("every form of import is found, with its line", () => {
  const source = [
    'import a from "a";',
    'import type { B } from "b";',
    "import {",
    "  c,",
    '} from "c";',
    'export * from "d";',
    'export { e } from "e";',
    'import "f";',
    'const g = await import("g");',
    'const h = new URL("./h.js", import.meta.url);',
  ].join("\n");
  assert.deepEqual(
    importsOf(source).map(({ specifier, line }) => [specifier, line]),
    [
      ["a", 1],
      ["b", 2],
      ["c", 5],
      ["d", 6],
      ["e", 7],
      ["f", 8],
      ["g", 9],
      ["./h.js", 10],
    ],
  );
});

test("examples in comments are not imports", () => {
  assert.deepEqual(names('/** import { a } from "a"; */\n// import "b"\nimport "c";'), ["c"]);
});

test("a comment sign inside a string does not hide what follows", () => {
  assert.deepEqual(names('const site = "https://x"; import "a";\nconst t = `/*`;\nimport "b";'), ["a", "b"]);
});

test("words that only contain import or from are left alone", () => {
  assert.deepEqual(names('const reimport = 1; export const from = "x"; export function f() { return "y"; }'), []);
});

test("a document beside the sources is not a module, a worker is", () => {
  assert.deepEqual(names('new URL("../docs/a.md", import.meta.url); new URL("./worker.js", import.meta.url)'), [
    "./worker.js",
  ]);
});

test("blanking keeps every line where it was", () => {
  const source = "a\n/* b\nc */ d // e\nf";
  assert.equal(blankComments(source).split("\n").length, source.split("\n").length);
  assert.match(blankComments(source), /^a\n +\n +d +\nf$/);
});
