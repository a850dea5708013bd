import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { BackendError } from "@logq/core";
import { messageOf } from "../message.js";
import { bareEnvironment } from "./settings.js";

const run = promisify(execFile);

/** The scripts, one a peer and item. */
export const SCRIPTS = fileURLToPath(new URL("../../python/", import.meta.url));
const OWN = fileURLToPath(new URL("../../.venv/", import.meta.url));

/** A Python and what of the peers it has. Made once a run; packages are installed when the first contender asks for them. */
export class PythonEnvironment {
  readonly #python: string;
  readonly #own: boolean;
  readonly #pins: ReadonlyMap<string, string>;
  readonly #tell: (text: string) => void;
  readonly #known = new Map<string, Promise<string>>();
  /** Versions of the packages that were asked for and are there. */
  readonly versions: Record<string, string> = {};

  private constructor(python: string, own: boolean, pins: ReadonlyMap<string, string>, tell: (text: string) => void) {
    this.#python = python;
    this.#own = own;
    this.#pins = pins;
    this.#tell = tell;
  }

  /**
   * @param python a Python to use as it is; undefined: one of our own, made if there is none yet
   * @throws BackendError with the reason, if there is no Python
   */
  static async create(python: string | undefined, tell: (text: string) => void): Promise<PythonEnvironment> {
    const pins = parseRequirements(await readFile(path.join(SCRIPTS, "requirements.txt"), "utf8"));
    const program = python ?? path.join(OWN, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
    if (python === undefined && !existsSync(program)) await makeEnvironment(tell);
    const environment = new PythonEnvironment(program, python === undefined, pins, tell);
    try {
      const { stdout } = await run(program, ["-c", "import platform; print(platform.python_version())"]);
      environment.versions.Python = stdout.trim();
    } catch (cause) {
      throw new BackendError(`${program} does not run`, { python: program }, { cause });
    }
    return environment;
  }

  get python(): string {
    return this.#python;
  }

  /** Its version. Installs the pinned one first, into our own environment. @throws BackendError if it cannot be had */
  require(name: string): Promise<string> {
    const known = this.#known.get(name) ?? this.#find(name);
    this.#known.set(name, known);
    return known;
  }

  async #find(name: string): Promise<string> {
    let version = await this.#versionOf(name);
    if (version === undefined) {
      if (!this.#own) throw new BackendError(`${name} is not installed in ${this.#python}`, { name });
      version = await this.#install(name);
    }
    this.versions[name] = version;
    return version;
  }

  async #versionOf(name: string): Promise<string | undefined> {
    try {
      const code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))";
      return (await run(this.#python, ["-c", code, name], { env: bareEnvironment() })).stdout.trim();
    } catch {
      return undefined;
    }
  }

  async #install(name: string): Promise<string> {
    const pin = this.#pins.get(name) ?? name;
    this.#tell(`installing ${pin} for Python, into ${OWN}`);
    try {
      await run(this.#python, ["-m", "pip", "install", "--quiet", pin], { maxBuffer: 2 ** 26 });
    } catch (cause) {
      const lines = String((cause as { stderr?: string }).stderr ?? "").split("\n");
      const reason = lines.find((line) => line.startsWith("ERROR:")) ?? messageOf(cause);
      throw new BackendError(`${pin} could not be installed: ${reason}`, { name }, { cause });
    }
    const version = await this.#versionOf(name);
    if (version === undefined) throw new BackendError(`${pin} was installed but is not there`, { name });
    return version;
  }
}

async function makeEnvironment(tell: (text: string) => void): Promise<void> {
  tell(`making a Python environment in ${OWN}`);
  try {
    await run("python3", ["-m", "venv", OWN]);
  } catch (cause) {
    // A half-made one would be taken for whole next time.
    await rm(OWN, { recursive: true, force: true });
    const missing = (cause as { code?: unknown }).code === "ENOENT";
    const reason = missing ? "there is no python3" : "python3 -m venv failed";
    throw new BackendError(reason, { folder: OWN }, { cause });
  }
}

/** Lines `name==version` by name; comments and blank lines apart. */
export function parseRequirements(text: string): Map<string, string> {
  const lines = text.split("\n").map((line) => line.replace(/#.*/, "").trim());
  return new Map(lines.filter((line) => line !== "").map((line) => [line.split(/[=<>~! ]/)[0]!, line]));
}
