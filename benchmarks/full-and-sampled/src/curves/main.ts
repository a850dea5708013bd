#!/usr/bin/env node
import { runStudy } from "../shared/study.js";
import { curves } from "./study.js";

process.exitCode = await runStudy(curves, process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
