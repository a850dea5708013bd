/** How far a preparation is. */
export interface Progress {
  /** "read": the input files; "write": vocabulary, splits and the dataset directory. */
  readonly phase: "read" | "write";
  /** Bytes of the input files read so far (compressed ones as they lie on the disk). */
  readonly bytesRead: number;
  readonly bytesTotal: number;
}

export type OnProgress = (progress: Progress) => void;

/** Adds up what was read and tells the listener, once per chunk of a file. */
export class ProgressMeter {
  readonly #listener: OnProgress | undefined;
  readonly #total: number;
  #read = 0;

  constructor(total: number, listener?: OnProgress) {
    this.#total = total;
    this.#listener = listener;
  }

  add(bytes: number): void {
    this.#read += bytes;
    this.#tell("read");
  }

  /** Reading is over. */
  write(): void {
    this.#tell("write");
  }

  #tell(phase: Progress["phase"]): void {
    this.#listener?.({ phase, bytesRead: this.#read, bytesTotal: this.#total });
  }
}
