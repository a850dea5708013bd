import assert from "node:assert/strict";
import { test } from "node:test";
import { adviceOnInstall, assertPlatform, assertWritable } from "../circumstances.mjs";

test("a machine without the native tools is named, with those that have them", () => {
  assert.doesNotThrow(() => assertPlatform("linux-x64"));
  assert.throws(() => assertPlatform("sunos-x64"), /linux-x64.*this machine is sunos-x64/);
  assert.throws(() => assertPlatform("win32-x64"), /Subsystem for Linux/);
});

test("a folder that cannot be written is named", () => {
  assert.throws(() => assertWritable("/nowhere/at all"), /\/nowhere\/at all \(ENOENT\)/);
});

test("the advice follows from the log", () => {
  assert.match(adviceOnInstall("npm error code EAI_AGAIN"), /registry could not be reached/);
  assert.match(adviceOnInstall("ERR_PNPM_OUTDATED_LOCKFILE"), /pnpm-lock\.yaml does not fit/);
  assert.match(adviceOnInstall("ENOSPC: no space left on device"), /disk is full/);
  assert.match(adviceOnInstall("something else"), /same command again/);
});
