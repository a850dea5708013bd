#!/usr/bin/env node
// What every script of the root package.json calls. Nothing is installed yet on a fresh clone, so this folder uses plain
// Node and no dependency; and this one file keeps to syntax that old Nodes can read, so that they can be told to go.
const major = Number(process.versions.node.split(".")[0]);
if (major < 20) {
  console.error(`logq needs Node 20 or newer; this is Node ${process.versions.node} (${process.execPath}).`);
  console.error(
    "Install a newer one from https://nodejs.org or with your version manager, then run the command again.",
  );
  process.exit(1);
}
import("./main.mjs").then(({ main }) => main(process.argv[2], process.argv.slice(3)));
