import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** The suite that every back-end passes stands beside the interface, in the kernels' package; here it meets this package's back-ends. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^.*\/support\/backends\.js$/, replacement: fileURLToPath(new URL("test/backends.ts", import.meta.url)) },
    ],
  },
  test: {
    include: ["test/*.test.ts", "../kernels/test/*.test.ts"],
    exclude: ["../kernels/test/{backend,memory}.test.ts"],
    // Emulated processors take their time.
    testTimeout: 60_000,
  },
});
