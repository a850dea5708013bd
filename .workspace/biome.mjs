import { join } from "node:path";
import { runChild } from "./child.mjs";
import { binFolder, root } from "./places.mjs";

/** Runs Biome over the whole workspace; answers with its exit code. */
export async function biome(args, onLine) {
  const colours = process.stdout.isTTY && !process.env.NO_COLOR ? "--colors=force" : "--colors=off";
  const { code } = await runChild(join(binFolder, "biome"), [...args, colours], {
    cwd: root,
    env: process.env,
    onLine,
  });
  return code;
}
