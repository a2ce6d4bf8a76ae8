// The gpu suite in gpu.js's webasm mode.
import { runGpuSuite } from "./gpu-suite.ts";

runGpuSuite("webasm", "WebAssemblyKernel", "quick", 8);
