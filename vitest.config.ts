import { defineConfig } from "vitest/config";

// `npm test` runs the suites "engine" and "quick". `npm run test:full` runs "full" (files named *.full.test.ts: the long properties and the
// end-to-end runs) and then "browser" (files named *.browser.test.ts: pages in Chromium), whose files measure times and therefore run one by
// one.
const long = ["tests/**/*.full.test.ts", "tests/**/*.browser.test.ts", "tests/gpu/**"];
// These files open backends and define operations, which stay in the one registry, so that each file runs in a process of its own. The files
// of "quick" share processes, which load the source once: `npm test` takes two thirds of the time.
const engine = ["tests/tensor/**/*.test.ts", "tests/autograd/**/*.test.ts", "tests/testing.test.ts"];
const patient = { testTimeout: 600_000, hookTimeout: 900_000 };

export default defineConfig({
  // "trm-ts" in course/ is the source, as in tsconfig.json.
  resolve: { tsconfigPaths: true },
  test: {
    testTimeout: 60_000,
    setupFiles: ["tests/setup.ts"],
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    // By default vitest leaves one core idle, which is half of a machine with two.
    maxWorkers: "100%",
    projects: [
      {
        extends: true,
        test: { name: "engine", include: engine, exclude: long },
      },
      {
        extends: true,
        test: { name: "quick", include: ["tests/**/*.test.ts"], exclude: [...engine, ...long], isolate: false },
      },
      {
        extends: true,
        test: { name: "full", include: ["tests/**/*.full.test.ts"], ...patient },
      },
      {
        extends: true,
        test: { name: "browser", include: ["tests/**/*.browser.test.ts"], ...patient, fileParallelism: false },
      },
    ],
  },
});
