// The GPU benchmark in a page. gpu.html measures each available mode in a separate frame (gpu.html?mode=webgl2), shows the table and
// exports it. A frame also stores its column in `globalThis.report`, where main.node.ts reads it.
import { availableModes, createGpuBackend, type GpuMode } from "../../src/tensor/backends/gpu/index.ts";
import { isWasmSupported, WasmBackend } from "../../src/tensor/index.ts";
import { type BenchReport, type Column, type MeasuredBackend, measure } from "./measure.ts";
import { tableOf } from "./table.ts";

const page = globalThis as { report?: unknown };
const mode = new URLSearchParams(location.search).get("mode");
const element = <T extends HTMLElement>(selector: string): T => document.querySelector<T>(selector)!;
const showStatus = (text: string): void => {
  element("#status").textContent = text;
};

if (mode) await measureMode(mode);
else element("#run").addEventListener("click", () => void measureAll());

/** Measures one mode of the gpu backend, or "wasm", in a frame. */
async function measureMode(name: string): Promise<void> {
  try {
    const backend: MeasuredBackend =
      name === "wasm" ? new WasmBackend() : await createGpuBackend({ mode: name as GpuMode });
    page.report = await measure(backend, (what) => {
      showStatus(what);
      parent.postMessage({ progress: `${name}: ${what}` }, "*");
    });
    backend.dispose();
  } catch (error) {
    page.report = { error: (error as Error).message };
  }
  parent.postMessage({ report: page.report }, "*");
}

async function measureAll(): Promise<void> {
  element<HTMLButtonElement>("#run").disabled = true;
  const { modes, reasons } = await availableModes();
  const columns: Column[] = [];
  const failures = [...reasons];
  for (const each of [...modes, ...(isWasmSupported() ? ["wasm"] : [])]) {
    const result = await inFrame(each);
    if ("error" in result) failures.push(`${each}: ${result.error}`);
    else columns.push(result);
    show(columns);
  }
  showStatus(failures.length > 0 ? `Not measured: ${failures.join("; ")}` : "Done");
  const report: BenchReport = {
    when: new Date().toISOString(),
    platform: navigator.userAgent,
    threads: navigator.hardwareConcurrency,
    columns,
  };
  const button = element<HTMLButtonElement>("#export");
  button.onclick = () => save("trm-ts-gpu-bench.json", JSON.stringify(report, null, 2));
  button.hidden = false;
  element<HTMLButtonElement>("#run").disabled = false;
}

/** Downloads a text as a file. */
function save(name: string, text: string): void {
  const link = document.createElement("a");
  link.download = name;
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.click();
  URL.revokeObjectURL(link.href);
}

function inFrame(name: string): Promise<Column | { error: string }> {
  return new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.hidden = true;
    frame.src = `${location.pathname}?mode=${name}`;
    const listen = ({ source, data }: MessageEvent): void => {
      if (source !== frame.contentWindow) return;
      if (data.progress) showStatus(data.progress);
      if (!data.report) return;
      removeEventListener("message", listen);
      frame.remove();
      resolve(data.report);
    };
    addEventListener("message", listen);
    document.body.append(frame);
  });
}

function show(columns: readonly Column[]): void {
  const table = document.createElement("table");
  for (const [i, row] of tableOf(columns).entries()) {
    const line = table.insertRow();
    for (const cell of row) {
      const box = i === 0 ? document.createElement("th") : document.createElement("td");
      box.textContent = cell;
      line.append(box);
    }
  }
  const names = columns.map(({ build, backend }) => {
    const item = document.createElement("li");
    item.textContent = `${backend}: ${build}`;
    return item;
  });
  const list = document.createElement("ul");
  list.append(...names);
  element("#result").replaceChildren(table, list);
}
