// Runs the gpu suite in Node, in the mode given by the first argument: headlessgl (which needs an X display and real-gl.cjs
// preloaded), cpu or webasm. The second argument selects cases by a part of their name.
import type { GpuMode } from "../../src/tensor/backends/gpu/index.ts";
import { countTexturesOf } from "./suite/gpu-objects.ts";
import { closingLine, runSuite } from "./suite/runner.ts";

const [mode = "headlessgl", only] = process.argv.slice(2);
(globalThis as { onHeadlessContext?: (context: object) => void }).onHeadlessContext = countTexturesOf;
const report = await runSuite(mode as GpuMode, console.log, only);
console.log(closingLine(report));
process.exit(report.failed > 0 ? 1 : 0);
