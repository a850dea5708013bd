import { spawn } from "node:child_process";
import { BackendError } from "@logq/core";

/** What a program printed. */
export interface Printed {
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end. @throws BackendError with the last line it printed, if it does not start or fails */
export function runProgram(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Printed> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    const printed = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed.out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      printed.err += text;
    });
    const fail = (reason: string) => reject(new BackendError(`${command}: ${reason}`, { command, args }));
    child.on("error", (error) => fail(error.message));
    child.on("close", (code) => {
      if (code === 0) resolve(printed);
      else
        fail(
          printed.err
            .trim()
            .split(/[\r\n]/)
            .at(-1) || `exit code ${code}`,
        );
    });
  });
}
