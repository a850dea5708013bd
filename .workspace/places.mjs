// Where things are: the workspace, its packages, the caller's folder and our own notes.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the workspace. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The folder the caller stood in: npm runs scripts in the root and keeps the caller's folder in INIT_CWD. */
export const callerFolder = resolve(process.env.INIT_CWD ?? process.cwd());

/** Stamps and logs of this folder's commands; gone with node_modules, as they should be. */
export const notes = join(root, "node_modules", ".logq");

export const binFolder = join(root, "node_modules", ".bin");

/** @param {string} path relative to the root */
export function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}

/**
 * Every package of the workspace, in the order of its folder names.
 * @returns {{ name: string, folder: string, manifest: Record<string, any> }[]} folder is relative to the root
 */
export function workspacePackages() {
  const folders = ["packages", "apps"].flatMap((parent) =>
    existsSync(join(root, parent)) ? readdirSync(join(root, parent)).map((name) => `${parent}/${name}`) : [],
  );
  return [...folders, "benchmarks", "benchmarks/peers", "benchmarks/gradient-filter", "benchmarks/full-and-sampled"]
    .filter((folder) => existsSync(join(root, folder, "package.json")))
    .sort()
    .map((folder) => {
      const manifest = readJson(`${folder}/package.json`);
      return { name: manifest.name, folder, manifest };
    });
}

/** The package and every sibling it depends on, directly or through others. */
export function withDependencies(name, packages = workspacePackages()) {
  const byName = new Map(packages.map((entry) => [entry.name, entry]));
  const found = new Map();
  const visit = (current) => {
    const entry = byName.get(current);
    if (entry === undefined || found.has(current)) return;
    found.set(current, entry);
    Object.keys(entry.manifest.dependencies ?? {}).forEach(visit);
  };
  visit(name);
  return [...found.values()];
}
