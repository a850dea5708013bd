import { describe, expect, it } from "vitest";
import { type LineChart, lineChart, standaloneSvg } from "../src/index.js";

const chart: LineChart = {
  series: [
    {
      label: "one <line>",
      style: { color: "var(--blue)", symbol: "circle" },
      points: [0.03, 0.7, 31, 420].map((x, i) => ({ x, y: 8 - i })),
    },
  ],
  xLabel: "seconds",
  yLabel: "nats",
  yType: "linear",
  yFormat: String,
  width: 720,
  height: 300,
  labelRoom: 100,
  description: "Nats & seconds.",
};

/** The texts of a chart. */
const texts = (svg: string) => Array.from(svg.matchAll(/<text[^>]*>([^<]*)/g), ([, text]) => text);

describe("a line chart", () => {
  it("has a tick at every x that occurs, as a count", () => {
    expect(texts(lineChart(chart))).toEqual(expect.arrayContaining(["31", "420"]));
  });

  it("has ticks at round numbers, as it is told to write them", () => {
    const svg = lineChart({ ...chart, xTicks: "round", xFormat: (x) => `${x} s` });
    expect(texts(svg)).toEqual(expect.arrayContaining(["0.1 s", "1 s", "10 s", "100 s"]));
    expect(texts(svg)).not.toContain("31 s");
    expect(svg).toContain("seconds 31 s: 6");
  });

  it("is valid XML as a file: names and description are escaped", () => {
    const svg = standaloneSvg(lineChart(chart));
    expect(svg).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<svg [^>]*aria-label="Nats &amp; seconds\."[^>]*><style>/,
    );
    expect(svg).toContain("one &lt;line&gt;");
  });
});
