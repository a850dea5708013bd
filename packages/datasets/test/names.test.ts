import { ClassIdError } from "@logq/core";
import { describe, expect, it } from "vitest";
import { NameTable } from "../src/names/name-table.js";
import { Counter, orderByCount } from "../src/names/order.js";
import { NumberedNames, StoredNames } from "../src/names/stored-names.js";
import { ElementList, remap } from "../src/reading/element-list.js";
import { integerAt, numberAt } from "../src/reading/number.js";

const bytesOf = (text: string) => new TextEncoder().encode(text);

describe("NameTable", () => {
  it("numbers 100,000 names like a Map does, through every growth", () => {
    const table = new NameTable();
    const map = new Map<string, number>();
    let wrong = 0;
    for (let i = 0; i < 200_000; i++) {
      // Names of 0 to 40 bytes, each met about twice, prefixes of one another among them.
      const number = (i * 7919) % 100_000;
      const name = number === 0 ? "" : `${"é".repeat(number % 17)}${number}`;
      if (!map.has(name)) map.set(name, map.size);
      if (table.addString(name) !== map.get(name)) wrong++;
    }
    expect(table.size).toBe(100_000);
    for (const [name, id] of map) if (table.find(name) !== id) wrong++;
    expect(wrong).toBe(0);
    expect(table.find("nowhere")).toBe(-1);
    const stored = new StoredNames(table.bytes, table.offsets);
    expect(stored.name(12_345)).toBe([...map.keys()][12_345]);
    expect(stored.id("99999")).toBeUndefined();
    expect(stored.id(`${"é".repeat(99_999 % 17)}99999`)).toBe(map.get(`${"é".repeat(99_999 % 17)}99999`));
  });

  it("takes names as bytes, from the middle of a buffer, also when they are not UTF-8", () => {
    const table = new NameTable();
    const bytes = Uint8Array.of(1, 0xff, 0xfe, 0xff, 2);
    expect([table.add(bytes, 1, 2), table.add(bytes, 2, 3), table.add(bytes, 3, 4)]).toEqual([0, 1, 0]);
  });

  it("takes a name longer than all before it", () => {
    const table = new NameTable();
    const long = "x".repeat(1_000_000);
    expect([table.addString("a"), table.addString(long), table.addString(long), table.find("a")]).toEqual([0, 1, 1, 0]);
  });
});

describe("names of ids", () => {
  it("are refused for ids out of range, which are not names either", () => {
    const names = new NumberedNames(10);
    expect(names.name(9)).toBe("9");
    for (const id of [-1, 10, 0.5, Number.NaN]) expect(() => names.name(id)).toThrow(ClassIdError);
    for (const name of ["10", "-1", "01", "1.5", "", " 1", "1e0", "NaN"]) expect(names.id(name)).toBeUndefined();
    expect(names.id("0")).toBe(0);
  });
});

describe("orderByCount", () => {
  it("descends in count, ties by first appearance, and gives −1 to what is left out", () => {
    const { kept, newId } = orderByCount([1, 5, 1, 9, 5, 0], (id) => id !== 3);
    expect([...kept]).toEqual([1, 4, 0, 2, 5]);
    expect([...newId]).toEqual([2, 0, 3, -1, 1, 4]);
  });

  it("counts ids as they appear", () => {
    const counter = new Counter();
    for (const id of [3, 5000, 3]) counter.add(id);
    const counts = counter.upTo(5001);
    expect([counts[3], counts[4], counts[5000]]).toEqual([2, 0, 1]);
    expect(counter.upTo(10_000).length).toBe(10_000);
  });
});

describe("ElementList", () => {
  it.each([0, 1, 1024, 1025, 1024 + 2 ** 18, 1025 + 2 ** 18])("keeps %i elements in order", (length) => {
    const list = new ElementList(Int32Array);
    for (let i = 0; i < length; i++) list.push(i % 7);
    expect(list.length).toBe(length);
    remap(list, Int32Array.of(10, 11, 12, 13, 14, 15, 16));
    const array = list.toArray();
    expect(array.length).toBe(length);
    expect(array.findIndex((value, i) => value !== 10 + (i % 7))).toBe(-1);
  });
});

describe("numbers in bytes", () => {
  const read = (text: string) => numberAt(bytesOf(text), 0, text.length);

  it("are those JavaScript reads", () => {
    const texts = [
      "0",
      "-0",
      "1",
      "+1.5",
      "-.5",
      "5.",
      "123456789012345",
      "1234567890123456789",
      "0.1",
      "0.3",
      "1e300",
    ];
    for (let i = 0; i < 2000; i++) texts.push(String(((i * 7919) % 1000003) * 10 ** -(i % 12)));
    for (const text of texts) expect(read(text)).toBe(Number(text));
  });

  it("are NaN or −1 where there is none", () => {
    for (const text of ["", "-", ".", "1..2", "1.2.3", "0x10", "1e", "e1", " 1", "1 ", "NaN", "Infinity", "1_0"]) {
      expect(read(text)).toBeNaN();
    }
    for (const text of ["", "-1", "1.0", " 1", "1234567890123456"]) {
      expect(integerAt(bytesOf(text), 0, text.length)).toBe(-1);
    }
    expect(integerAt(bytesOf("x0420y"), 1, 5)).toBe(420);
  });
});
