import { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { BarProgress, LineProgress, makeProgress } from "../src/progress.js";
import { planCells } from "../src/sweep/plan.js";
import { resultOf, settingsOf } from "./fixture.js";

const settings = settingsOf({ classes: "20000", losses: "nce" });
const cells = planCells(settings);

/** A stream that remembers, and says it is a terminal if asked to. */
function sink(isTTY: boolean) {
  const told: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      told.push(String(chunk));
      done();
    },
  });
  // A terminal's own methods, as far as the bar uses them.
  const terminal = { isTTY, columns: 90, clearLine: () => true, cursorTo: () => true, moveCursor: () => true };
  return { stream: Object.assign(stream, terminal), text: () => told.join("") };
}

describe("progress", () => {
  it("a terminal gets a bar, anything else lines", () => {
    expect(makeProgress(sink(true).stream)).toBeInstanceOf(BarProgress);
    expect(makeProgress(sink(false).stream)).toBeInstanceOf(LineProgress);
  });

  it("the bar says what runs, how many cells are done and how long is left, within the terminal's width", async () => {
    const { stream, text } = sink(true);
    const bar = new BarProgress(stream);
    bar.begin(7, 3, 65);
    // The bar draws a few times a second at most.
    await delay(300);
    bar.cellStarted(cells[0]!, 65);
    await delay(300);
    bar.cellProgress("training", 0.5);
    bar.cellFinished(resultOf(cells[0]!, settings), 42);
    bar.end();
    expect(text()).toContain("3/7  1:05 left  20,000 classes, NCE, uniform, S 256");
    expect(text()).toContain("4/7  0:42 left");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the codes that move the cursor
    for (const drawn of text().split(/\u001b\[\d*[A-Z]/)) expect(drawn.length).toBeLessThanOrEqual(90);
  });

  it("lines tell a failed cell and a sweep with nothing left", () => {
    const { stream, text } = sink(false);
    const lines = new LineProgress(stream);
    lines.begin(2, 1, 9);
    lines.cellFinished({ ...resultOf(cells[0]!, settings), failed: true, reason: "no memory" }, 0);
    lines.begin(2, 2, 0);
    expect(text()).toBe(
      "2 cells, 1 of them measured earlier, about 0:09\n" +
        "2/2  20,000 classes, NCE, uniform, S 256: not measured: no memory\n" +
        "2 cells, 2 of them measured earlier\n",
    );
  });
});
