// The stack of packages, enforced: who may depend on whom, in manifests, in project references and in actual imports.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { importsOf } from "./imports.mjs";
import { root as here, workspacePackages } from "./places.mjs";

/** The siblings each package may import in its sources: what stands below it. */
export const BELOW = {
  "@logq/core": [],
  "@logq/kernels": ["@logq/core"],
  "@logq/native": ["@logq/core", "@logq/kernels"],
  "@logq/blas": ["@logq/core", "@logq/kernels", "@logq/native"],
  "@logq/samplers": ["@logq/core", "@logq/kernels"],
  "@logq/losses": ["@logq/core", "@logq/kernels", "@logq/samplers"],
  "@logq/encoders": ["@logq/core", "@logq/kernels"],
  "@logq/datasets": ["@logq/core"],
  "@logq/trainers": [
    "@logq/core",
    "@logq/kernels",
    "@logq/native",
    "@logq/blas",
    "@logq/samplers",
    "@logq/losses",
    "@logq/encoders",
    "@logq/datasets",
  ],
  "@logq/charts": [],
  "@logq/testing": [],
};
const LIBRARIES = Object.keys(BELOW).filter((name) => name !== "@logq/testing");

/** Packages that run in a browser as well: their sources import nothing of Node. */
const PORTABLE = new Set(["@logq/core", "@logq/kernels", "@logq/samplers", "@logq/losses", "@logq/encoders"]);

/** The one package that is a development dependency only. */
const TESTING = "@logq/testing";

/** Whose description of the machine and whose statistics other benchmarks use, and which: one way to measure, not two. */
const MEASURING = "@logq/micro-benchmarks";
const MEASURERS = ["@logq/peers", "@logq/gradient-filter", "@logq/full-and-sampled"];

/** Apps and benchmarks stand on top: they may use every library, and nobody may use them, but for how benchmarks measure. */
const allowedBelow = (entry) => {
  if (MEASURERS.includes(entry.name)) return [...LIBRARIES, MEASURING];
  return BELOW[entry.name] ?? (entry.folder.startsWith("packages/") ? undefined : LIBRARIES);
};

/**
 * Checks the whole workspace.
 * @returns {string[]} one complaint a line, with file and line; empty when all is well
 */
export function checkImports(root = here, packages = workspacePackages()) {
  const manifests = new Map(packages.map(({ name, manifest }) => [name, manifest]));
  return packages.flatMap((entry) => {
    const allowed = allowedBelow(entry);
    if (allowed === undefined)
      return [`${entry.folder}: ${entry.name} has no place in the stack (.workspace/check-imports.mjs)`];
    return [
      ...complainAboutManifest(entry, allowed, manifests),
      ...complainAboutReferences(entry, root, manifests),
      ...["src", "test"].flatMap((part) =>
        sourcesIn(join(root, entry.folder, part)).flatMap((file) =>
          complainAboutFile({ entry, allowed, manifests, root, file, part }),
        ),
      ),
    ];
  });
}

function complainAboutManifest({ name, folder, manifest }, allowed, manifests) {
  const where = `${folder}/package.json`;
  const complaints = [];
  for (const sibling of siblingsIn(manifest.dependencies, manifests)) {
    if (sibling === TESTING) complaints.push(`${where}: ${TESTING} is for development only`);
    else if (!allowed.includes(sibling)) complaints.push(`${where}: ${name} must not depend on ${sibling}`);
  }
  for (const sibling of siblingsIn(manifest.devDependencies, manifests)) {
    if (sibling !== TESTING && !allowed.includes(sibling))
      complaints.push(`${where}: ${name} must not depend on ${sibling}`);
  }
  return complaints;
}

const siblingsIn = (dependencies, manifests) => Object.keys(dependencies ?? {}).filter((name) => manifests.has(name));

/** `tsc -b` follows project references, so they have to say the same as the dependencies. */
function complainAboutReferences({ folder, manifest }, root, manifests) {
  const where = `${folder}/tsconfig.json`;
  if (!existsSync(join(root, where))) return [`${where}: missing`];
  const text = readFileSync(join(root, where), "utf8");
  const referenced = [...text.matchAll(/"path"\s*:\s*"([^"]+)"/g)].map(([, path]) => {
    const other = join(root, folder, path, "package.json");
    return existsSync(other) ? JSON.parse(readFileSync(other, "utf8")).name : path;
  });
  const wanted = siblingsIn(manifest.dependencies, manifests);
  return [
    ...wanted.filter((name) => !referenced.includes(name)).map((name) => `${where}: no reference to ${name}`),
    ...referenced
      .filter((name) => !wanted.includes(name))
      .map((name) => `${where}: reference to ${name}, which is no dependency`),
  ];
}

function sourcesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .filter((name) => /\.[cm]?[jt]s$/.test(name) && !name.endsWith(".d.ts") && !name.includes(".generated."))
    .filter((name) => !name.split("/").includes("node_modules"))
    .sort()
    .map((name) => join(folder, name));
}

function complainAboutFile({ entry, allowed, manifests, root, file, part }) {
  const { name, folder, manifest } = entry;
  const declared = { ...manifest.dependencies, ...(part === "test" ? manifest.devDependencies : {}) };
  return importsOf(readFileSync(file, "utf8")).flatMap(({ specifier, line }) => {
    const problem = judge(specifier);
    return problem === undefined ? [] : [`${relative(root, file)}:${line}: ${problem}`];
  });

  function judge(specifier) {
    if (specifier.startsWith(".")) {
      const outside = relative(join(root, folder), resolve(dirname(file), specifier)).startsWith("..");
      return outside ? `"${specifier}" leaves the package: import the sibling by its name` : undefined;
    }
    if (specifier.startsWith("node:") || builtinModules.includes(specifier)) {
      const forbidden = part === "src" && PORTABLE.has(name);
      return forbidden ? `"${specifier}": ${name} runs in browsers as well` : undefined;
    }
    const target = packageOf(specifier);
    if (target === name) return part === "test" ? undefined : `${name} must not import itself by name`;
    if (!Object.hasOwn(declared, target)) {
      const early = part === "src" && Object.hasOwn(manifest.devDependencies ?? {}, target);
      return early
        ? `"${target}" is a development dependency: sources cannot use it`
        : `"${target}" is not declared in package.json`;
    }
    if (!manifests.has(target)) return undefined;
    if (target !== TESTING && !allowed.includes(target)) return `${name} must not import ${target}`;
    const door = `.${specifier.slice(target.length)}`;
    const doors = Object.keys(manifests.get(target).exports ?? {});
    return doors.includes(door) ? undefined : `"${specifier}" goes past what ${target} exports`;
  }
}

function packageOf(specifier) {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const complaints = checkImports();
  for (const complaint of complaints) console.log(complaint);
  process.exitCode = complaints.length === 0 ? 0 : 1;
}
