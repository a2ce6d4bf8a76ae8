// The gpu suite in Node, in the mode of the first argument: headless GL, under an X display and with real-gl.cjs preloaded.
// (Also cpu and webasm, for trying out.) The second argument picks cases by a part of their name.
import type { GpuMode } from "../../src/tensor/backends/gpu/index.ts";
import { countTexturesOf } from "./suite/gpu-objects.ts";
import { closingLine, runSuite } from "./suite/run.ts";

const [mode = "headlessgl", only] = process.argv.slice(2);
(globalThis as { onHeadlessContext?: (context: object) => void }).onHeadlessContext = countTexturesOf;
const report = await runSuite(mode as GpuMode, console.log, only);
console.log(closingLine(report));
process.exit(report.failed > 0 ? 1 : 0);
