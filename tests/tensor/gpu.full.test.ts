// The long cases of the gpu suite, in the modes that run without a GPU.
import { runGpuSuite } from "./gpu-suite.ts";

runGpuSuite("cpu", "CPUKernel", "long", 1);
runGpuSuite("webasm", "WebAssemblyKernel", "long", 1);
