import { SingleBar } from "cli-progress";
import { bytes, clock, count } from "./format.js";
import type { Sink } from "./io.js";

/** Who watches a long piece of work. */
export interface Progress {
  /** `fraction` of the work that is done, in [0, 1], and what else there is to say. */
  update(fraction: number, text: string): void;
  /** A line that stays. */
  note(line: string): void;
  /** Also after an error or an interruption. */
  end(): void;
}

/** A bar on a terminal; a plain line every ten seconds anywhere else. */
export function createProgress(sink: Sink, title: string): Progress {
  return sink.isTTY === true ? new BarProgress(sink, title) : new LineProgress(sink, title);
}

/** Work must last this long before a pipe hears of it, and again between two lines. */
const LINE_SECONDS = 10;

/** Plain lines, for logs and pipes. */
export class LineProgress implements Progress {
  readonly #sink: Sink;
  readonly #title: string;
  readonly #seconds: () => number;
  #next: number;

  /** @param seconds a clock */
  constructor(sink: Sink, title: string, seconds: () => number = () => performance.now() / 1000) {
    this.#sink = sink;
    this.#title = title;
    this.#seconds = seconds;
    this.#next = seconds() + LINE_SECONDS;
  }

  update(fraction: number, text: string): void {
    const now = this.#seconds();
    if (now < this.#next) return;
    this.#next = now + LINE_SECONDS;
    this.note(`${this.#title} ${Math.floor(100 * fraction)}%  ${text}`);
  }

  note(line: string): void {
    this.#sink.write(`${line}\n`);
  }

  end(): void {}
}

/** The bar counts in thousandths of the work. */
const PARTS = 1000;

/** A bar that is redrawn in place and gone at the end. */
export class BarProgress implements Progress {
  readonly #sink: Sink;
  readonly #bar: SingleBar;

  constructor(sink: Sink, title: string) {
    this.#sink = sink;
    this.#bar = new SingleBar({
      stream: sink,
      format: `${title} {bar} {percentage}%  {text}`,
      barsize: 16,
      barCompleteChar: "█",
      barIncompleteChar: "░",
      linewrap: true,
      clearOnComplete: true,
      fps: 8,
      // Interruptions are the command's own business.
      gracefulExit: false,
    });
    this.#bar.start(PARTS, 0, { text: "" });
  }

  update(fraction: number, text: string): void {
    this.#bar.update(Math.floor(PARTS * Math.max(0, Math.min(1, fraction))), { text });
  }

  note(line: string): void {
    // Clears the bar's line; the bar is drawn anew below.
    this.#sink.write(`\r\u001b[K${line}\n`);
  }

  end(): void {
    this.#bar.stop();
  }
}

/** Says how far and how fast a count goes, and how long is left: "12 MB of 34 MB, 5.1 MB/s, 0:05 left". */
export class RateText {
  readonly #show: (value: number) => string;
  readonly #unit: string;
  readonly #begin = performance.now();

  constructor(unit: "bytes" | string) {
    this.#show = unit === "bytes" ? bytes : count;
    this.#unit = unit === "bytes" ? "" : ` ${unit}`;
  }

  text(done: number, total: number): string {
    const seconds = (performance.now() - this.#begin) / 1000;
    const rate = done / Math.max(1e-9, seconds);
    const left = done > 0 ? (total - done) / rate : Number.POSITIVE_INFINITY;
    return `${this.#show(done)} of ${this.#show(total)}${this.#unit}, ${this.#show(rate)}/s, ${clock(left)} left`;
  }
}
