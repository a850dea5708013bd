import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { runCli } from "../src/cli.js";

const MAIN = fileURLToPath(new URL("../dist/main.js", import.meta.url));

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder with a space in its name. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "logq cli-"));
}

export function remove(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}

/** Runs the built command as a child process in `folder`. @param onStderr hears all that it has said so far, and may signal it */
export function logq(
  folder: string,
  args: readonly string[],
  onStderr: (text: string, kill: (signal: NodeJS.Signals) => void) => void = () => {},
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const env = { ...process.env, LOGQ_DEBUG: "", ...environment };
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  const outcome = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    outcome.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    outcome.stderr += text;
    onStderr(outcome.stderr, (signal) => child.kill(signal));
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? -1, ...outcome }));
  });
}

/** The same, which must end well; answers the JSON object that must be all of its stdout. */
export async function logqJson(folder: string, args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await logq(folder, [...args, "--json"]);
  if (code !== 0 || stdout.split("\n").length !== 2) {
    throw new Error(`logq ${args.join(" ")}: exit code ${code}\n${stdout}\n${stderr}`);
  }
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** Runs a command line in this process: paths must be absolute. */
export async function cli(args: readonly string[]): Promise<Outcome> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await runCli(args, { stdout, stderr }, false);
  const text = (stream: PassThrough) => String(stream.read() ?? "");
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** A small text whose words follow one another: after w1 comes w2 or w3, and so on. */
export function sampleText(lines: number, words = 20): string {
  let state = 1;
  const next = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) % below;
  };
  return Array.from({ length: lines }, () => {
    let word = next(words);
    return Array.from({ length: 10 }, () => {
      word = (word + 1 + next(2)) % words;
      return `w${word}`;
    }).join(" ");
  }).join("\n");
}

/** `user item item …`: users of two kinds, who choose among the even or the odd items. */
export function sampleAdjacency(users: number, items = 12): string {
  return Array.from({ length: users }, (_, user) => {
    const chosen = Array.from({ length: 5 }, (_, i) => `item${(user % 2) + 2 * ((user + i) % (items / 2))}`);
    return `user${user} ${chosen.join(" ")}`;
  }).join("\n");
}

/** `words<TAB>label`: a label for each pair of words. */
export function sampleTitles(rows: number, labels = 8): string {
  return Array.from({ length: rows }, (_, row) => {
    const label = (row * 7) % labels;
    return `about a${label} and b${label}\tlabel ${label}`;
  }).join("\n");
}

/** Writes files by name; answers the folder. */
export async function write(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), `${text}\n`);
  return folder;
}

/** Names in a folder, hidden ones too, sorted. */
export async function names(folder: string): Promise<string[]> {
  return (await readdir(folder)).sort();
}
