import { execFileSync } from "node:child_process";
import os from "node:os";
import { fileURLToPath } from "node:url";

/** Where numbers were measured: they mean nothing without it. */
export interface Machine {
  readonly cpu: string;
  /** Logical processors that this process may use. */
  readonly cores: number;
  readonly memoryBytes: number;
  /** "linux x64 6.1.0" */
  readonly os: string;
  readonly node: string;
  readonly v8: string;
  /** Options that Node itself was started with. */
  readonly nodeOptions: readonly string[];
  /** Processes that wanted to run in the minute before, on average; 0 where the system does not tell. */
  readonly load: number;
  /** The commit that was measured, with "+" if files differ from it; null outside a repository. */
  readonly revision: string | null;
}

export function describeMachine(): Machine {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? "unknown",
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    os: `${os.platform()} ${os.arch()} ${os.release()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    nodeOptions: [...process.execArgv, ...(process.env.NODE_OPTIONS ?? "").split(" ").filter((word) => word !== "")],
    load: os.loadavg()[0] ?? 0,
    revision: revision(),
  };
}

function revision(): string | null {
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    return (
      git("rev-parse", "--short=12", "HEAD") + (git("status", "--porcelain", "--untracked-files=no") === "" ? "" : "+")
    );
  } catch {
    return null;
  }
}
