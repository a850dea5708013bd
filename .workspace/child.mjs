// Child processes: their output by line, their end, and signals that reach them.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs a program to its end, handing each line it prints (both streams, in order of arrival) to `onLine`.
 * A signal to this process is passed on; once the child has ended, this process ends by the same signal.
 * @returns {Promise<{ code: number, missing: boolean }>} missing: there is no such program on PATH
 */
export function runChild(program, args, { cwd, env, onLine }) {
  return new Promise((resolvePromise, rejectPromise) => {
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", onLine);
    }

    let received;
    const passOn = (signal) => {
      received = signal;
      child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, passOn);
    const letGo = () => {
      for (const signal of SIGNALS) process.off(signal, passOn);
    };

    child.on("error", (error) => {
      letGo();
      if (error.code === "ENOENT") resolvePromise({ code: 127, missing: true });
      else rejectPromise(error);
    });
    child.on("close", (code, signal) => {
      letGo();
      if (received !== undefined) process.kill(process.pid, received);
      else resolvePromise({ code: code ?? 1, missing: false, signal });
    });
  });
}
