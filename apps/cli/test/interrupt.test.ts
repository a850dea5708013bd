import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { logq, logqJson, names, remove, sampleText, temporaryFolder, write } from "./support.js";

let folder: string;
beforeAll(async () => {
  folder = await write(await temporaryFolder(), { "train.txt": sampleText(300) });
  await logqJson(folder, ["prepare", "text", "--train", "train.txt", "--out", "data"]);
}, 60_000);
afterAll(() => remove(folder));

describe.skipIf(process.platform === "win32")(
  "Ctrl-C while training",
  () => {
    const endless = ["train", "data", "--epochs", "1000000", "--workers", "1"];

    it("once: saves what there is, answers 130, and the run can be evaluated", async () => {
      let asked = false;
      const { code, stdout } = await logq(folder, [...endless, "--out", "run", "--json"], (text, kill) => {
        if (asked || !text.includes("memory")) return;
        asked = true;
        setTimeout(() => kill("SIGINT"), 300);
      });
      expect(code).toBe(130);
      expect(JSON.parse(stdout)).toMatchObject({ ended: "interrupted" });
      const { metrics } = await logqJson(folder, ["evaluate", "run", "--split", "train", "--limit", "100"]);
      expect(Object.keys(metrics as object)).toHaveLength(2);
    });

    it("twice: leaves at once, without a run", async () => {
      let asked = 0;
      // Steps that last: the second signal comes while the first is being honoured.
      const { code } = await logq(
        folder,
        [...endless, "--batch", "4096", "--dim", "512", "--out", "gone"],
        (text, kill) => {
          if (asked === 0 && text.includes("memory")) {
            asked = 1;
            kill("SIGINT");
          } else if (asked === 1 && text.includes("stopping")) {
            asked = 2;
            kill("SIGINT");
          }
        },
      );
      expect(code).toBe(130);
      expect(await names(folder)).not.toContain("gone");
    });
  },
  60_000,
);
