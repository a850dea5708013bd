import type { BackendName } from "@logq/kernels";
import { OutputLayer } from "@logq/trainers";
import { type ArrayFiles, InputFolder } from "../inputs/folder.js";
import { InputNumbers } from "../inputs/random.js";
import type { Comparison } from "../measure/compare.js";
import type { Entry } from "../measure/contender.js";
import { timeRound } from "../measure/time-round.js";
import { pythonEntry } from "../python/contender.js";
import { stock, tuned } from "../python/settings.js";
import type { ItemContext } from "./context.js";
import { count } from "./step-shape.js";

/** (n, D) classes, Q queries. */
interface Shape {
  readonly n: number;
  readonly D: number;
  readonly queries: number;
  readonly k: number;
}

/** PyTorch's ways: the rows or classes of a block. */
const FORMS = [
  { form: "unblocked", block: 0 },
  { form: "blocks of queries", block: 50 },
  { form: "blocks of classes", block: 16_384 },
] as const;

/** Exact top-20 of all classes for many queries: ids and logits. */
export function topK(context: ItemContext): Comparison[] {
  const { python, noPython, settings } = context;
  const shape: Shape = settings.quick
    ? { n: 20_000, D: 128, queries: 200, k: 20 }
    : { n: 1_000_000, D: 128, queries: 1000, k: 20 };
  const { n, D, queries, k } = shape;
  return [
    {
      item: "topk",
      name: `exact top-${k}, n = ${count(n)}, ${count(queries)} queries, D = ${D}`,
      work: "Ids and logits of the best classes of every query.",
      // Two logits that differ in the last bit may change places.
      agreements: { logits: { relative: 1e-4 }, ids: { equalShare: 0.995 } },
      absent: [
        ...context.absentBackends,
        ...(python === undefined ? FORMS.map(({ form }) => ({ contender: `PyTorch, ${form}`, reason: noPython })) : []),
      ],
      async prepare() {
        const numbers = new InputNumbers(k);
        const table = numbers.floats(n * D, 0.1);
        const hidden = numbers.floats(queries * D, 1);
        const folder = await InputFolder.create();
        const files = {
          table: await folder.write("table", table, [n, D]),
          queries: await folder.write("queries", hidden, [queries, D]),
        };
        const ours = context.backends.map((backend) => ourEntry(backend, shape, table, hidden, settings.threads));
        const peers = python === undefined ? [] : FORMS.flatMap((form) => peerEntries(context, shape, files, form));
        return { entries: [...ours, ...peers], close: () => folder.remove() };
      },
    },
  ];
}

function ourEntry(
  backend: BackendName,
  shape: Shape,
  table: Float32Array,
  hidden: Float32Array,
  workers: number,
): Entry {
  const { n, D, k } = shape;
  return {
    name: `logq, ${backend}`,
    side: "logq",
    settings: { backend, workers },
    bytes: 2 ** 29 + 4 * n * D,
    async start() {
      const layer = await OutputLayer.create({
        classes: n,
        dim: D,
        batch: 256,
        loss: "full-softmax",
        maxK: k,
        workers,
        backend,
      });
      layer.setTable(table);
      return {
        async check() {
          const { ids, logits } = await layer.topK(hidden, k);
          return { logits: Array.from(logits), ids: Array.from(ids) };
        },
        round: (seconds, least) => timeRound(() => layer.topK(hidden, k), seconds, least),
        close: () => layer.close(),
      };
    },
  };
}

function peerEntries(
  { python, settings, preload }: ItemContext,
  { n, D, queries, k }: Shape,
  files: ArrayFiles,
  { form, block }: (typeof FORMS)[number],
): Entry[] {
  const { threads } = settings;
  const task = {
    script: "torch_topk.py",
    packages: ["numpy", "torch"],
    question: { files, threads, k, form, block },
    bytes: 2 ** 29 + 4 * n * D + 4 * n * (form === "unblocked" ? queries : 50),
  };
  return [[stock(threads)], tuned(threads, preload)].map((ways) =>
    pythonEntry(`PyTorch, ${form}`, python!, task, ways),
  );
}
