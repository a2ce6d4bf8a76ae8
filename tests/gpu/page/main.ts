// Runs the gpu suite in a page: index.html?mode=webgl2&only=part-of-a-name. Stores the result in `globalThis.report`.
import type { GpuMode } from "../../../src/tensor/backends/gpu/index.ts";
import { countGpuObjects } from "../suite/gpu-objects.ts";
import { runSuite } from "../suite/runner.ts";

const query = new URLSearchParams(location.search);
const page = globalThis as { report?: unknown };
const log = (line: string): void => {
  document.querySelector("#log")!.textContent += `${line}\n`;
  console.log(line);
};

countGpuObjects();
try {
  page.report = await runSuite(query.get("mode") as GpuMode, log, query.get("only") ?? "");
} catch (error) {
  page.report = { error: (error as Error).message };
}
