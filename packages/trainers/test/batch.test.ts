import { samplerFrom } from "@logq/samplers";
import { describe, expect, it } from "vitest";
import { HEAD } from "../dist/engine/batch-layout.js";
import type { EngineHost } from "../dist/engine/host.js";
import { classOfRow } from "../dist/table/lanes.js";
import { type EngineCase, engineSpec, labelSource, withEngine } from "./support/engines.js";

/** The batch of step 0, which is still in its place after the step. */
async function withBatch(of: EngineCase, use: (batch: ReadonlyBatch, host: EngineHost) => void): Promise<void> {
  await withEngine(engineSpec(of), {}, async ({ host, train }) => {
    await train(0, 1);
    const batch = host.layout.batches[0]!;
    const { memory } = host;
    const head = (word: number) => memory.i32[(batch.head >>> 2) + word]!;
    const ints = (address: number, count: number) => Array.from(memory.ints(address, count));
    const rows = head(HEAD.rows);
    const offsets = ints(batch.positiveOffsets, rows + 1);
    const panel = ints(batch.panelRows, head(HEAD.panelRows)).map((row) => classOfRow(host.spec.table, row));
    const labels = ints(batch.positiveIds, offsets[rows]!);
    use({ rows, panel, labels, offsets, head, ints }, host);
  });
}

interface ReadonlyBatch {
  readonly rows: number;
  /** Classes of the panel. */
  readonly panel: readonly number[];
  readonly labels: readonly number[];
  readonly offsets: readonly number[];
  head(word: number): number;
  ints(address: number, count: number): number[];
}

describe("the panel of a step", () => {
  it("holds each candidate once with its multiplicity and log Q, then the labels that nobody drew", async () => {
    const of: EngineCase = {
      loss: "sampled-softmax",
      n: 90,
      S: 40,
      source: labelSource(90, 23, 130),
      vocabulary: 23,
    };
    await withBatch(of, ({ panel, labels, head, ints }, host) => {
      const { key, training } = host.spec;
      const { state, S } = training!.candidates!;
      const drawn = new Int32Array(S);
      const logQ = new Float64Array(S);
      samplerFrom(state!).draw({ key, step: 0, item: 0, S }, drawn, logQ);
      const distinct = [...new Set(drawn)].sort((a, b) => a - b);
      const C = head(HEAD.candidates);
      const batch = host.layout.batches[0]!;
      expect(panel.slice(0, C)).toEqual(distinct);
      const counts = distinct.map((id) => drawn.filter((other) => other === id).length);
      expect(ints(batch.candidateMultiplicity, C)).toEqual(counts);
      expect(Math.max(...counts)).toBeGreaterThan(1);
      const known = host.memory.floats(batch.candidateLogQ, C);
      expect(Array.from(known)).toEqual(distinct.map((id) => Math.fround(logQ[drawn.indexOf(id)]!)));
      const missing = [...new Set(labels)].filter((id) => !distinct.includes(id)).sort((a, b) => a - b);
      expect(panel.slice(C)).toEqual(missing);
      expect(ints(batch.positivePlace, labels.length).map((place) => panel[place])).toEqual(labels);
    });
  });

  it("of rows' own draws holds every class that some row needs once, in id order", async () => {
    await withBatch({ loss: "nce", n: 60, B: 11, S: 7, per: "row" }, ({ panel, labels, ints, rows }, host) => {
      const batch = host.layout.batches[0]!;
      const places = ints(batch.rowCandidatePlace, 7 * 11);
      const sampler = samplerFrom(host.spec.training!.candidates!.state!);
      const all: number[] = [...labels];
      for (let row = 0; row < rows; row++) {
        const drawn = new Int32Array(7);
        sampler.draw({ key: host.spec.key, step: 0, item: row + 1, S: 7 }, drawn, new Float64Array(7));
        expect(Array.from(drawn, (_, slot) => panel[places[slot * 11 + row]!])).toEqual(Array.from(drawn));
        all.push(...drawn);
      }
      expect(panel).toEqual([...new Set(all)].sort((a, b) => a - b));
    });
  });
});

describe("seen classes", () => {
  it("that a user chose fifty times are masked once, in the room there is", async () => {
    // One user, items 0 and 1 many times over; S is far below the length of the history.
    const items = Int32Array.from({ length: 60 }, (_, i) => (i < 50 ? i % 2 : 2 + (i % 3)));
    const positions = Int32Array.from(items, (_, i) => i);
    const of: EngineCase = {
      loss: "sampled-softmax",
      lossOptions: { exclude: "seen" },
      n: 5,
      B: 12,
      S: 6,
      vocabulary: 1,
      source: {
        kind: "user",
        offsets: Int32Array.of(0, 60),
        items,
        positions,
        users: new Int32Array(60),
        window: 1,
      },
    };
    await withBatch(of, ({ rows, panel, labels, offsets, head, ints }, host) => {
      const { maskOffsets, maskPositions } = host.layout.batches[0]!;
      const masks = ints(maskOffsets, rows + 1);
      const candidates = panel.slice(0, head(HEAD.candidates));
      for (let row = 0; row < rows; row++) {
        const masked = ints(maskPositions + 4 * masks[row]!, masks[row + 1]! - masks[row]!).map((at) => panel[at]);
        const label = labels[offsets[row]!];
        expect(masked.sort()).toEqual(candidates.filter((id) => id !== label));
      }
    });
  });
});
