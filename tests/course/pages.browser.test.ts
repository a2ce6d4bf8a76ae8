// The built pages of the course in real Chromium: no accessibility violation, no sideways scrolling, light and dark, phone and desk.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildPages } from "../../course/page/build.node.ts";
import { projectRoot } from "../source.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
if (!executablePath) console.log("tests/course/pages skipped: no Chromium in /usr/bin");

const folder = mkdtempSync(join(tmpdir(), "trm-pages-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!executablePath)("the pages of the course", () => {
  let browser: Browser;
  let pages: string[];
  const axe = readFileSync(`${projectRoot}node_modules/axe-core/axe.min.js`, "utf8");

  beforeAll(async () => {
    const count = await buildPages(folder, "../explorer/");
    pages = readdirSync(folder).filter((name) => name.endsWith(".html"));
    expect(pages).toHaveLength(count);
    browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox"] });
  });
  afterAll(() => browser?.close());

  for (const width of [320, 1280]) {
    for (const colorScheme of ["light", "dark"] as const) {
      it(`have no axe violation and do not scroll sideways at ${width} px in ${colorScheme}`, async () => {
        const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
        const messages: string[] = [];
        page.on("console", (message) => messages.push(message.text()));
        for (const name of pages) {
          await page.goto(pathToFileURL(join(folder, name)).href);
          await page.evaluate(axe);
          const violations = await page.evaluate(
            "axe.run({ preload: false }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))",
          );
          expect(violations, name).toEqual([]);
          expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth"), name).toBeLessThanOrEqual(0);
        }
        expect(messages).toEqual([]);
        await page.close();
      });
    }
  }

  it("link only to pages that exist, to the explorer and to the web", () => {
    for (const name of pages) {
      const text = readFileSync(join(folder, name), "utf8");
      const targets = [...text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, target]) => target!);
      const broken = targets.filter(
        (target) => !/^https:|^\.\.\/explorer\/#v=1&/.test(target) && !existsSync(join(folder, target)),
      );
      expect(broken, name).toEqual([]);
    }
  });
});
