import { readlinkSync } from "node:fs";
import { commandPackr } from "./command-packr.js";
import { AGAIN, leaveError, poison, type SharedControl, WORD } from "./control.js";
import type { Program } from "./crew.js";
import { PoisonedError, toPlainError } from "./errors.js";
import { Profile } from "./profile.js";
import { SPINS, type Team, WorkerTeam } from "./team.js";
import type { WorkerResult, WorkerTask } from "./worker-threads.js";

/** The life of a worker: build the program once, then execute command after command until told to leave. */
export function serveCrew<Spec, Command>(
  task: WorkerTask<Spec>,
  createProgram: (spec: Spec, team: Team) => Program<Command>,
): WorkerResult {
  const { control, index, size, threads, cores } = task;
  const { words, mailbox } = control;
  try {
    control.threads[index] = systemThread();
    const team = new WorkerTeam(index, size, words, new Profile(task.profile), cores);
    const program = createProgram(task.spec, team);
    Atomics.add(words, WORD.ready, 1);
    Atomics.notify(words, WORD.ready);
    // Only commands of a caller who works too follow each other closely.
    const spins = threads < size && size <= cores ? SPINS : 0;
    let command: Command | undefined;
    for (let seen = 0; ; seen++) {
      awaitCommand(words, seen, spins);
      if (Atomics.load(words, WORD.poison) !== 0) return { error: undefined };
      const bytes = Atomics.load(words, WORD.commandBytes);
      if (bytes === 0) return { error: undefined };
      // A copy: the decoder may keep views of what it reads, and the mailbox is written again.
      if (bytes !== AGAIN) command = commandPackr.unpack(mailbox.slice(0, bytes)) as Command;
      program.execute(command!, () => Atomics.load(words, WORD.stopRequested) !== 0);
      if (Atomics.add(words, WORD.finished, 1) === threads - 1) Atomics.notify(words, WORD.finished);
    }
  } catch (error) {
    if (error instanceof PoisonedError) return { error: undefined };
    return { error: fail(control, error) };
  }
}

/** Steps that follow each other closely find the worker awake. */
function awaitCommand(words: Int32Array, seen: number, spins: number): void {
  for (let left = spins; left > 0 && Atomics.load(words, WORD.command) === seen; left--);
  while (Atomics.load(words, WORD.command) === seen) Atomics.wait(words, WORD.command, seen);
}

function fail(control: SharedControl, error: unknown) {
  const plain = toPlainError(error);
  leaveError(control, commandPackr.pack(plain));
  poison(control.words);
  return plain;
}

/** The number that Linux knows this thread by, for those who wait for it and want to know whether it lives; 0 elsewhere. */
function systemThread(): number {
  try {
    return Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  } catch {
    return 0;
  }
}
