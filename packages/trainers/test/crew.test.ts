import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import type { Crew } from "../dist/parallel/crew.js";
import { JoinedCrew } from "../dist/parallel/joined-crew.js";
import { SoloTeam, type Team } from "../dist/parallel/team.js";
import { WorkerCrew } from "../dist/parallel/worker-crew.js";
import { CountingProgram } from "./fixtures/crew-worker.mjs";

const WORKER_FILE = new URL("./fixtures/crew-worker.mjs", import.meta.url).href;

/** As in the worker file. */
const COUNT = { violations: 0, inside: 1, left: 2, most: 3, phases: 16 };
const WORDS = 65536;

type Command =
  | { type: "count"; units: number[]; repeats: number; milliseconds: number }
  | { type: "fail"; how: "exit" | "divergence" | "mistake"; after: number; busy: number }
  | { type: "until-stopped" }
  | { type: "padded"; padding: Uint8Array };

type Spec = { words: Int32Array; failAtStart: number };

/** The two crews that have worker threads. `threads`: how many of the workers are threads of their own. */
const CREWS = [
  {
    name: "worker threads",
    least: 1,
    threads: (workers: number) => workers,
    create: (spec: Spec, workers: number): Crew<Command> => new WorkerCrew(WORKER_FILE, spec, workers),
  },
  {
    name: "the caller and worker threads",
    least: 2,
    threads: (workers: number) => workers - 1,
    create: (spec: Spec, workers: number): Crew<Command> =>
      new JoinedCrew(WORKER_FILE, spec, workers, (team: Team) => new CountingProgram(spec, team)),
  },
];

type CrewCase = (typeof CREWS)[number];

async function withCrew(
  { create }: CrewCase,
  workers: number,
  use: (crew: Crew<Command>, words: Int32Array) => Promise<void>,
  failAtStart = -1,
): Promise<void> {
  const words = new Int32Array(new SharedArrayBuffer(4 * WORDS));
  const crew = create({ words, failAtStart }, workers);
  try {
    await use(crew, words);
  } finally {
    await crew.close();
  }
}

/** Waits until `count` workers have returned from their task of their own accord. */
async function untilLeft(words: Int32Array, count: number): Promise<void> {
  for (;;) {
    const left = Atomics.load(words, COUNT.left);
    if (left >= count) return;
    const wait = Atomics.waitAsync(words, COUNT.left, left, 100);
    if (wait.async) await wait.value;
  }
}

function expectEachUnitOnce(words: Int32Array, sizes: readonly number[], repeats: number): void {
  for (let phase = 0; phase < sizes.length * repeats; phase++) {
    const size = sizes[phase % sizes.length]!;
    expect(words[COUNT.phases + 2 * phase]).toBe(size);
    // Together with the count, the sum of unit + 1 tells that it was each unit, once.
    expect(words[COUNT.phases + 2 * phase + 1]).toBe((size * (size + 1)) / 2);
  }
  expect(words[COUNT.violations]).toBe(0);
}

/** None, one, fewer than workers, as many, a few more, many. */
const UNEVEN = [0, 1, 2, 3, 4, 5, 0, 0, 17, 1, 100];

describe.each(CREWS)("phases of $name: each unit once, and none begins before the one before has ended", (which) => {
  it.each([which.least, 3, 4, availableParallelism() + 3])(
    "%i workers, uneven units",
    async (workers) => {
      await withCrew(which, workers, async (crew, words) => {
        await crew.run({ type: "count", units: UNEVEN, repeats: 20, milliseconds: 0 });
        expectEachUnitOnce(words, UNEVEN, 20);
      });
    },
    20_000,
  );

  it("units of unequal length, so that some members always wait", async () => {
    await withCrew(which, 3, async (crew, words) => {
      await crew.run({ type: "count", units: [1, 4, 2, 7], repeats: 3, milliseconds: 2 });
      expectEachUnitOnce(words, [1, 4, 2, 7], 3);
      expect(words[COUNT.most]).toBeGreaterThan(1);
    });
  }, 20_000);

  it("12,000 phases in a row, in commands of 4,000; many units after few", async () => {
    await withCrew(which, 3, async (crew, words) => {
      for (let round = 0; round < 3; round++) {
        words.fill(0);
        await crew.run({ type: "count", units: [1, 0, 9, 1], repeats: 1000, milliseconds: 0 });
        expectEachUnitOnce(words, [1, 0, 9, 1], 1000);
      }
    });
  }, 30_000);

  it("the same command again, and another between", async () => {
    await withCrew(which, 3, async (crew, words) => {
      const same: Command = { type: "count", units: [2, 5], repeats: 3, milliseconds: 0 };
      const other: Command = { type: "count", units: [7, 1, 3], repeats: 2, milliseconds: 0 };
      for (const command of [same, same, same, other, same, other, other]) {
        words.fill(0);
        await crew.run(command);
        if (command === same) expectEachUnitOnce(words, [2, 5], 3);
        else expectEachUnitOnce(words, [7, 1, 3], 2);
      }
    });
  }, 20_000);

  it("a hundred commands in a row", async () => {
    await withCrew(which, 2, async (crew, words) => {
      for (let round = 0; round < 100; round++) {
        words.fill(0);
        await crew.run({ type: "count", units: [3, 1], repeats: 2, milliseconds: 0 });
        expectEachUnitOnce(words, [3, 1], 2);
      }
    });
  }, 20_000);
});

describe("a team of one", () => {
  it("runs units in order", () => {
    const units: number[] = [];
    const team = new SoloTeam();
    for (const size of UNEVEN) team.phase("rows", size, (unit) => units.push(unit));
    expect(units).toEqual(UNEVEN.flatMap((size) => Array.from({ length: size }, (_, unit) => unit)));
  });
});

describe.each(CREWS)("a member that fails, of $name", (which) => {
  // Fails at once while another works on and arrives late, or late while the others wait already.
  const orders = [
    { after: 0, busy: 150 },
    { after: 150, busy: 0 },
  ];

  it.each(orders)(
    "rejects with its error and values, and the others leave: %o",
    async (order) => {
      await withCrew(which, 3, async (crew, words) => {
        const failed = crew.run({ type: "fail", how: "divergence", ...order });
        await expect(failed).rejects.toMatchObject({
          name: "DivergenceError",
          code: "LOGQ_DIVERGENCE",
          values: { step: 7 },
        });
        await untilLeft(words, which.threads(3));
        // Whoever asks again hears of the same failure.
        await expect(crew.run({ type: "until-stopped" })).rejects.toMatchObject({ code: "LOGQ_DIVERGENCE" });
      });
    },
    15_000,
  );

  it.each(orders)(
    "by a mistake in the program rejects with a WorkerError that names it: %o",
    async (order) => {
      await withCrew(which, 2, async (crew, words) => {
        const failed = crew.run({ type: "fail", how: "mistake", ...order });
        await expect(failed).rejects.toMatchObject({
          code: "LOGQ_WORKER",
          message: expect.stringContaining("a plain mistake"),
        });
        await untilLeft(words, which.threads(2));
      });
    },
    15_000,
  );

  it.each(orders)(
    "by the death of its thread rejects, and the others leave: %o",
    async (order) => {
      await withCrew(which, 3, async (crew, words) => {
        const failed = crew.run({ type: "fail", how: "exit", ...order });
        await expect(failed).rejects.toMatchObject({
          name: "WorkerError",
          message: expect.stringContaining("went away"),
        });
        await untilLeft(words, which.threads(3) - 1);
      });
    },
    15_000,
  );

  it("while it builds its program rejects the first command", async () => {
    await withCrew(
      which,
      2,
      async (crew, words) => {
        const failed = crew.run({ type: "count", units: [4], repeats: 1, milliseconds: 0 });
        await expect(failed).rejects.toMatchObject({ message: expect.stringContaining("cannot be built") });
        await untilLeft(words, which.threads(2));
      },
      1,
    );
  }, 15_000);
});

describe("commands", () => {
  it.each(CREWS)(
    "of more bytes than the mailbox are refused with both sizes; $name go on",
    async (which) => {
      await withCrew(which, 2, async (crew, words) => {
        const large = crew.run({ type: "padded", padding: new Uint8Array(70_000) });
        await expect(large).rejects.toMatchObject({
          code: "LOGQ_WORKER",
          values: { bytes: expect.any(Number), limit: 65536 },
        });
        await crew.run({ type: "count", units: [2], repeats: 1, milliseconds: 0 });
        expectEachUnitOnce(words, [2], 1);
      });
    },
    15_000,
  );

  it("are refused while another runs, and a stop that is asked for reaches the one that runs", async () => {
    await withCrew(CREWS[0]!, 2, async (crew) => {
      const running = crew.run({ type: "until-stopped" });
      await expect(crew.run({ type: "until-stopped" })).rejects.toMatchObject({
        message: expect.stringContaining("busy"),
      });
      crew.requestStop();
      await running;
    });
  }, 15_000);

  it("under way when the crew is closed are finished first; later ones are refused", async () => {
    await withCrew(CREWS[0]!, 2, async (crew, words) => {
      const running = crew.run({ type: "count", units: [5, 9], repeats: 2, milliseconds: 5 });
      await crew.close();
      await running;
      expectEachUnitOnce(words, [5, 9], 2);
      await expect(crew.run({ type: "until-stopped" })).rejects.toMatchObject({
        message: expect.stringContaining("closed"),
      });
      await crew.close();
    });
  }, 15_000);

  it("at once, by a crew that the caller is a member of; none after it is closed", async () => {
    const words = new Int32Array(new SharedArrayBuffer(4 * WORDS));
    const spec = { words, failAtStart: -1 };
    const crew = new JoinedCrew<Command>(WORKER_FILE, spec, 2, (team) => new CountingProgram(spec, team));
    await crew.run({ type: "count", units: [], repeats: 1, milliseconds: 0 });
    for (let round = 0; round < 100; round++) {
      words.fill(0);
      crew.runSync({ type: "count", units: [3, 1], repeats: 2, milliseconds: 0 });
      expectEachUnitOnce(words, [3, 1], 2);
    }
    await crew.close();
    expect(() => crew.runSync({ type: "until-stopped" })).toThrow("closed");
  }, 15_000);

  it.each(CREWS)(
    "by none: $name that never ran close",
    async (which) => {
      await withCrew(which, 2, async () => {});
    },
    15_000,
  );
});
