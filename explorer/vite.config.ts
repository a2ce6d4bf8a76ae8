// How the page is served and built. `npm run explorer` serves it with the headers of an isolated page; `npm run explorer:build` writes
// explorer/dist, which any web server can serve from any folder.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { contentSecurityPolicy } from "./build/content-security-policy.ts";
import { isolationWorker } from "./build/isolation-worker.ts";
import { oneKernelBuild } from "./build/one-kernel-build.ts";
import { writtenContent } from "./build/written-content.ts";

const root = fileURLToPath(new URL(".", import.meta.url));
const isolation = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

export default defineConfig({
  root,
  base: "./",
  publicDir: "generated",
  resolve: {
    tsconfigPaths: true,
    alias: [
      {
        find: /^\.\/(grid-csv|csv\/puzzle-csv|(maze|sudoku)\/csv)\.ts$/,
        replacement: fileURLToPath(new URL("build/no-csv.ts", import.meta.url)),
      },
    ],
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [writtenContent(), contentSecurityPolicy(), isolationWorker()],
  worker: { format: "es", plugins: () => [oneKernelBuild()] },
  build: { outDir: "dist", emptyOutDir: true, target: "esnext", modulePreload: { polyfill: false } },
  server: { headers: isolation },
  preview: { headers: isolation },
});
