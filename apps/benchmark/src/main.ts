#!/usr/bin/env node
import { bench, EXIT } from "./bench.js";
import { describeData } from "./measure/data.js";
import { openMeasurer } from "./measure/engine.js";

const interruption = new AbortController();

/** The first Ctrl-C ends the sweep in order: a report of what is there. A second one ends the process. */
function interrupt(): void {
  if (interruption.signal.aborted) process.exit(EXIT.interrupted);
  interruption.abort();
  process.stderr.write("\nstopping; press Ctrl-C again to stop at once\n");
}

process.on("SIGINT", interrupt);
process.on("SIGTERM", interrupt);

// A reader that goes away (`| head`) is no failure; what was measured is on disk.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? EXIT.done : EXIT.failed);
});

try {
  const { stdout, stderr } = process;
  const { signal } = interruption;
  process.exitCode = await bench(process.argv.slice(2), { stdout, stderr, signal, describeData, openMeasurer });
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`error: ${message.split("\n", 1)[0]}\n`);
  process.exit(EXIT.failed);
}
