import { commandPackr } from "./command-packr.js";
import { poison, WORD } from "./control.js";
import type { Program } from "./crew.js";
import { PoisonedError, toPlainError } from "./errors.js";
import { Profile } from "./profile.js";
import { type Team, WorkerTeam } from "./team.js";
import type { WorkerResult, WorkerTask } from "./worker-crew.js";

/** The life of a worker: build the program once, then execute command after command until told to leave. */
export function serveCrew<Spec, Command>(
  task: WorkerTask<Spec>,
  createProgram: (spec: Spec, team: Team) => Program<Command>,
): WorkerResult {
  const { words, mailbox } = task.control;
  try {
    const team = new WorkerTeam(task.index, task.size, words, new Profile(task.profile), task.cores);
    const program = createProgram(task.spec, team);
    for (let seen = 0; ; seen++) {
      while (Atomics.load(words, WORD.command) === seen) Atomics.wait(words, WORD.command, seen);
      if (Atomics.load(words, WORD.poison) !== 0) return { error: undefined };
      const bytes = Atomics.load(words, WORD.commandBytes);
      if (bytes === 0) return { error: undefined };
      // A copy: the decoder may keep views of what it reads, and the mailbox is written again.
      const command = commandPackr.unpack(mailbox.slice(0, bytes)) as Command;
      program.execute(command, () => Atomics.load(words, WORD.stopRequested) !== 0);
      if (Atomics.add(words, WORD.finished, 1) === task.size - 1) Atomics.notify(words, WORD.finished);
    }
  } catch (error) {
    if (error instanceof PoisonedError) return { error: undefined };
    poison(words);
    return { error: toPlainError(error) };
  }
}
