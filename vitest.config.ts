import { defineConfig } from "vitest/config";

// Two suites: "quick" is `npm test`; "full" adds the long properties and the end-to-end runs (files named *.full.test.ts).
export default defineConfig({
  // "trm-ts" in course/ is the source, as in tsconfig.json.
  resolve: { tsconfigPaths: true },
  test: {
    testTimeout: 60_000,
    setupFiles: ["tests/setup.ts"],
    projects: [
      {
        extends: true,
        test: { name: "quick", include: ["tests/**/*.test.ts"], exclude: ["tests/**/*.full.test.ts", "tests/gpu/**"] },
      },
      {
        extends: true,
        test: { name: "full", include: ["tests/**/*.full.test.ts"], testTimeout: 600_000, hookTimeout: 300_000 },
      },
    ],
  },
});
