// A program for wasm-build.full.test.ts: prints how often a helping thread took part in one of 100 kernels. It is asleep before the first.
import type { Build } from "../../src/tensor/backends/wasm/module.ts";
import { WasmRuntime } from "../../src/tensor/backends/wasm/runtime.ts";

const runtime = new WasmRuntime(process.argv[2] as Build, 2, true);
const length = 1 << 20;
const x = runtime.heap.allocate(4 * length);
while (runtime.readyHelpers < 1) await new Promise((resolve) => setTimeout(resolve, 10));
await new Promise((resolve) => setTimeout(resolve, 50)); // The helping thread falls asleep.
let helped = 0;
for (let i = 0; i < 100; i++) {
  runtime.run("unary", {
    items: length / 4096,
    cost: length,
    fields: { out: x, x, length, operation: 2, scale: 1, shift: 0 },
  });
  helped += runtime.helpersInLastKernel;
}
console.log(helped);
process.exit();
