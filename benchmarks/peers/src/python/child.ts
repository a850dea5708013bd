import { type ChildProcess, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import { BackendError } from "@logq/core";

/** How a child is started. */
export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Stopped between its turns, so that threads which wait by spinning take nothing from others. */
  readonly pausing: boolean;
}

/** Lines of a child's standard error that are kept to explain its end. */
const KEPT_LINES = 20;

/** Whoever of them is left must not outlive this process: a stopped child would wait for ever. */
const alive = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
});
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.once(signal, () => process.exit(code));
}

/**
 * A program that answers one line of JSON for each line of JSON it is told. An answer {"error": text} is a failure with that text.
 */
export class Child {
  readonly #process: ChildProcess;
  readonly #lines: Interface;
  readonly #pausing: boolean;
  readonly #noise: string[] = [];
  #waiting: { resolve(line: string): void; reject(error: Error): void } | undefined;
  #ended: Error | undefined;

  constructor({ command, args, env, pausing }: ChildOptions) {
    this.#pausing = pausing && process.platform !== "win32";
    this.#process = spawn(command, [...args], { env: { ...env }, stdio: ["pipe", "pipe", "pipe"] });
    alive.add(this.#process);
    this.#lines = createInterface({ input: this.#process.stdout! });
    this.#lines.on("line", (line) => {
      this.#waiting?.resolve(line);
      this.#waiting = undefined;
    });
    createInterface({ input: this.#process.stderr! }).on("line", (line) => {
      this.#noise.push(line);
      if (this.#noise.length > KEPT_LINES) this.#noise.shift();
    });
    this.#process.stdin!.on("error", () => {});
    this.#process.on("error", (error) => this.#end(error.message));
    this.#process.on("close", (code, signal) => this.#end(`it ended with ${signal ?? `exit code ${code}`}`));
  }

  /** @throws BackendError if it says so or has ended */
  async ask(question: object): Promise<Record<string, unknown>> {
    if (this.#ended !== undefined) throw this.#ended;
    if (this.#pausing) this.#process.kill("SIGCONT");
    const answer = new Promise<string>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    this.#process.stdin!.write(`${JSON.stringify(question)}\n`);
    const line = await answer;
    if (this.#pausing) this.#process.kill("SIGSTOP");
    const value = JSON.parse(line) as Record<string, unknown>;
    if (typeof value.error === "string") throw new BackendError(value.error, { question });
    return value;
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const closed = new Promise<void>((resolve) => this.#process.once("close", () => resolve()));
    this.#process.kill("SIGKILL");
    await closed;
  }

  #end(reason: string): void {
    alive.delete(this.#process);
    const last = this.#noise.filter((line) => line.trim() !== "").at(-1);
    this.#ended ??= new BackendError(last === undefined ? reason : `${reason}: ${last.trim()}`, {
      reason,
      output: [...this.#noise],
    });
    this.#waiting?.reject(this.#ended);
    this.#waiting = undefined;
  }
}
