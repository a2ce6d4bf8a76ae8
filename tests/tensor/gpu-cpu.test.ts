// The gpu suite in gpu.js's cpu mode.
import { runGpuSuite } from "./gpu-suite.ts";

runGpuSuite("cpu", "CPUKernel", "quick", 8);
