// `npm run test:gpu` runs the gpu suite in the modes of a GPU, rendered in software: headless GL in Node (under an X display), and
// WebGL2 and WebGPU in Chromium, in a page built by Vite for production. Modes that cannot run here are skipped with the reason.
// Prints one summary line per mode.
//
//   npm run test:gpu                             all modes
//   npm run test:gpu -- webgpu                   one mode
//   npm run test:gpu -- webgpu "part of a name"  some of the cases
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type BrowserMode, buildPage, missingForBrowser, runPage } from "./browser.node.ts";
import { closingLine, type Report } from "./suite/runner.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const project = fileURLToPath(new URL("../..", import.meta.url));
const modes = ["headlessgl", "webgl2", "webgpu"] as const;

const [onlyMode, onlyCase = ""] = process.argv.slice(2);
const minutes = 15;

installOnce();
const lines: string[] = [];
let hasFailed = false;
for (const mode of modes.filter((each) => !onlyMode || each === onlyMode)) {
  console.log(`\n${mode}`);
  const missing = mode === "headlessgl" ? missingForHeadless() : missingForBrowser();
  if (missing) lines.push(`${mode} none 0 passed, 0 failed, 1 skipped (${missing})`);
  else {
    const line = mode === "headlessgl" ? runHeadless() : await runBrowser(mode);
    hasFailed ||= !/ 0 failed/.test(line);
    lines.push(line);
  }
}
console.log(`\n${lines.join("\n")}`);
process.exit(hasFailed ? 1 : 0);

/** Installs the packages of this folder. `gl` is compiled, which takes three minutes; npm omits it if that fails. */
function installOnce(): void {
  if (existsSync(`${folder}node_modules`)) return;
  console.log("installing the packages of tests/gpu (compiling gl takes some minutes)");
  const { status, stderr } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: folder, encoding: "utf8" });
  if (status !== 0) console.log(stderr.split("\n").slice(-10).join("\n"));
}

function missingForHeadless(): string | null {
  if (!existsSync(`${folder}node_modules/gl/build/Release/webgl.node`)) {
    return "no compiled gl in tests/gpu (Debian: apt-get install libxi-dev libxext-dev libgl1-mesa-dev, then npm ci --prefix tests/gpu)";
  }
  if (!process.env.DISPLAY && spawnSync("xvfb-run", ["--help"]).error) {
    return "no X display and no xvfb-run (Debian: apt-get install xvfb xauth)";
  }
  return null;
}

function runHeadless(): string {
  const node = [process.execPath, "--require", `${folder}real-gl.cjs`, "--import", "tsx"];
  const command = [...node, `${folder}headless.node.ts`, "headlessgl", onlyCase];
  const [program, ...rest] = process.env.DISPLAY ? command : ["xvfb-run", "-a", ...command];
  const { stdout, stderr } = spawnSync(program!, rest, { cwd: project, encoding: "utf8", timeout: minutes * 60_000 });
  console.log(stdout);
  const closing = stdout.trimEnd().split("\n").at(-1) ?? "";
  if (/ \d+ failed/.test(closing)) return closing;
  console.log(stderr);
  return "headlessgl none 0 passed, 1 failed, 0 skipped (the suite ended without a summary)";
}

async function runBrowser(mode: BrowserMode): Promise<string> {
  const page = await buildPage(`${folder}page`);
  try {
    const query = new URLSearchParams({ mode, only: onlyCase });
    const report = (await runPage(`${page.address}?${query}`, mode, console.log, minutes)) as
      | Report
      | { error: string };
    if ("error" in report) return `${mode} none 0 passed, 1 failed, 0 skipped (${report.error})`;
    return closingLine(report);
  } catch (error) {
    return `${mode} none 0 passed, 1 failed, 0 skipped (${(error as Error).message.split("\n")[0]})`;
  } finally {
    await page.close();
  }
}
