// Kernels of the WebAssembly backend wait in a list. That must be invisible: whatever a program writes, reads and releases in the
// meantime, the bits are the same as if every kernel ran immediately.
import fc from "fast-check";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { WasmBackend } from "../../src/tensor/backends/wasm/backend.ts";
import * as t from "../../src/tensor/index.ts";
import { valuesOf } from "./naive.ts";
import { blank, normal, on, three, two } from "./wasm-backends.ts";

/** Large enough for products to be shared among threads. */
const [batch, length] = [2, 64];
const shape = [batch, length, length];
/** Number of live tensors of a program. */
const places = 4;

const place = fc.nat(places - 1);
const seed = fc.nat(1e6);
const instruction = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), a: place, b: place, to: place }),
  fc.record({ kind: fc.constant("product" as const), a: place, b: place, to: place }),
  fc.record({ kind: fc.constant("times weight" as const), a: place, to: place }),
  fc.record({ kind: fc.constant("weight times" as const), a: place, to: place }),
  fc.record({ kind: fc.constant("new weight" as const), seed }),
  fc.record({ kind: fc.constant("new" as const), to: place, seed }),
  fc.record({ kind: fc.constant("assign" as const), to: place, seed }),
  fc.record({ kind: fc.constant("read" as const), a: place }),
);
type Instruction = typeof instruction extends fc.Arbitrary<infer T> ? T : never;

/** All values that the program reads, and all its tensors at the end. */
function run(program: readonly Instruction[], backend: WasmBackend, atOnce: boolean): number[][] {
  return t.scope(() => {
    const weight = on(backend, [length, length], normal(99, [length, length], 0.1));
    const tensors = Array.from({ length: places }, (_, i) => on(backend, shape, normal(i, shape, 0.1)));
    const replace = (to: number, by: t.Tensor): void => {
      tensors[to]!.dispose(); // The next tensor may get this memory while kernels that use it still wait.
      tensors[to] = by;
    };
    const reads: number[][] = [];
    for (const step of program) {
      if (step.kind === "add") replace(step.to, t.add(tensors[step.a]!, tensors[step.b]!));
      else if (step.kind === "product") replace(step.to, t.matmul(tensors[step.a]!, tensors[step.b]!));
      else if (step.kind === "times weight") replace(step.to, t.matmul(tensors[step.a]!, weight));
      else if (step.kind === "weight times") replace(step.to, t.matmul(weight, tensors[step.a]!));
      else if (step.kind === "new weight") t.assign(weight, normal(step.seed, weight.shape, 0.1));
      else if (step.kind === "new") replace(step.to, on(backend, shape, normal(step.seed, shape, 0.1)));
      else if (step.kind === "assign") t.assign(tensors[step.to]!, normal(step.seed, shape, 0.1));
      else reads.push(valuesOf(tensors[step.a]!));
      if (atOnce) backend.runtime.finish();
    }
    return [...reads, ...tensors.map(valuesOf)];
  });
}

/** Like toEqual, which is slow on long lists. */
function expectSame(values: readonly number[][], wanted: readonly number[][]): void {
  expect(values.map(({ length }) => length)).toEqual(wanted.map(({ length }) => length));
  const differs = values.findIndex((list, i) => list.some((value, j) => !Object.is(value, wanted[i]![j])));
  if (differs >= 0) expect(values[differs]).toEqual(wanted[differs]);
}

describe("waiting kernels", () => {
  beforeAll(() => vi.waitUntil(() => two.runtime.readyHelpers === 1 && three.runtime.readyHelpers === 2, 10_000));

  it("waiting kernels compute the same bits as kernels that run immediately", () => {
    fc.assert(
      fc.property(fc.array(instruction, { maxLength: 200 }), (program) => {
        const wanted = run(program, two, true);
        for (const backend of [two, three]) {
          expectSame(run(program, backend, false), wanted);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("waiting kernels run when the list is full", () => {
    const program: Instruction[] = Array.from({ length: 200 }, (_, i) => ({
      kind: "times weight",
      a: i % 4,
      to: i % 4,
    }));
    expectSame(run(program, three, false), run(program, three, true));
  });

  it("the calling thread runs all kernels after the backend is disposed", async () => {
    const backend = new WasmBackend({ threads: 2 });
    await vi.waitUntil(() => backend.runtime.readyHelpers === 1, 10_000);
    t.scope(() => {
      const a = on(backend, [256, 256], normal(1, [256, 256]));
      const product = t.matmul(a, a);
      backend.dispose();
      expectSame([valuesOf(product)], [valuesOf(t.matmul(a, a))]);
      expect(backend.runtime.helpersInLastKernel).toBe(0);
    });
  });

  it("after a kernel has trapped the backend refuses to read and to compute", async () => {
    const backend = new WasmBackend({ threads: 2 });
    await vi.waitUntil(() => backend.runtime.readyHelpers === 1, 10_000);
    t.scope(() => {
      const a = on(backend, [256, 256], normal(1, [256, 256]));
      const nowhere = 0x7fff0000; // Past the end of the memory.
      const lost = t.matmul(a, a); // The helping thread works on the list too.
      backend.runtime.run("unary", {
        items: 1,
        cost: 1,
        fields: { out: nowhere, x: nowhere, length: 1 << 12, operation: 2, scale: 1, shift: 0 },
      });
      expect(() => valuesOf(a)).toThrow(WebAssembly.RuntimeError);
      for (const tensor of [a, lost]) expect(() => valuesOf(tensor)).toThrow("a kernel has trapped before");
      expect(() => t.add(a, a)).toThrow("wasm backend: a kernel has trapped before, expected a new backend");
    });
    backend.dispose();
  });

  it.each([1, 2, 3, 4, 5])("a trap on a helping thread is an error and not an endless wait: attempt %i", async () => {
    const backend = new WasmBackend({ threads: 2 });
    await vi.waitUntil(() => backend.runtime.readyHelpers === 1, 10_000);
    t.scope(() => {
      const a = on(backend, [256, 256], normal(1, [256, 256]));
      t.matmul(a, a); // Wakes the helping thread.
      // Two items of 4096 elements. The second one is past the end of the memory, and usually the helping thread takes it.
      const last = backend.runtime.heap.memory.buffer.byteLength - 4 * 4096;
      backend.runtime.run("unary", {
        items: 2,
        cost: 1e6,
        fields: { out: last, x: last, length: 2 * 4096, operation: 5, scale: 1, shift: 0 },
      });
      expect(() => valuesOf(a)).toThrow(/a kernel trapped on a helping thread|out of bounds/);
      expect(() => t.add(a, a)).toThrow("wasm backend: a kernel has trapped before, expected a new backend");
    });
    backend.dispose();
  });

  it("waiting kernels run before their scratch memory moves", () => {
    const backend = new WasmBackend({ threads: 1 });
    t.scope(() => {
      const weight = on(backend, [41, 41], normal(1, [41, 41]));
      const left = on(backend, [7, 41], normal(2, [7, 41]));
      const [width, inner] = [64, 2400];
      const h = on(backend, [1, 50, width], normal(3, [1, 50, width]));
      const gateUp = on(backend, [2 * inner, width], normal(4, [2 * inner, width]));
      const down = on(backend, [width, inner], normal(5, [width, inner]));
      // The released memory of one of these becomes the new scratch memory: all size classes from 256 KB to 1 MB.
      const sizes = Array.from({ length: 17 }, (_, i) => Math.floor(2 ** (16 + i / 8)));
      const xs = sizes.map((size) => on(backend, [size], normal(6, [size])));
      const doubled = xs.map((x) => t.add(x, x));
      t.matmul(left, weight); // Writes scratch memory.
      const fourfold = doubled.map((x) => t.add(x, x));
      for (const x of doubled) x.dispose();
      backend.fused.swigluBlock!(blank(backend, h.shape), null, h, gateUp, down, -1, 1e-5); // Needs more scratch memory.
      fourfold.forEach((y, i) => {
        const x = valuesOf(xs[i]!);
        expect(valuesOf(y).every((value, j) => value === 4 * x[j]!)).toBe(true);
      });
    });
  });
});
