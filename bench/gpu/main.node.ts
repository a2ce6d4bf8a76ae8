// The GPU benchmark.
//
//   npm run bench:gpu -- --serve                        builds and serves bench/gpu.html, to be opened on a machine with a GPU
//   npm run bench:gpu [-- --out FILE.json] [COLUMN...]  measures in Node (wasm, cpu, webasm, and headlessgl if it is compiled) and in
//                                                       Chromium (webgl2, webgpu, page-wasm), which renders in software unless
//                                                       TRM_GPU_HARDWARE=1
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createGpuBackend, type GpuMode } from "../../src/tensor/backends/gpu/index.ts";
import { WasmBackend } from "../../src/tensor/index.ts";
import { type BrowserMode, buildPage, missingForBrowser, runPage } from "../../tests/gpu/browser.node.ts";
import { type BenchReport, type Column, type MeasuredBackend, measure } from "./measure.ts";
import { tableOf, textOf } from "./table.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));
const inNode = ["wasm", "cpu", "webasm", "headlessgl"];
const inPage = ["webgl2", "webgpu", "page-wasm"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: "string" }, column: { type: "string" }, serve: { type: "boolean" } },
});
const columns = [...inNode, ...inPage];
const unknown = positionals.find((name) => !columns.includes(name));
if (unknown !== undefined) {
  console.error(`bench:gpu: got the column "${unknown}", expected some of ${columns.join(", ")}`);
  process.exit(2);
}
if (values.column) await printColumn(values.column);
else if (values.serve) await serve();
else await measureAll();

/** Serves the page until the process is interrupted. */
async function serve(): Promise<void> {
  const missing = missingForBrowser();
  if (missing) console.log(`note: ${missing}`);
  const { address } = await buildPage(`${project}bench`, "gpu.html");
  console.log(`open ${address}`);
}

async function measureAll(): Promise<void> {
  const columns: Column[] = [];
  const isSelected = (name: string): boolean => positionals.length === 0 || positionals.includes(name);
  for (const name of inNode.filter(isSelected)) keep(name, inChild(name));
  const pages = inPage.filter(isSelected);
  const missing = missingForBrowser();
  if (missing) for (const name of pages) keep(name, { error: missing });
  else if (pages.length > 0) {
    const page = await buildPage(`${project}bench`, "gpu.html");
    for (const name of pages) {
      const mode = name === "page-wasm" ? "wasm" : name;
      const browser: BrowserMode = mode === "webgpu" ? "webgpu" : "webgl2";
      const result = await runPage(`${page.address}?mode=${mode}`, browser, console.error, 10);
      keep(name, result as Column | { error: string });
    }
    await page.close();
  }

  const report: BenchReport = {
    when: new Date().toISOString(),
    platform: `Node ${process.version}, ${cpus()[0]?.model ?? "unknown processor"}`,
    threads: availableParallelism(),
    columns,
  };
  console.log(`${report.platform}, ${report.threads} threads\n\n${textOf(tableOf(columns))}\n`);
  for (const { backend, build } of columns) console.log(`${backend}: ${build}`);
  if (values.out) writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`);
  process.exit(0);

  function keep(name: string, result: Column | { error: string }): void {
    if ("error" in result) console.log(`${name}: not measured, ${result.error}`);
    else columns.push(name === "page-wasm" ? { ...result, backend: name } : result);
  }
}

/** Measures one column in a separate process, because there is one GPU instance per process. */
function inChild(name: string): Column | { error: string } {
  const node = [process.execPath, "--import", "tsx", fileURLToPath(import.meta.url), "--column", name];
  if (name === "headlessgl") {
    if (!existsSync(`${project}tests/gpu/node_modules/gl/build/Release/webgl.node`)) return { error: "no compiled gl" };
    node.splice(1, 0, "--require", `${project}tests/gpu/real-gl.cjs`);
    if (!process.env.DISPLAY) node.unshift("xvfb-run", "-a");
  }
  const { stdout, error } = spawnSync(node[0]!, node.slice(1), {
    cwd: project,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (error) return { error: error.message };
  try {
    return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Column;
  } catch {
    return { error: "its process ended without a result" };
  }
}

async function printColumn(name: string): Promise<void> {
  const backend: MeasuredBackend =
    name === "wasm" ? new WasmBackend() : await createGpuBackend({ mode: name as GpuMode });
  const column = await measure(backend, (what) => console.error(`${name}: ${what}`));
  console.log(JSON.stringify(column));
  process.exit(0);
}
