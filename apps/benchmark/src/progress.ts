import { SingleBar } from "cli-progress";
import { clock, count, NOTHING, orNothing, percent, significant } from "./format.js";
import type { Cell, CellResult } from "./measure/types.js";
import { describeCell } from "./sweep/cells.js";

/** Who watches a sweep. Times left are in seconds. */
export interface Progress {
  begin(total: number, done: number, left: number): void;
  cellStarted(cell: Cell, left: number): void;
  /** `fraction` of the cell that is done, in [0, 1]. */
  cellProgress(phase: string, fraction: number): void;
  cellFinished(result: CellResult, left: number): void;
  /** Also after an error or an interruption. */
  end(): void;
}

/** The part of a stream that progress writes to. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** Live progress on a terminal, plain lines anywhere else. */
export function makeProgress(stream: Output): Progress {
  return stream.isTTY === true ? new BarProgress(stream) : new LineProgress(stream);
}

/** One line when a cell is finished: who, how fast, how good, and how long is left. */
export class LineProgress implements Progress {
  readonly #stream: NodeJS.WritableStream;
  #total = 0;
  #done = 0;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  begin(total: number, done: number, left: number): void {
    this.#total = total;
    this.#done = done;
    const reused = done > 0 ? `, ${done} of them measured earlier` : "";
    const time = done < total ? `, about ${clock(left)}` : "";
    this.#line(`${total} cells${reused}${time}`);
  }

  cellStarted(): void {}

  cellProgress(): void {}

  cellFinished(result: CellResult, left: number): void {
    this.#done++;
    const place = `${String(this.#done).padStart(String(this.#total).length)}/${this.#total}`;
    const time = this.#done < this.#total ? `  (${clock(left)} left)` : "";
    this.#line(`${place}  ${describeCell(result)}: ${outcome(result)}${time}`);
  }

  end(): void {}

  #line(text: string): void {
    this.#stream.write(`${text}\n`);
  }
}

/** Steps of the bar inside one cell, so that it moves while a cell is measured. */
const FINE = 100;

/** A bar that says what runs, how many cells are done, and how long is left. */
export class BarProgress implements Progress {
  readonly #bar: SingleBar;
  #total = 0;
  #done = 0;
  #what = "";
  #left = 0;
  #since = 0;

  constructor(stream: NodeJS.WritableStream) {
    this.#bar = new SingleBar({
      stream,
      format: "{bar} {cells}  {left} left  {what}",
      barsize: 20,
      barCompleteChar: "█",
      barIncompleteChar: "░",
      linewrap: true,
      clearOnComplete: true,
      fps: 8,
      // Interruptions are the sweep's own business: it ends the bar and writes a report.
      gracefulExit: false,
    });
  }

  begin(total: number, done: number, left: number): void {
    this.#total = total;
    this.#done = done;
    this.#mark(left);
    this.#bar.start(Math.max(1, total * FINE), done * FINE, this.#payload());
  }

  cellStarted(cell: Cell, left: number): void {
    this.#what = describeCell(cell);
    this.#mark(left);
    this.#bar.update(this.#done * FINE, this.#payload());
  }

  cellProgress(phase: string, fraction: number): void {
    const within = Math.max(0, Math.min(1, fraction)) * FINE;
    this.#bar.update(Math.floor(this.#done * FINE + within), { ...this.#payload(), what: `${this.#what}: ${phase}` });
  }

  cellFinished(_result: CellResult, left: number): void {
    this.#done++;
    this.#mark(left);
    this.#bar.update(this.#done * FINE, this.#payload());
  }

  end(): void {
    this.#bar.stop();
  }

  #mark(left: number): void {
    this.#left = left;
    this.#since = performance.now();
  }

  #payload(): { cells: string; left: string; what: string } {
    const left = Math.max(0, this.#left - (performance.now() - this.#since) / 1000);
    return { cells: `${this.#done}/${this.#total}`, left: clock(left), what: this.#what };
  }
}

/** A cross-entropy, or the recall of a loss that learns no probabilities. */
function accuracy({ loss, crossEntropy, recall }: CellResult): string {
  if (loss === "negative-sampling") return recall === null ? "" : `, recall@10 ${percent(recall["10"])}`;
  return crossEntropy === null ? "" : `, cross-entropy ${significant(crossEntropy)} nats`;
}

function outcome(result: CellResult): string {
  if (result.failed) return `not measured: ${result.reason}`;
  const step = orNothing(result.stepMilliseconds, (ms) => `${significant(ms)} ms/step`);
  const rate = orNothing(result.examplesPerSecond, (value) => `${count(value)} examples/s`);
  return step === NOTHING ? "no step was timed" : `${step}, ${rate}${accuracy(result)}`;
}
