// Every link of the lessons opens the explorer in the state that it names, in real Chromium.
import { spawnSync } from "node:child_process";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { explorerAddress, explorerLinks } from "../../course/explorer-links.ts";
import { readLink } from "../../explorer/shared/link.ts";
import { chromiumPath, distFolder, launch, type Served, serve, until, watchedPage } from "../explorer/served.ts";
import { projectRoot } from "../source.ts";

describe.skipIf(!chromiumPath)("the links from the lessons", () => {
  let browser: Browser;
  let served: Served;

  beforeAll(async () => {
    const { status, stderr } = spawnSync("npm", ["run", "explorer:build"], { cwd: projectRoot, encoding: "utf8" });
    expect(status, stderr).toBe(0);
    served = await serve(distFolder, false);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await served?.close();
  });

  for (const own of explorerLinks) {
    it(`open "${own.text}" (lesson ${own.lesson})`, async () => {
      const context = await browser.newContext();
      const address = explorerAddress(own, served.address);
      const { page, complaints } = await watchedPage(context, address);
      if (page.url() === "about:blank") await page.goto(address);
      const current = page.locator('nav[aria-label="Views"] button[aria-current="page"]');
      await until(async () => (await current.count()) === 1, "the current view");
      const title = own.state.view === "class" ? "200 puzzles at once" : own.state.view;
      expect((await current.innerText()).toLowerCase()).toContain(title);
      expect(await page.getByText("Parts of the link were refused").count()).toBe(0);
      // What the page holds after it has opened is what the link said.
      expect(readLink(await page.evaluate(() => location.hash)).link).toMatchObject(
        Object.fromEntries(Object.entries(readLink(new URL(address).hash).link).filter(([key]) => key in own.state)),
      );
      expect(complaints).toEqual([]);
      await context.close();
    });
  }
});
