// Dependencies: installed once by the pinned pnpm, fetched through npx, and again only when what they follow from changes.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChild } from "./child.mjs";
import { adviceOnInstall, assertPlatform, assertWritable } from "./circumstances.mjs";
import { CannotRun } from "./failure.mjs";
import { notes, readJson, root, workspacePackages } from "./places.mjs";

const LOG_TAIL = 25;
const stampFile = join(notes, "install.json");

/** Installs unless the stamp says that this has been done for the same lock file, manifests and machine. */
export async function install() {
  const wanted = fingerprint();
  if (isInstalled(wanted)) return;
  assertPlatform();
  assertWritable(root);

  const from = Date.now();
  process.stderr.write("Installing dependencies … ");
  const { code, missing, lines, shown } = await runPnpm();
  if (missing) {
    process.stderr.write("failed\n");
    throw new CannotRun(`${shown} is not on PATH. It comes with npm, which comes with Node: see https://nodejs.org.`);
  }
  if (code !== 0) {
    process.stderr.write("failed\n");
    const tail = lines.slice(-LOG_TAIL).map((line) => `  ${line}`);
    throw new CannotRun(
      [
        ...tail,
        `"${shown}" ended with exit code ${code}. The whole log is in ${writeLog(lines)}.`,
        adviceOnInstall(lines.join("\n")),
      ].join("\n"),
    );
  }
  process.stderr.write(`done in ${((Date.now() - from) / 1000).toFixed(0)} s\n`);
  writeLog(lines);
  writeFileSync(stampFile, JSON.stringify({ fingerprint: wanted }));
}

async function runPnpm() {
  const version = readJson("package.json").devDependencies.pnpm;
  const args = ["install", "--frozen-lockfile"];
  // The pnpm that is already here saves the way to the registry. npx finds the right one for any machine otherwise.
  const here = installedPnpm(version);
  const [program, before] = here === undefined ? ["npx", ["-y", `pnpm@${version}`]] : [here, []];
  const lines = [];
  const result = await runChild(program, [...before, ...args], {
    cwd: root,
    // CI: never ask, since nobody can answer. The log level: `npm -s` asks for silence, which would hide the reason of a failure.
    env: { ...process.env, CI: "true", npm_config_loglevel: "warn" },
    onLine: (line) => lines.push(line),
  });
  const shown = here === undefined ? `npx pnpm@${version} install` : `pnpm@${version} install`;
  return { ...result, lines, shown: result.missing ? "npx" : shown };
}

function installedPnpm(version) {
  const folder = join(root, "node_modules", "pnpm");
  const program = join(root, "node_modules", ".bin", "pnpm");
  if (!existsSync(program) || !existsSync(join(folder, "package.json"))) return undefined;
  return readJson("node_modules/pnpm/package.json").version === version ? program : undefined;
}

function isInstalled(wanted) {
  if (!existsSync(stampFile)) return false;
  const complete = workspacePackages().every(
    ({ folder, manifest }) =>
      Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).length === 0 ||
      existsSync(join(root, folder, "node_modules")),
  );
  return complete && JSON.parse(readFileSync(stampFile, "utf8")).fingerprint === wanted;
}

/** Everything the installed tree follows from. The machine is part of it: native programs differ. */
function fingerprint() {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}\n`);
  const files = ["pnpm-lock.yaml", "pnpm-workspace.yaml", ".npmrc", "package.json"];
  for (const file of [...files, ...workspacePackages().map(({ folder }) => `${folder}/package.json`)]) {
    hash.update(`${file}\n`).update(existsSync(join(root, file)) ? readFileSync(join(root, file)) : "");
  }
  return hash.digest("hex");
}

/** Keeps the log beside the stamp; in the temporary folder when the install did not get as far as node_modules. */
function writeLog(lines) {
  const started = existsSync(join(root, "node_modules"));
  if (started) mkdirSync(notes, { recursive: true });
  const file = started ? join(notes, "install.log") : join(tmpdir(), "logq-install.log");
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}
