import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { touched } from "./example.js";

it("the README's example is the one that runs here", () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
  expect(read("../README.md")).toContain(`\`\`\`ts\n${read("example.ts").replace("export const", "const")}\`\`\``);
  expect(touched).toEqual([3, 7, 999]);
});
