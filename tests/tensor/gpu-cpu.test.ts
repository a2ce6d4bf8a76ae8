// The gpu suite in the cpu mode of gpu.js.
import { runGpuSuite } from "./gpu-suite.ts";

runGpuSuite("cpu", "CPUKernel", "quick", 8);
