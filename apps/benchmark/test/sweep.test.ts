import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { FileFormatError, MemoryLimitError, OptionError } from "@logq/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Cell, Measurer } from "../src/measure/types.js";
import type { RawOptions } from "../src/options.js";
import type { Progress } from "../src/progress.js";
import { planCells } from "../src/sweep/plan.js";
import { resultsSchema } from "../src/sweep/results.js";
import { runSweep } from "../src/sweep/run.js";
import { ResultsStore } from "../src/sweep/store.js";
import { MACHINE, modelMeasurer, resultOf, settingsOf } from "./fixture.js";

const SILENT: Progress = { begin() {}, cellStarted() {}, cellProgress() {}, cellFinished() {}, end() {} };
const SMALL: RawOptions = { classes: "100,200", losses: "full-softmax,nce", samplers: "uniform" };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "bench-"));
});
afterEach(() => rm(folder, { recursive: true }));

const settings = settingsOf(SMALL);
const plan = planCells(settings);
const open = (raw: RawOptions = SMALL, fresh = false, machine = MACHINE) =>
  ResultsStore.open(folder, machine, settingsOf(raw), fresh);
const sweep = (
  store: ResultsStore,
  measurer: Measurer,
  cells: readonly Cell[] = plan,
  signal = new AbortController().signal,
) => runSweep({ plan: cells, store, measurer, progress: SILENT, seconds: 1, signal });
const onDisk = async () => resultsSchema.parse(JSON.parse(await readFile(path.join(folder, "results.json"), "utf8")));

describe("a sweep", () => {
  it("stores every cell as it is done, as a valid file, and leaves nothing else in the folder", async () => {
    const lengths: number[] = [];
    const model = modelMeasurer(settings);
    const measurer: Measurer = {
      ...model,
      measureCell: async (request) => {
        lengths.push(
          await onDisk().then(
            ({ cells }) => cells.length,
            () => 0,
          ),
        );
        return model.measureCell(request);
      },
    };
    const outcome = await sweep(await open(), measurer);
    expect(outcome).toEqual({ measured: 4, reused: 0, failed: [], interrupted: false });
    expect(lengths).toEqual([0, 1, 2, 3]);
    expect((await onDisk()).cells).toEqual(plan.map((cell) => resultOf(cell, settings)));
    expect(await readdir(folder)).toEqual(["results.json"]);
  });

  it("that is interrupted drops the cell under way, and resumes without redoing the finished ones", async () => {
    const controller = new AbortController();
    const model = modelMeasurer(settings);
    let calls = 0;
    const measurer: Measurer = {
      ...model,
      measureCell: async (request) => {
        if (++calls === 3) {
          controller.abort();
          throw new Error("stopped");
        }
        return model.measureCell(request);
      },
    };
    const first = await sweep(await open(), measurer, plan, controller.signal);
    expect(first).toEqual({ measured: 2, reused: 0, failed: [], interrupted: true });
    expect((await onDisk()).cells).toHaveLength(2);

    const asked: Cell[] = [];
    const store = await open();
    expect(store.notes).toEqual([]);
    const second = await sweep(store, modelMeasurer(settings, asked));
    expect(second).toEqual({ measured: 2, reused: 2, failed: [], interrupted: false });
    expect(asked).toEqual(plan.slice(2));
  });

  it("records a cell that fails with a LogqError, goes on, and tries it again when resumed", async () => {
    const model = modelMeasurer(settings);
    const measurer: Measurer = {
      ...model,
      measureCell: async (request) => {
        if (request.cell.loss === "nce") throw new MemoryLimitError("9 GB are needed, 4 GB are there");
        return model.measureCell(request);
      },
    };
    const outcome = await sweep(await open(), measurer);
    expect(outcome.failed.map((cell) => cell.reason)).toEqual(Array(2).fill("9 GB are needed, 4 GB are there"));
    expect((await onDisk()).cells.filter((cell) => cell.failed)).toHaveLength(2);
    expect(await sweep(await open(), model)).toMatchObject({ measured: 2, reused: 2, failed: [] });
    expect((await onDisk()).cells.filter((cell) => cell.failed)).toHaveLength(0);
  });

  it("ends with an error that is not a LogqError", async () => {
    const measurer = { ...modelMeasurer(settings), measureCell: () => Promise.reject(new TypeError("a bug")) };
    await expect(sweep(await open(), measurer)).rejects.toThrow("a bug");
  });
});

describe("ResultsStore.open", () => {
  it("keeps cells when only the shape of the sweep changes", async () => {
    await sweep(await open(), modelMeasurer(settings));
    const larger = { ...SMALL, classes: "100,200,400" };
    const asked: Cell[] = [];
    await sweep(await open(larger), modelMeasurer(settings, asked), planCells(settingsOf(larger)));
    expect(asked.map((cell) => cell.classes)).toEqual([400, 400]);
  });

  it.each<[string, RawOptions, boolean, typeof MACHINE, string]>([
    ["another batch", { ...SMALL, batch: "8" }, false, MACHINE, "batch 256 -> 8"],
    ["another seed", { ...SMALL, seed: "9" }, false, MACHINE, "seed 1 -> 9"],
    ["another machine", SMALL, false, { ...MACHINE, cpu: "Other" }, "cpu Example CPU <9000> & Co -> Other"],
    ["--fresh", SMALL, true, MACHINE, "--fresh was given"],
  ])(
    "%s: earlier cells are not used, which is said, and their file moves aside",
    async (_, raw, fresh, machine, why) => {
      await sweep(await open(), modelMeasurer(settings));
      const store = await open(raw, fresh, machine);
      expect(store.notes.join()).toContain(why);
      expect(store.results.cells).toEqual([]);
      const kept = await readFile(path.join(folder, "results.previous.json"), "utf8");
      expect(JSON.parse(kept).cells).toHaveLength(4);
    },
  );

  it("refuses a file in the place of the folder, as a wrong option", async () => {
    const file = path.join(folder, "taken");
    await writeFile(file, "");
    const opened = ResultsStore.open(file, MACHINE, settings);
    await expect(opened).rejects.toThrow(OptionError);
    await expect(opened).rejects.toThrow(`--out ${file} cannot be a folder for results (EEXIST)`);
  });

  it("refuses a results.json that is not one, and leaves it alone", async () => {
    const file = path.join(folder, "results.json");
    for (const text of ["{", "[]", '{"settings": {"format": 1}, "cells": []}']) {
      await writeFile(file, text);
      await expect(open()).rejects.toThrow(FileFormatError);
      expect(await readFile(file, "utf8")).toBe(text);
    }
  });

  it("moves results of another format aside", async () => {
    await writeFile(path.join(folder, "results.json"), '{"settings": {"format": 0}}');
    expect((await open()).notes.join()).toContain("format 0 -> 1");
  });
});
