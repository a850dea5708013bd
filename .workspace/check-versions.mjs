// One version of everything: of the packages themselves, of what they depend on, and of the tools.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readJson, root, workspacePackages } from "./places.mjs";

/** @returns {string[]} one complaint a line; empty when all is well */
export function checkVersions() {
  const top = readJson("package.json");
  const packages = workspacePackages();
  const names = new Set(packages.map(({ name }) => name));
  const all = [{ name: top.name, folder: ".", manifest: top }, ...packages];
  return [
    ...packages.flatMap((entry) => complainAboutIdentity(entry, top)),
    ...packages.flatMap(complainAboutFolders),
    ...all.flatMap((entry) => complainAboutSiblings(entry, names)),
    ...complainAboutSpread(all, names),
    ...complainAboutTools(top),
  ];
}

function complainAboutIdentity({ folder, manifest }, top) {
  const complaints = [];
  const same = (what, value, wanted) => {
    if (value !== wanted) complaints.push(`${folder}/package.json: ${what} is ${value}, and ${wanted} elsewhere`);
  };
  same("version", manifest.version, top.version);
  same("license", manifest.license, top.license);
  same("type", manifest.type, "module");
  same("engines.node", manifest.engines?.node, top.engines.node);
  for (const script of ["build", "test", "types", ...(manifest.private ? [] : ["exports"])]) {
    if (manifest.scripts?.[script] === undefined) complaints.push(`${folder}/package.json: no script "${script}"`);
  }
  return complaints;
}

/** Those named in the inputs and outputs of turbo.json, and those that no task reads. */
const KNOWN_FOLDERS = [
  "src",
  "assembly",
  "tools",
  "test",
  "dist",
  "build",
  "node_modules",
  "results",
  "peers",
  "gradient-filter",
  "full-and-sampled",
  "python",
];

/** A task that read a folder which turbo.json does not know would be answered from the cache after a change there. */
function complainAboutFolders({ folder }) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && !KNOWN_FOLDERS.includes(entry.name))
    .map(
      (entry) => `${folder}/${entry.name}: not among the inputs in turbo.json, nor in .workspace/check-versions.mjs`,
    );
}

const dependenciesOf = (manifest) => Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });

function complainAboutSiblings({ folder, manifest }, names) {
  return dependenciesOf(manifest)
    .filter(([name, range]) => names.has(name) && range !== "workspace:*")
    .map(([name, range]) => `${folder}/package.json: ${name} is ${range}; siblings are workspace:*`);
}

/** The same package is asked for by the same range everywhere. */
function complainAboutSpread(all, names) {
  const ranges = new Map();
  for (const { folder, manifest } of all) {
    for (const [name, range] of dependenciesOf(manifest)) {
      if (names.has(name)) continue;
      const uses = ranges.get(name) ?? new Map();
      ranges.set(name, uses.set(range, [...(uses.get(range) ?? []), folder]));
    }
  }
  return [...ranges]
    .filter(([, uses]) => uses.size > 1)
    .map(
      ([name, uses]) =>
        `${name}: ${[...uses].map(([range, folders]) => `${range} in ${folders.join(", ")}`).join("; ")}`,
    );
}

function complainAboutTools(top) {
  const complaints = [];
  const { pnpm, "@biomejs/biome": biome } = top.devDependencies;
  if (top.devEngines.packageManager.version !== pnpm) {
    complaints.push(
      `package.json: devEngines.packageManager is ${top.devEngines.packageManager.version}, the dependency ${pnpm}`,
    );
  }
  const schema = /schemas\/([^/]+)\/schema\.json/.exec(readFileSync(join(root, ".biome.json"), "utf8"))?.[1];
  if (schema !== biome) complaints.push(`.biome.json: its schema is of ${schema}, Biome is ${biome}`);
  return complaints;
}
