// The memory of the wasm backend: blocks never overlap, and memory that is released can be used for blocks of any size.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WasmMemory } from "../../src/tensor/backends/wasm/memory.ts";
import { MemoryError, tensor, WasmBackend } from "../../src/tensor/index.ts";

const limit = 2 ** 22;
const largest = 2 ** 17;
const megabyte = 2 ** 20;

interface Block {
  readonly pointer: number;
  readonly bytes: number;
}

describe("the memory of the wasm backend", () => {
  it("blocks never overlap, and all of the memory can be allocated again after every block was released", () => {
    const size = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: largest }));
    // Releases the block at this position, or allocates one.
    const step = fc.record({ bytes: size, released: fc.option(fc.nat(), { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const memory = new WasmMemory(false, limit);
        const live: Block[] = [];
        for (const { bytes, released } of steps) {
          const [block] = released === undefined ? [] : live.splice(released % Math.max(live.length, 1), 1);
          if (block) memory.release(block.pointer, block.bytes);
          else if (live.reduce((sum, each) => sum + each.bytes, bytes) < limit / 4) {
            live.push({ pointer: memory.allocate(bytes), bytes });
          }
          const sorted = live.toSorted((a, b) => a.pointer - b.pointer);
          for (const [i, { pointer, bytes: length }] of sorted.entries()) {
            expect(pointer % 64).toBe(0);
            expect(pointer + length).toBeLessThanOrEqual(sorted[i + 1]?.pointer ?? memory.reservedBytes - 64);
          }
        }
        for (const block of live) memory.release(block.pointer, block.bytes);
        expect(memory.liveBytes).toBe(0);
        const most = 3.5 * megabyte; // a size class; the first page is not part of the heap
        expect(memory.allocate(most)).toBe(new WasmMemory(false, limit).allocate(most));
      }),
    );
  });

  it("blocks of 4, 6, 8 ... 40 MB, each released before the next is allocated, fit into 64 MB", () => {
    const memory = new WasmMemory(false, 64 * megabyte);
    for (let size = 4; size <= 40; size += 2) memory.release(memory.allocate(size * megabyte), size * megabyte);
    expect(memory.reservedBytes).toBeLessThan(50 * megabyte);
  });

  it("a block that does not fit beside the live ones is refused, and the others stay as they are", () => {
    const memory = new WasmMemory(false, limit);
    const kept = memory.allocate(megabyte);
    memory.release(memory.allocate(megabyte), megabyte);
    expect(() => memory.allocate(3.5 * megabyte)).toThrow(MemoryError);
    expect(memory.allocate(2 * megabyte)).toBe(kept + megabyte);
  });
});

it("a wasm backend on which no tensor is alive reports 0 live bytes", () => {
  const backend = new WasmBackend({ threads: 1 });
  expect(backend.memory().liveBytes).toBe(0);
  const x = tensor([1, 2, 3], { backend });
  expect(backend.memory().liveBytes).toBe(64);
  x.dispose();
  expect(backend.memory().liveBytes).toBe(0);
});
