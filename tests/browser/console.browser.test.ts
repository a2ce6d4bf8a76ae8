// What the console of a real Chromium shows of tensors and variables, with custom formatters switched on as in its developer tools.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { build } from "vite";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../source.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
if (!executablePath) console.log("tests/browser/console skipped: no Chromium in /usr/bin");

const program = `
import { constant, parameter, square } from "${projectRoot}src/autograd/index.ts";
import { formatInBrowserConsole, tensor } from "${projectRoot}src/tensor/index.ts";
formatInBrowserConsole();
formatInBrowserConsole();
globalThis.shown = [tensor([[1, 2.5], [3, 4]]), square(parameter([3])), { other: 1 }];
for (const value of globalThis.shown) console.log(value);
`;

describe.skipIf(!executablePath)("the console of Chromium", () => {
  it("shows shape, element type and numbers of tensors and variables, and other objects as before", async () => {
    const folder = mkdtempSync(join(tmpdir(), "trm-console-"));
    const browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox"] });
    try {
      const entry = join(folder, "program.ts");
      writeFileSync(entry, program);
      await build({
        configFile: false,
        logLevel: "error",
        build: {
          outDir: folder,
          emptyOutDir: false,
          lib: { entry, formats: ["iife"], name: "trm", fileName: () => "program.js" },
        },
      });
      const page = await browser.newPage();
      const devtools = await page.context().newCDPSession(page);
      const headers: (string | undefined)[] = [];
      devtools.on("Runtime.consoleAPICalled", ({ type, args: [value] }) => {
        if (type === "log") headers.push(value?.customPreview?.header);
      });
      await devtools.send("Runtime.enable");
      await devtools.send("Runtime.setCustomObjectFormatterEnabled", { enabled: true });
      await page.evaluate(readFileSync(join(folder, "program.js"), "utf8"));
      await expect.poll(() => headers.length).toBe(3);
      const [tensorLine, variableLine, other] = headers;
      expect(JSON.parse(tensorLine!)).toEqual(["span", {}, "Tensor [2, 2] float32 on wasm: 1, 2.5, 3, 4"]);
      expect(JSON.parse(variableLine!)).toEqual([
        "span",
        {},
        "Variable (from square) of Tensor [1] float32 on wasm: 9",
      ]);
      expect(other).toBeUndefined();
    } finally {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
