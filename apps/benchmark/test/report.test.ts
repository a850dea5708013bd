import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DOMParser } from "linkedom";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CellResult } from "../src/measure/types.js";
import { UNMEASURED } from "../src/measure/unmeasured.js";
import { csvField, resultsCsv } from "../src/report/csv.js";
import { escapeMarkdown } from "../src/report/markdown.js";
import { terminalTable } from "../src/report/terminal.js";
import { writeReport } from "../src/report/write.js";
import type { Results } from "../src/sweep/results.js";
import { resultsOf } from "./fixture.js";

const results = resultsOf();
let folder: string;
let html: string;
let markdown: string;
let svg: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "bench-"));
  html = await write(results);
  markdown = await readFile(path.join(folder, "report.md"), "utf8");
  svg = await readFile(path.join(folder, "step-time.svg"), "utf8");
});
afterAll(() => rm(folder, { recursive: true }));

async function write(of: Results, missing = 0): Promise<string> {
  return readFile(await writeReport(folder, of, missing), "utf8");
}

const parse = (text: string) => new DOMParser().parseFromString(text, "text/html");
const change = (of: (cell: CellResult) => Partial<CellResult>): Results => ({
  ...results,
  cells: results.cells.map((cell) => ({ ...cell, ...of(cell) })),
});

/** Fails unless every tag that is opened is closed, in order: what XML asks and HTML parsers hide. */
function requireBalanced(text: string): void {
  const open: string[] = [];
  const body = text.replace(/<style>[\s\S]*?<\/style>/g, "").replace(/<[!?][^>]*>/g, "");
  for (const [, slash, name, attributes] of body.matchAll(/<(\/?)([a-zA-Z][\w-]*)((?:[^"<>]|"[^"<]*")*)>/g)) {
    if (name === "meta" || attributes?.endsWith("/")) continue;
    if (slash === "") open.push(name!);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
}

describe("report.html", () => {
  it("is well-formed, with one heading of the first rank", () => {
    requireBalanced(html);
    expect(parse(html).querySelectorAll("h1")).toHaveLength(1);
  });

  it("has no script, no event handler and nothing from outside the file", () => {
    expect(html).not.toMatch(/<script|<link|<img|<iframe|\son\w+=|@import|url\(/i);
    expect(html.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:|\/\/[a-z]/i);
  });

  it("draws every figure: step time twice (wide and narrow), eleven panels in the five others", () => {
    const document = parse(html);
    const count = (id: string) => document.querySelectorAll(`#${id} svg`).length;
    const ids = ["step-time", "rate", "cross-entropy", "recall", "samplers", "gradient"];
    expect(ids.map(count)).toEqual([2, 2, 2, 2, 3, 2]);
    expect(document.querySelectorAll("svg")).toHaveLength(13);
  });

  it("draws more candidates and more workers only where a sweep has several, each loss a line", async () => {
    const document = parse(await write(resultsOf({ classes: "1000,5000", negatives: "64,256,1024", workers: "1,2" })));
    for (const id of ["negatives", "workers"]) {
      expect(parse(html).querySelector(`#${id}`)).toBeNull();
      expect(document.querySelectorAll(`#${id} svg`)).toHaveLength(2);
    }
    expect(document.querySelector("#negatives svg")!.getAttribute("aria-label")).toMatch(
      /NCE: .* at 64, .* at 1,024\./,
    );
    expect(document.querySelector("#workers svg")!.getAttribute("aria-label")).toMatch(
      /full softmax: .* at 1, .* at 2\./,
    );
  });

  it("gives every chart a role, a description and a viewBox, and no colour but the style sheet's", () => {
    for (const chart of parse(html).querySelectorAll("svg")) {
      expect(chart.getAttribute("role")).toBe("img");
      expect(chart.getAttribute("aria-label")!.length).toBeGreaterThan(40);
      expect(chart.getAttribute("viewBox")).toMatch(/^0 0 \d+ \d+$/);
      expect(chart.toString()).not.toMatch(/(fill|stroke)="(#|rgb|black|white)/);
    }
  });

  it("every colour a chart uses is defined for light and for dark", () => {
    const used = new Set([...html.matchAll(/var\((--[\w-]+)\)/g)].map((match) => match[1]!));
    expect(used.size).toBeGreaterThan(8);
    const dark = html.split("prefers-color-scheme:dark")[1]!;
    for (const name of used) {
      expect(html.split("prefers-color-scheme:dark")[0]).toContain(`${name}:#`);
      expect(dark).toContain(`${name}:#`);
    }
  });

  it("puts the point of each loss and size where the scale says: full softmax rises by one slope in the log-log chart", () => {
    const chart = parse(html).querySelector("#step-time .wide svg")!;
    const isLine = (one: Element) =>
      (one.parentNode as Element).getAttribute("stroke") === "var(--black)" &&
      one.getAttribute("d")!.split("L").length === 4;
    const [line] = ([...chart.querySelectorAll("path")] as Element[]).filter(isLine);
    const points = line!
      .getAttribute("d")!
      .slice(1)
      .split("L")
      .map((pair) => pair.split(",").map(Number));
    const slopes = points.slice(1).map(([x, y], i) => (y! - points[i]![1]!) / (x! - points[i]![0]!));
    for (const slope of slopes) expect(slope / slopes[0]!).toBeCloseTo(1, 1);
  });

  it("shows every cell, and numbers the reasons for what is missing", () => {
    const document = parse(html);
    expect(document.querySelectorAll("#cells tbody tr")).toHaveLength(results.cells.length);
    const reasons = new Set(results.cells.flatMap((cell) => cell.reason ?? []));
    expect(document.querySelectorAll("#cells .notes li")).toHaveLength(reasons.size);
  });

  it("escapes text from outside: the processor's name and an error message", async () => {
    const bad = change((cell) =>
      cell.loss === "nce" ? { ...UNMEASURED, failed: true, reason: "<b onclick='x'>&" } : {},
    );
    const text = await write(bad);
    expect(text).toContain("Example CPU &lt;9000&gt; &amp; Co");
    expect(text).toContain("&lt;b onclick=&#39;x&#39;&gt;&amp;");
    expect(text).not.toContain("<b onclick");
    requireBalanced(text);
  });

  it("says why a figure is missing instead of drawing nothing", async () => {
    const text = await write(change(() => ({ gradientBias: null, gradientSpread: null, reason: "no time" })));
    expect(parse(text).querySelectorAll("#gradient svg")).toHaveLength(0);
    expect(parse(text).querySelector("#gradient .note")!.textContent).toBe("Gradients were not compared: no time.");
  });

  it("owns up to a sweep that is not finished, also before its first cell", async () => {
    expect(html).not.toContain("not finished");
    expect(await write({ ...results, cells: results.cells.slice(0, 3) }, 19)).toContain("19 planned cells are missing");
    const empty = await write({ ...results, cells: [] }, 22);
    requireBalanced(empty);
    expect(parse(empty).querySelectorAll("svg")).toHaveLength(0);
  });

  it("draws one size, one loss and negative gaps without a number that is not one", async () => {
    for (const raw of [{ classes: "5000" }, { losses: "full-softmax" }, { losses: "nce", classes: "100" }]) {
      expect(await write(resultsOf(raw))).not.toMatch(/NaN|Infinity|undefined|\bnull\b/);
    }
    const odd = change((cell) => ({
      crossEntropy: (cell.bestCrossEntropy ?? 0) - 0.01,
      gradientBias: 0,
      gradientSpread: 0,
    }));
    expect(await write(odd)).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe("the other files", () => {
  it("step-time.svg is XML with its own colours", () => {
    expect(svg).toMatch(/^<\?xml[^>]*\?>\n<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"[^>]*><style>/);
    expect(svg).toContain("prefers-color-scheme:dark");
    requireBalanced(svg);
  });

  it("report.md has a table row for every cell, all with as many columns as the head", () => {
    const rows = markdown.split("\n").filter((line) => line.startsWith("|"));
    const table = rows.slice(0, results.cells.length + 2);
    const width = (line: string) => line.replaceAll("\\|", "").split("|").length;
    expect(new Set(table.map(width)).size).toBe(1);
    expect(markdown).toContain("from about 1,200 classes on");
    expect(markdown).toContain("](step-time.svg)");
  });

  it("report.md shows text as it is", () => {
    expect(escapeMarkdown("a|b *c* <d>\n_e_")).toBe("a\\|b \\*c\\* \\<d\\> \\_e\\_");
  });

  it("results.csv follows RFC 4180: quotes doubled, CRLF, empty where nothing was measured", () => {
    expect(csvField('say "a, b"')).toBe('"say ""a, b"""');
    expect(csvField("line\nbreak")).toBe('"line\nbreak"');
    expect([csvField(null), csvField(1.5), csvField("plain"), csvField(false)]).toEqual(["", "1.5", "plain", "false"]);
    const text = resultsCsv([{ ...results.cells[0]!, ...UNMEASURED, reason: 'no "room", sorry', failed: true }]);
    const [head, row, end] = text.split("\r\n");
    expect(head).toMatch(/^classes,loss,sampler,.*,reason,failed$/);
    expect(row).toMatch(/^1000,full-softmax,,,2,,.*,"no ""room"", sorry",true$/);
    expect(end).toBe("");
    expect(resultsCsv(results.cells).split("\r\n")).toHaveLength(results.cells.length + 2);
  });
});

describe("terminalTable", () => {
  const large = resultsOf({ preset: "full", negatives: "64,1024", workers: "1,2" });

  it.each([true, false])("framed %s: at most 100 columns, one line a cell, no escape codes", (framed) => {
    for (const some of [results, large]) {
      const lines = terminalTable(some, framed).split("\n");
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
      expect(lines).toHaveLength(some.cells.length + (framed ? 4 : 1));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
      expect(lines.join("")).not.toMatch(/\u001b/);
    }
  });
});
