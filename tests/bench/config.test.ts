// Checks the configurations and operation counts of the benchmark against values computed by hand and by torch_step.py.
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { peerName } from "../../bench/ours.ts";
import {
  innerWidth,
  parameterCount,
  parseStepConfig,
  readStepConfig,
  weightShapes,
} from "../../bench/shared/config.ts";
import { networkFlops, stepFlops } from "../../bench/shared/flops.ts";
import { Random } from "../../src/tensor/index.ts";
import { Model, parseConfig } from "../../src/trm/index.ts";

const read = (name: string) =>
  readStepConfig(fileURLToPath(new URL(`../../bench/configs/${name}.json`, import.meta.url)));

describe("a benchmark configuration", () => {
  it("an invalid configuration is rejected with its file and key", () => {
    const config = { ...read("sudoku4") };
    expect(() => parseStepConfig({ ...config, hidden_size: 0 }, "a.json")).toThrow("a.json: hidden_size");
    expect(() => parseStepConfig({ ...config, hidden: 3 }, "a.json")).toThrow("hidden");
    expect(() => readStepConfig("missing.json")).toThrow("missing.json");
  });

  it("inner widths are rounded up to the multiple", () => {
    expect(innerWidth(read("sudoku9"), 128)).toBe(352); // 341.3, up to 22 · 16
    expect(innerWidth(read("sudoku9"), 81)).toBe(224); // 216, up to 14 · 16
    expect(innerWidth(read("paper_sudoku"), 97)).toBe(512); // 258.7, up to 2 · 256
  });
});

describe("parameter counts", () => {
  // The counts that torch_step.py prints; that of paper_sudoku is also the count of the official code.
  const counts = { sudoku4: 73_090, sudoku9: 382_274, maze_attention: 403_202, paper_sudoku: 5_028_866 };

  it.each(Object.entries(counts))("%s has %i parameters in the benchmark and in the model", (name, count) => {
    const config = read(name);
    expect(parameterCount(config)).toBe(count);
    const model = new Model(parseConfig({ ...config }, "bench").model, new Random(0));
    expect(model.parameterCount()).toBe(count);
    const names = [...model.namedParameters()].map(([own, { shape }]) => [peerName(own), shape] as const);
    expect(new Map(names.toSorted())).toEqual(new Map([...weightShapes(config)].toSorted()));
    model.dispose();
  });
});

describe("floating-point operations", () => {
  it("a training step of sudoku9 is 80 GFLOP", () => {
    // Over the sequence 2 · 32 · 128 · 3 · 81 · 224, over the features 2 · 32 · 81 · 3 · 128 · 352, two blocks.
    const network = 2 * (445_906_944 + 700_710_912);
    const heads = 2 * 32 * 128 * (81 * 11 + 2);
    expect(networkFlops(read("sudoku9"))).toBe(network);
    expect(stepFlops(read("sudoku9"))).toEqual({ train: 35 * network + 3 * heads, eval: 21 * network + heads });
    expect(stepFlops(read("sudoku9")).train / 1e9).toBeCloseTo(80.3, 1);
  });

  it("attention counts its projections, scores and weighted sums", () => {
    const config = parseStepConfig(
      {
        ...read("maze_attention"),
        batch_size: 1,
        seq_len: 3,
        hidden_size: 4,
        num_heads: 2,
        intermediate_multiple: 1,
        L_layers: 1,
        vocab_size: 5,
        H_cycles: 2,
        L_cycles: 1,
      },
      "small",
    );
    const attention = 2 * (3 * 4 * 12 + 3 * 3 * 4 + 3 * 3 * 4 + 3 * 4 * 4); // qkv, scores, use, output
    const swiglu = 2 * (3 * 4 * 22 + 3 * 11 * 4); // inner width 10.7, rounded to 11
    expect(networkFlops(config)).toBe(attention + swiglu);
    const heads = 2 * 4 * (3 * 5 + 2);
    // T (n + 1) = 4 calls forward, n + 1 = 2 of them backward at twice the cost.
    expect(stepFlops(config)).toEqual({
      train: 8 * (attention + swiglu) + 3 * heads,
      eval: 4 * (attention + swiglu) + heads,
    });
  });
});
