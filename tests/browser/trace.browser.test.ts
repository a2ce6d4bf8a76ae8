// A trace has the same bits in Node and in a Web Worker of a real Chromium. Both compute on the reference backend, because the builds of
// the WebAssembly kernels for different engines may round differently.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { build } from "vite";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../source.ts";
import { recordedTrace } from "./trace.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
if (!executablePath) console.log("tests/browser/trace skipped: no Chromium in /usr/bin");

describe.skipIf(!executablePath)("a trace recorded in a Web Worker", () => {
  it("is the one that Node records, digit by digit", async () => {
    const folder = mkdtempSync(join(tmpdir(), "trm-trace-"));
    const browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox"] });
    try {
      const lib = { entry: `${projectRoot}tests/browser/trace.ts`, formats: ["iife" as const], name: "recorder" };
      await build({
        configFile: false,
        logLevel: "error",
        build: { outDir: folder, lib: { ...lib, fileName: () => "recorder.js" } },
      });
      const recorder = readFileSync(join(folder, "recorder.js"), "utf8");
      const program = `${recorder}\nrecorder.recordedTrace().then((trace) => postMessage(trace));`;
      const page = await browser.newPage();
      const inWorker = await page.evaluate(
        (code) =>
          new Promise<string>((resolve, reject) => {
            const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
            worker.onmessage = ({ data }) => resolve(String(data));
            worker.onerror = ({ message }) => reject(new Error(message));
          }),
        program,
      );
      const inNode = await recordedTrace();
      expect(inNode.length).toBeGreaterThan(5_000);
      expect(JSON.parse(inWorker)).toEqual(JSON.parse(inNode)); // shows which field differs
      expect(inWorker).toBe(inNode);
    } finally {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
