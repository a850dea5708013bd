// What the machine must offer, said in words when it does not.
import { accessSync, constants } from "node:fs";
import { CannotRun } from "./failure.mjs";

/** Machines for which all native tools (pnpm, turbo, TypeScript, Biome, the test runner) are published. */
const PLATFORMS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"];

export function assertPlatform(platform = `${process.platform}-${process.arch}`) {
  if (PLATFORMS.includes(platform)) return;
  const hint = platform.startsWith("win32") ? " On Windows, use the Windows Subsystem for Linux." : "";
  throw new CannotRun(`logq is built on ${PLATFORMS.join(", ")}; this machine is ${platform}.${hint}`);
}

/** @param {string} folder */
export function assertWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new CannotRun(
      `Cannot write in ${folder} (${error.code}): dependencies and builds are kept there. Copy the project to a folder of your own.`,
    );
  }
}

const CAUSES = [
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|UND_ERR|dns error|error sending request|network/i,
    "The package registry could not be reached. The first run needs it once; behind a proxy, set HTTPS_PROXY, and see `npm config get registry`.",
  ],
  [
    /\bCERT_|SELF_SIGNED|certificate/,
    "The registry's certificate is not trusted here; NODE_EXTRA_CA_CERTS names a file of more authorities.",
  ],
  [/ENOSPC|no space left/i, "The disk is full."],
  [
    /EROFS|EACCES|EPERM|permission denied|read-only/i,
    "A folder cannot be written: look for its name in the lines above.",
  ],
  [
    /OUTDATED_LOCKFILE|frozen-lockfile/i,
    "pnpm-lock.yaml does not fit the package.json files. After a change of dependencies, run `npx pnpm install` and commit the lock file.",
  ],
  [
    /E404|ERR_PNPM_FETCH_404|not found in the registry/i,
    "The registry in use does not have a package: see `npm config get registry`.",
  ],
];

/** What to do about a failed install, from its log. */
export function adviceOnInstall(log) {
  const cause = CAUSES.find(([pattern]) => pattern.test(log));
  return cause?.[1] ?? "Run the same command again; when it fails in the same way, remove node_modules first.";
}
