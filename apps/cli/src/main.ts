#!/usr/bin/env node
import { runCli } from "./cli.js";

const debug = process.env.LOGQ_DEBUG !== undefined && process.env.LOGQ_DEBUG !== "";

// A reader that has seen enough (`logq … | head`) is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}

process.exitCode = await runCli(process.argv.slice(2), process, debug);
