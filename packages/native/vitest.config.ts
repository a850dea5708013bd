import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/**
 * The suite that every back-end passes stands beside the interface, in the kernels' package, and that of samplers which live in kernel memory in theirs;
 * here they meet this package's back-ends.
 */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^.*\/support\/backends\.js$/, replacement: fileURLToPath(new URL("test/backends.ts", import.meta.url)) },
      {
        find: /^.*\/contextual-backends\.js$/,
        replacement: fileURLToPath(new URL("test/contextual-backends.ts", import.meta.url)),
      },
    ],
  },
  test: {
    include: [
      "test/*.test.ts",
      "../kernels/test/*.test.ts",
      "../samplers/test/{midx,kernel-tree*,lsh,kmeans,memory-sampler}.test.ts",
    ],
    exclude: ["../kernels/test/{backend,memory}.test.ts"],
    // Emulated processors take their time.
    testTimeout: 60_000,
  },
});
