import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";

/** Where a BLAS may be: what LOGQ_BLAS says, and nothing else, or the names and places of OpenBLAS and Accelerate. */
export function libraryCandidates(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): readonly string[] {
  const named = environment.LOGQ_BLAS;
  if (named !== undefined && named !== "") return [named];
  switch (platform) {
    case "darwin":
      return ["/System/Library/Frameworks/Accelerate.framework/Accelerate"];
    case "win32":
      return ["libopenblas.dll", "openblas.dll"];
    default:
      return ["libopenblas.so.0", "libopenblas.so"];
  }
}

const LINUX_FOLDERS = [
  "/lib",
  "/usr/lib",
  "/usr/local/lib",
  "/lib64",
  "/usr/lib64",
  ...["x86_64-linux-gnu", "aarch64-linux-gnu"].flatMap((triple) => [`/lib/${triple}`, `/usr/lib/${triple}`]),
];

/** The file behind a name, links followed, for telling one installation from another; the name itself where that is unknown. */
export function fileOf(library: string): string {
  const places = library.includes("/") ? [library] : LINUX_FOLDERS.map((folder) => join(folder, library));
  const found = places.find((place) => existsSync(place));
  return found === undefined ? library : realpathSync(found);
}
