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
  /** how many workers have built their program and look at the mailbox */
  ready: 33,
  /** bytes of the first failure, in the place of the command */
  errorBytes: 34,
  /** the main thread asks to stop after the current step */
  stopRequested: 48,
  /** how many workers have arrived at the barrier */
  arrived: 64,
  /** bumped when a barrier opens */
  generation: 80,
  /** each worker's own: how many of its units have been claimed; CLAIM_STRIDE apart */
  claims: 96,
} as const;

/** Words of a cache line. */
export const CLAIM_STRIDE = 16;
const MAILBOX_BYTES = 65536;

/** In the place of the bytes of a command: it is the last one once more. */
export const AGAIN = -1;

/** What a crew shares: control words, a mailbox for the current command, and nothing else. */
export interface SharedControl {
  readonly words: Int32Array;
  readonly mailbox: Uint8Array;
  /** The system's number of each member's thread; 0 where it is not known. */
  readonly threads: Int32Array;
}

export function createControl(members: number): SharedControl {
  return {
    words: new Int32Array(new SharedArrayBuffer(4 * (WORD.claims + CLAIM_STRIDE * members))),
    mailbox: new Uint8Array(new SharedArrayBuffer(MAILBOX_BYTES)),
    threads: new Int32Array(new SharedArrayBuffer(members * 4)),
  };
}

/** Makes every waiter wake up and leave. Safe from any thread, any number of times. */
export function poison(words: Int32Array): void {
  Atomics.store(words, WORD.poison, 1);
  for (const word of [WORD.generation, WORD.command, WORD.finished, WORD.ready]) {
    Atomics.add(words, word, word === WORD.generation || word === WORD.command ? 1 : 0);
    Atomics.notify(words, word);
  }
}

/** Puts the first failure, packed, where the command stood: a caller who is not to wait for messages reads it there. */
export function leaveError({ words, mailbox }: SharedControl, packed: Uint8Array): void {
  const bytes = Math.min(packed.length, mailbox.length);
  if (Atomics.compareExchange(words, WORD.errorBytes, 0, bytes) !== 0) return;
  mailbox.set(packed.subarray(0, bytes));
}

/** The failure that was left, packed; undefined: none. */
export function leftError({ words, mailbox }: SharedControl): Uint8Array | undefined {
  const bytes = Atomics.load(words, WORD.errorBytes);
  return bytes === 0 ? undefined : mailbox.slice(0, bytes);
}
