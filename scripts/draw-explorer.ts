// Draws docs/images/explorer.png, the picture of the explorer in the README: opens the built page in Chromium, inside the first step of the
// 6x6 model. Run: npm run draw:explorer (builds the page first).
import { fileURLToPath } from "node:url";
import { distFolder, launch, serve } from "../tests/explorer/served.ts";

const picture = fileURLToPath(new URL("../docs/images/explorer.png", import.meta.url));
const server = await serve(distFolder, true);
const browser = await launch();
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
  await page.goto(`${server.address}#v=1&model=sudoku6&lesson=first&part=2&at=2.1.4`);
  await page.waitForTimeout(6000); // the live trace replaces the recorded one
  await page.screenshot({ path: picture });
} finally {
  await browser.close();
  await server.close();
}
console.log(`wrote ${picture}`);
