import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { Child } from "../src/python/child.js";
import { scriptOf, temporaryFolder } from "./small.js";

const ECHO = `
const lines = require("node:readline").createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const question = JSON.parse(line);
  if (question.ask === "die") { console.error("out of memory"); process.exit(3); }
  console.log(JSON.stringify(question.ask === "fail" ? { error: "ValueError: no" } : { got: question.ask, pid: process.pid }));
});
`;

async function start(pausing: boolean): Promise<Child> {
  const script = await scriptOf(await temporaryFolder(), "echo.cjs", ECHO);
  return new Child({ command: process.execPath, args: [script], env: { PATH: process.env.PATH ?? "" }, pausing });
}

describe("Child", () => {
  it("answers one question after the other, and failures with their text", async () => {
    const child = await start(false);
    expect((await child.ask({ ask: "a" })).got).toBe("a");
    await expect(child.ask({ ask: "fail" })).rejects.toThrow("ValueError: no");
    expect((await child.ask({ ask: "b" })).got).toBe("b");
    await child.close();
  });

  it("explains its end by the last line it printed", async () => {
    const child = await start(false);
    await expect(child.ask({ ask: "die" })).rejects.toThrow("it ended with exit code 3: out of memory");
    await expect(child.ask({ ask: "a" })).rejects.toThrow("exit code 3");
    await child.close();
  });

  it("is an error if the program is not there", async () => {
    const child = new Child({ command: "/nowhere/python", args: [], env: {}, pausing: true });
    await expect(child.ask({ ask: "a" })).rejects.toThrow("ENOENT");
  });

  it.runIf(process.platform === "linux")("stands still between its turns, and goes on at the next", async () => {
    const child = await start(true);
    const { pid } = await child.ask({ ask: "a" });
    const state = async () => /^State:\s+(\w)/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
    await expect.poll(state).toBe("T");
    expect((await child.ask({ ask: "b" })).got).toBe("b");
    await child.close();
  });
});
