#!/usr/bin/env node
import { runStudy } from "../shared/study.js";
import { multilabel } from "./study.js";

process.exitCode = await runStudy(multilabel, process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
