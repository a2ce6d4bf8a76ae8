// The WebAssembly backend in a real browser: src/index.ts is bundled by Vite for production and trains in a Web Worker, with
// cross-origin isolation (threads) and without (one thread and one warning). The losses must equal those in Node.
// Vite and playwright-core are installed in tests/gpu; if they or Chromium are missing, the tests are skipped.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Browser, launchChromium, loadVite, missingForBrowser, type Vite } from "../gpu/browser.node.ts";
import { type StepReport, trainSmallModels } from "./step.ts";

const root = fileURLToPath(new URL("page", import.meta.url));

const missing = missingForBrowser();
if (missing) console.log(`tests/browser skipped: ${missing}`);

const isolation = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

describe.skipIf(missing !== null)("training steps in a Web Worker of Chromium", () => {
  let vite: Vite;
  let browser: Browser;
  let inNode: StepReport;
  const outDir = mkdtempSync(join(tmpdir(), "trm-browser-"));
  const common = { root, configFile: false, logLevel: "error", base: "./" };

  beforeAll(async () => {
    vite = await loadVite();
    const worker = { format: "es" };
    await vite.build({ ...common, worker, build: { outDir, emptyOutDir: true, target: "esnext" } });
    browser = await launchChromium([]);
    inNode = await trainSmallModels();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(outDir, { recursive: true, force: true });
  });

  async function reportFrom(headers: Record<string, string>): Promise<StepReport & { isolated: boolean }> {
    const server = await vite.preview({
      ...common,
      build: { outDir },
      preview: { port: 0, host: "127.0.0.1", headers },
    });
    const page = await browser.newPage();
    try {
      await page.goto(server.resolvedUrls!.local[0]!);
      await page.waitForFunction("globalThis.report !== undefined", null, { timeout: 120_000 });
      const report = (await page.evaluate("globalThis.report")) as StepReport & { isolated: boolean; error?: string };
      if (report.error) throw new Error(report.error);
      return report;
    } finally {
      await page.close();
      await server.close();
    }
  }

  const expectLossesOfNode = (losses: readonly number[]): void => {
    expect(losses.length).toBe(inNode.losses.length);
    losses.forEach((loss, i) => {
      expect(Math.abs(loss / inNode.losses[i]! - 1)).toBeLessThan(1e-5);
    });
  };

  it("training runs on two threads in a cross-origin isolated page", async () => {
    const report = await reportFrom(isolation);
    expect(report).toMatchObject({ isolated: true, build: "relaxed SIMD, 2 threads", helpers: 1, warnings: [] });
    expectLossesOfNode(report.losses);
  });

  it("training runs on one thread with a single warning in a page that is not isolated", async () => {
    const report = await reportFrom({});
    expect(report).toMatchObject({ isolated: false, build: "relaxed SIMD, 1 thread", helpers: 0 });
    expect(report.warnings).toEqual([
      "wasm backend: no SharedArrayBuffer here (the page is not cross-origin isolated); it runs on one thread",
    ]);
    expectLossesOfNode(report.losses);
  });
});
