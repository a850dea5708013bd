/**
 * The words that workers and the main thread share, as indices into one Int32Array. Words that are hammered stand on cache lines of their own.
 */
export const WORD = {
  /** not 0: somebody failed, everybody leaves */
  poison: 0,
  /** bumped by the main thread for every command */
  command: 16,
  /** bytes of the command in the mailbox */
  commandBytes: 17,
  /** how many workers have finished the command */
  finished: 32,
  /** the main thread asks to stop after the current step */
  stopRequested: 48,
  /** how many workers have arrived at the barrier */
  arrived: 64,
  /** bumped when a barrier opens */
  generation: 80,
  /** the next unit to be claimed */
  claim: 96,
} as const;

const CONTROL_WORDS = 112;
const MAILBOX_BYTES = 65536;

/** What a crew shares: control words, a mailbox for the current command, and nothing else. */
export interface SharedControl {
  readonly words: Int32Array;
  readonly mailbox: Uint8Array;
}

export function createControl(): SharedControl {
  return {
    words: new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4)),
    mailbox: new Uint8Array(new SharedArrayBuffer(MAILBOX_BYTES)),
  };
}

/** Makes every waiter wake up and leave. Safe from any thread, any number of times. */
export function poison(words: Int32Array): void {
  Atomics.store(words, WORD.poison, 1);
  for (const word of [WORD.generation, WORD.command, WORD.finished]) {
    Atomics.add(words, word, word === WORD.finished ? 0 : 1);
    Atomics.notify(words, word);
  }
}
