import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { requireFiles, withTemporaryFolder } from "../src/published/folder.js";
import { machineLine, markdownTable, signedPercent } from "../src/report/markdown.js";
import { writeIntoPage } from "../src/report/page.js";

test("a table of markdown has numbers to the right, all columns but the first", () => {
  expect(
    markdownTable([
      ["", "ms"],
      ["a", "1"],
      ["b", "22"],
    ]),
  ).toEqual(["|  | ms |", "| --- | --: |", "| a | 1 |", "| b | 22 |"]);
});

test("differences have a sign, but for 0", () => {
  const three = [0.00123, -0.00123, -1e-9, 0].map((share) => signedPercent(share));
  expect(three).toEqual(["+0.123%", "-0.123%", "0.000%", "0.000%"]);
  expect(signedPercent(0.01234, 1)).toBe("+1.2%");
});

test("the line of a machine has neither date nor load", () => {
  const machine = { cpu: "a processor", cores: 2, memoryBytes: 8 * 2 ** 30, os: "linux", node: "20.0.0" };
  const line = machineLine({ ...machine, v8: "1", nodeOptions: [], load: 0.25, revision: null });
  expect(line).toBe("a processor, 2 cores, 8 GiB, linux; Node 20.0.0");
});

test("a page takes numbers behind its line, in place of older ones, and nothing else", async () => {
  await withTemporaryFolder(async (folder) => {
    const file = path.join(folder, "page.md");
    await writeFile(file, "# Speed\n\n## The numbers\n\nold\n");
    await writeIntoPage("new\n", file);
    expect(await readFile(file, "utf8")).toBe("# Speed\n\n## The numbers\n\nnew\n");
  });
});

test("a page without such a line is refused, and one that is not there", async () => {
  await withTemporaryFolder(async (folder) => {
    const file = path.join(folder, "page.md");
    await writeFile(file, "# Speed\n");
    await expect(writeIntoPage("new\n", file)).rejects.toThrow('has no line "## The numbers"');
    await expect(writeIntoPage("new\n", `${file}.no`)).rejects.toThrow("cannot be read");
  });
});

test("a temporary folder is gone afterwards, also when something fails", async () => {
  let kept = "";
  const failing = withTemporaryFolder(async (folder) => {
    kept = folder;
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(() => requireFiles(path.dirname(kept), [path.basename(kept)])).toThrow(/has no/);
});
