import { MemoryPlan } from "@logq/kernels";
import { describe, expect, it } from "vitest";
import { type EmbeddingRows, Encoder, type EncoderSpec, planEncoder } from "../src/index.js";
import { BACKENDS, createSetting, randomBatch, readBlock, SPEC } from "./harness.js";

const SPECS: readonly EncoderSpec[] = [
  { ...SPEC, reduce: "mean", embedding: 13, hidden: [19, 7], D: 11, initialScale: 0.3 },
  { ...SPEC, input: "concat", window: 3, embedding: 5, hidden: [9], D: 9 },
];

describe.each(BACKENDS)("$name: an embedding table outside the encoder's memory", (backend) => {
  it.each(SPECS)("$input: reserves nothing there, and gives the same H, read through EmbeddingRows", (spec) => {
    const batch = randomBatch(spec, 17, spec.input === "bag");
    const inside = createSetting(spec, batch, backend);
    const { kernels, encoder, input } = inside;
    const sizes = backend.create(new MemoryPlan().allocate(false));
    const options = { maxRows: 17, training: false, matrix: sizes.matrix };
    const regions = (embeddingApart: boolean) => {
      const plan = new MemoryPlan();
      const { tables } = planEncoder(plan, spec, { ...options, embeddingApart });
      return { names: plan.regions.map(({ name }) => name), table: tables[0] };
    };
    expect(regions(false).names).toContain("encoder.embedding");
    expect(regions(true).names).not.toContain("encoder.embedding");
    expect(regions(true).table).toMatchObject({ address: 0, rows: spec.vocabulary, columns: spec.embedding });

    for (let unit = 0; unit < encoder.prepareUnits; unit++) encoder.prepare(unit);
    encoder.forward(0, 17, undefined);
    const truth = readBlock(kernels.memory, encoder.layout.hidden, 17);
    // The same memory with the table's address taken away: only the rows that are handed over are right.
    const [table, ...dense] = encoder.layout.tables;
    const rowsAt = table!.address;
    const rows: EmbeddingRows = {
      gather: (out, ldOut, ids, count) =>
        kernels.rows.gatherRows(out, ldOut, rowsAt, table!.ld, ids, count, spec.embedding),
      weightedSums: (out, ldOut, offsets, ids, weights, count, accumulate) =>
        kernels.rows.weightedRowSums(
          out,
          ldOut,
          rowsAt,
          table!.ld,
          offsets,
          ids,
          weights,
          count,
          spec.embedding,
          accumulate,
        ),
    };
    expect(new Set(truth).size).toBeGreaterThan(100);
    const layout = { ...encoder.layout, tables: [{ ...table!, address: 0 }, ...dense] };
    const apart = new Encoder(spec, layout, kernels, rows);
    apart.setBatchRows(17);
    apart.setInput(input);
    kernels.memory.floats(encoder.layout.hidden.address, 17 * encoder.layout.hidden.ld).fill(Number.NaN);
    apart.forward(0, 17, undefined);
    expect(readBlock(kernels.memory, encoder.layout.hidden, 17)).toEqual(truth);
  });
});
