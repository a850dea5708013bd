/** The part of a stream that the command writes to. */
export type Sink = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** Where a command's words go. */
export interface Io {
  /** Results: a table for people, or exactly one JSON object. */
  readonly stdout: Sink;
  /** Everything else: progress, notes, warnings, errors. */
  readonly stderr: Sink;
}

/** Prints a command's result: as one JSON object, or as text for people. */
export function printResult(io: Io, asJson: boolean | undefined, value: object, text: () => string): void {
  io.stdout.write(asJson === true ? `${JSON.stringify(value)}\n` : text());
}

export function note(io: Io, line: string): void {
  io.stderr.write(`${line}\n`);
}

export function warn(io: Io, line: string): void {
  note(io, `warning: ${line}`);
}
