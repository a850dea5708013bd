import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { BELOW, checkImports } from "../check-imports.mjs";

/** A small workspace on disk: core, kernels, testing and an app, changed by `change`. */
function complaintsAbout(change) {
  const root = mkdtempSync(join(tmpdir(), "stack "));
  const packages = [
    ["packages/core", "@logq/core", {}, { "@logq/testing": "workspace:*" }],
    ["packages/kernels", "@logq/kernels", { "@logq/core": "workspace:*" }, {}],
    ["packages/testing", "@logq/testing", {}, {}],
    ["apps/cli", "@logq/cli", { "@logq/kernels": "workspace:*" }, { vitest: "4" }],
  ].map(([folder, name, dependencies, devDependencies]) => ({
    folder,
    name,
    manifest: {
      name,
      dependencies,
      devDependencies,
      exports: { ".": "./dist/index.js", "./package.json": "./package.json" },
    },
  }));
  const files = {};
  const world = { files, manifests: Object.fromEntries(packages.map(({ name, manifest }) => [name, manifest])) };
  change(world);
  try {
    for (const { folder, manifest } of packages) {
      const siblings = Object.keys(manifest.dependencies).filter((name) => world.manifests[name] !== undefined);
      const paths = siblings.map((name) => ({ path: `../../${packages.find((one) => one.name === name).folder}` }));
      write(root, `${folder}/package.json`, JSON.stringify(manifest));
      write(root, `${folder}/tsconfig.json`, JSON.stringify({ references: paths }));
    }
    for (const [path, text] of Object.entries(files)) write(root, path, text);
    return checkImports(root, packages);
  } finally {
    rmSync(root, { recursive: true });
  }
}

function write(root, path, text) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const one = (change, pattern) => {
  const complaints = complaintsAbout(change);
  assert.equal(complaints.length, 1, complaints.join("\n"));
  assert.match(complaints[0], pattern);
};

test("a sound workspace has nothing to complain about", () => {
  const complaints = complaintsAbout(({ files }) => {
    files["packages/kernels/src/a.ts"] = 'import { x } from "@logq/core";\nimport { y } from "./b.js";';
    files["packages/core/test/a.test.ts"] = 'import "@logq/testing"; import "node:fs"; import "../src/index.js";';
    files["apps/cli/src/main.ts"] =
      'import "@logq/kernels"; import "node:fs"; import meta from "@logq/kernels/package.json";';
    files["apps/cli/test/main.test.ts"] = 'import { it } from "vitest";';
  });
  assert.deepEqual(complaints, []);
});

test("a dependency upwards is refused in the manifest", () => {
  one(({ manifests }) => {
    manifests["@logq/core"].dependencies["@logq/kernels"] = "workspace:*";
  }, /@logq\/core must not depend on @logq\/kernels/);
});

test("a dependency upwards is refused for development too", () => {
  one(({ manifests }) => {
    manifests["@logq/core"].devDependencies["@logq/kernels"] = "workspace:*";
  }, /must not depend on @logq\/kernels/);
});

test("testing is for development only, and its sources import no sibling", () => {
  one(({ manifests }) => {
    manifests["@logq/kernels"].dependencies["@logq/testing"] = "workspace:*";
  }, /for development only/);
  one(({ files }) => {
    files["packages/testing/src/a.ts"] = 'import "@logq/core";';
  }, /not declared/);
});

test("an undeclared import is refused, and one declared for tests alone in sources", () => {
  one(({ files }) => {
    files["packages/kernels/src/a.ts"] = '\nimport "zod";';
  }, /packages\/kernels\/src\/a\.ts:2: "zod" is not declared/);
  one(({ files }) => {
    files["apps/cli/src/a.ts"] = 'import "vitest";';
  }, /development dependency/);
});

test("a way into a sibling past its exports is refused", () => {
  one(({ files }) => {
    files["packages/kernels/src/a.ts"] = 'import "@logq/core/dist/errors/base.js";';
  }, /goes past what @logq\/core exports/);
  one(({ files }) => {
    files["packages/kernels/test/a.ts"] = 'import "../../core/src/index.js";';
  }, /leaves the package/);
});

test("Node's own modules are refused where browsers run the sources, by either name", () => {
  one(({ files }) => {
    files["packages/core/src/a.ts"] = 'import "node:fs";';
  }, /runs in browsers/);
  one(({ files }) => {
    files["packages/core/src/a.ts"] = 'import "fs";';
  }, /runs in browsers/);
});

test("a package without a place in the stack is refused", () => {
  const complaints = checkImports("/nowhere", [{ folder: "packages/x", name: "@logq/x", manifest: {} }]);
  assert.equal(complaints.length, 1);
  assert.match(complaints[0], /no place in the stack/);
});

test("the stack has no cycle: what is below a package is closed downwards", () => {
  for (const [name, below] of Object.entries(BELOW)) {
    assert.ok(!below.includes(name));
    for (const lower of below)
      for (const lowest of BELOW[lower]) assert.ok(below.includes(lowest), `${name} > ${lowest}`);
  }
});
