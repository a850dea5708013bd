import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { advantage } from "../src/report/results.js";
import { saveResults } from "../src/report/save.js";
import { comparisonTable, digits, resultsPage } from "../src/report/table.js";
import { resultOf, resultsOf, rowOf, temporaryFolder } from "./small.js";

describe("advantage", () => {
  it("is 3 where the peer takes three times as long, and where it does a third as much", () => {
    const [one, three] = [rowOf("a", "logq", 1), rowOf("b", "peer", 3)];
    expect(advantage(one, three, "ms")).toBe(3);
    expect(advantage(three, one, "words/s a thread")).toBe(3);
  });

  it("is unknown where one of them never got there", () => {
    expect(advantage(rowOf("a", "logq", null), rowOf("b", "peer", 3), "s")).toBeUndefined();
  });
});

describe("comparisonTable", () => {
  it("has a column for each row of logq, and the absent with their reasons", () => {
    const rows = [
      rowOf("logq, wasm", "logq", 10, [9, 11]),
      rowOf("logq, blas", "logq", 5),
      rowOf("PyTorch", "peer", 20),
    ];
    const table = comparisonTable(resultOf(rows, { absent: [{ contender: "TensorFlow", reason: "no Python" }] }));
    expect(table).toContain("|  | ms | rounds | × logq, wasm | × logq, blas |");
    expect(table).toContain("| logq, wasm | 10.0 | 9.00–11.0 | 1 | 2.00 |");
    expect(table).toContain("| PyTorch | 20.0 |  | 2.00 | 4.00 |");
    expect(table).toContain("Absent: TensorFlow: no Python");
  });

  it("gives no ratios where nobody is compared, and says so where nobody took part", () => {
    expect(comparisonTable(resultOf([rowOf("logq, wasm", "logq", 10)]))).not.toContain("×");
    expect(comparisonTable(resultOf([]))).toContain("Nobody took part.");
  });

  it("shows what never got there as –", () => {
    expect(comparisonTable(resultOf([rowOf("logq", "logq", 1), rowOf("b", "peer", null)]))).toContain(
      "| b | – |  | – |",
    );
  });
});

describe("digits", () => {
  it("are three significant ones", () => {
    expect([0.12345, 1.2345, 123.45, 12345].map(digits)).toEqual(["0.123", "1.23", "123", "12,345"]);
  });
});

describe("saveResults", () => {
  it("writes the JSON and the page, and never over older ones", async () => {
    const folder = await temporaryFolder();
    const results = resultsOf([resultOf([rowOf("logq, wasm", "logq", 10)])]);
    const [json, page] = await saveResults(results, folder);
    expect(JSON.parse(await readFile(json!, "utf8"))).toEqual(results);
    expect(await readFile(page!, "utf8")).toBe(resultsPage(results));
    expect((await saveResults(results, folder))[0]).toMatch(/2001-02-03-peers-2\.json$/);
  });

  it("makes a page without a date and without the load, so that it can be quoted", () => {
    const page = resultsPage(resultsOf([]));
    expect(page).not.toMatch(/2001|0\.25/);
    expect(page).toContain("a processor, 2 cores, 8 GiB");
  });
});
