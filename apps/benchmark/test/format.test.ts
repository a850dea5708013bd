import { describe, expect, it } from "vitest";
import { bytes, clock, percent, roughly, shortCount, significant } from "../src/format.js";

describe("numbers for people", () => {
  it.each([
    [0, "0"],
    [0.00841, "0.00841"],
    [0.8421, "0.842"],
    [2.3, "2.30"],
    [91.23, "91.2"],
    [1203.4, "1,203"],
    [-0.5, "-0.500"],
  ])("significant(%d) is %s", (value, text) => expect(significant(value)).toBe(text));

  it("the rest", () => {
    expect([roughly(3412), roughly(87), roughly(1_234_567), roughly(3.4)]).toEqual(["3,400", "87", "1,200,000", "3"]);
    expect([500, 1024, 2500, 100_000, 1e6].map(shortCount)).toEqual(["500", "1,024", "2.5k", "100k", "1M"]);
    expect([12, 999, 51.2e6, 4e9, 999_700].map(bytes)).toEqual(["12 B", "999 B", "51.2 MB", "4.00 GB", "1.00 MB"]);
    expect([0, 0.034, 0.0996, 0.78, 1].map(percent)).toEqual(["0%", "3.4%", "10%", "78%", "100%"]);
    expect([0, 5.2, 61, 3600].map(clock)).toEqual(["0:00", "0:06", "1:01", "1:00:00"]);
  });
});
