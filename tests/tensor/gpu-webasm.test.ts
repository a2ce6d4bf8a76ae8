// The gpu suite in the webasm mode of gpu.js.
import { runGpuSuite } from "./gpu-suite.ts";

runGpuSuite("webasm", "WebAssemblyKernel", "quick", 8);
