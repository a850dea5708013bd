// The commands of the workspace, by name.
import { build } from "./build.mjs";
import { check } from "./check.mjs";
import { CannotRun } from "./failure.mjs";
import { format } from "./format.mjs";
import { install } from "./install.mjs";
import { runProgram } from "./program.mjs";
import { test } from "./test.mjs";

const programs = {
  start: {
    package: "@logq/benchmark",
    file: "apps/benchmark/dist/main.js",
    args: ["--preset", "quick", "--out", "logq-report"],
  },
  logq: { package: "@logq/cli", file: "apps/cli/dist/main.js", args: [] },
  bench: { package: "@logq/benchmark", file: "apps/benchmark/dist/main.js", args: [] },
  peers: { package: "@logq/peers", file: "benchmarks/peers/dist/main.js", args: [] },
  filter: { package: "@logq/gradient-filter", file: "benchmarks/gradient-filter/dist/main.js", args: [] },
  curves: { package: "@logq/full-and-sampled", file: "benchmarks/full-and-sampled/dist/curves/main.js", args: [] },
  multilabel: {
    package: "@logq/full-and-sampled",
    file: "benchmarks/full-and-sampled/dist/multilabel/main.js",
    args: [],
  },
  micro: { package: "@logq/micro-benchmarks", file: "benchmarks/dist/main.js", args: [] },
};

const commands = { install: async () => 0, build: buildAll, test, check, format };

async function buildAll(args) {
  await build({ args });
  return 0;
}

/** Installs what is missing, then runs one command; sets the exit code. */
export async function main(name, args) {
  try {
    const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (program === undefined && command === undefined) {
      const known = [...Object.keys(programs), ...Object.keys(commands)].join(", ");
      throw new CannotRun(`"${name ?? ""}" is not a command of this workspace; there are: ${known}.`);
    }
    await install();
    if (program !== undefined) {
      await build({ package: program.package });
      // From here on this process is the program: its exit code, signals and streams are the program's own.
      await runProgram(program.file, [...program.args, ...args]);
    } else {
      process.exitCode = await command(args);
    }
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
