// The model: golden parameter counts, effective depths, initial values.
import { describe, expect, it } from "vitest";
import { Random, scope, tensor, type VisibleStorage } from "../../src/tensor/index.ts";
import { effectiveDepth, Model, parseConfig } from "../../src/trm/index.ts";

const official = { puzzleEmbeddingSize: 512 };
const sudoku = { ...official, vocabularySize: 11, sequenceLength: 81 };
const attention = { mixer: "attention", positions: "rotary" };
const hrm = {
  ...attention,
  separateNets: true,
  oneStepGradient: true,
  continueLoss: true,
  layers: 4,
  puzzleSlots: 1,
  T: 2,
  n: 2,
};

/** Draws no numbers: the counts do not depend on them, and 27 million draws take seconds. */
class Zeros extends Random {
  override truncatedNormal(): number {
    return 0;
  }
}

describe("the number of parameters without the puzzle table", () => {
  const cases: [name: string, settings: Record<string, unknown>, count: number][] = [
    ["TRM-MLP Sudoku", sudoku, 5_028_866],
    ["TRM-Att Sudoku", { ...sudoku, ...attention }, 6_828_034],
    ["TRM-MLP Maze", { ...official, vocabularySize: 6, sequenceLength: 900 }, 18_795_522],
    ["HRM", { ...sudoku, ...hrm }, 27_275_266],
  ];
  for (const [name, settings, count] of cases) {
    it(`is ${count} for ${name}`, () => {
      const model = new Model(parseConfig(settings, "settings").model, new Zeros(1));
      expect(model.parameterCount()).toBe(count);
      model.dispose();
    });
  }
});

describe("the effective depth T (n + 1) layers", () => {
  const cases: [name: string, settings: Record<string, unknown>, depth: number][] = [
    ["TRM, T = 3, n = 6", {}, 42],
    ["TRM, T = 2, n = 2", { T: 2, n: 2 }, 12],
    ["TRM, 4 layers, n = 3", { layers: 4, n: 3 }, 48],
    ["HRM, T = n = 2, 4 layers", hrm, 24],
    ["HRM with 2 layers for y, T = n = 2", { ...hrm, layersY: 2 }, 20],
    ["one network, for which layersY does not matter", { T: 2, n: 2, layersY: 7 }, 12],
    ["single z, which has one network", { recursion: "singleZ", T: 2, n: 2, layersY: 5 }, 12],
    ["direct prediction, 4 layers", { recursion: "direct", layers: 4 }, 4],
  ];
  for (const [name, settings, depth] of cases) {
    it(`is ${depth} for ${name}`, () => {
      expect(effectiveDepth(parseConfig({ ...sudoku, ...settings }).model)).toBe(depth);
    });
  }
});

describe("a new model", () => {
  it("has q = -5 for every puzzle", () => {
    const model = new Model(parseConfig({ ...sudoku, hiddenSize: 32, widthMultiple: 8 }).model, new Random(4));
    scope(() => {
      const { q } = model.heads(model.initialLatents(2));
      expect([...(q.value.storage as VisibleStorage).array]).toEqual([-5, -5, -5, -5]);
    });
    model.dispose();
  });

  it("embeds tokens with standard deviation near 1, and zeros in the puzzle slots", () => {
    const model = new Model(parseConfig({ ...sudoku, hiddenSize: 512, layers: 1 }).model, new Random(4));
    scope(() => {
      const inputs = tensor(new Int32Array(81).fill(3), { shape: [1, 81] });
      const { x, puzzleRows } = model.embed(inputs, tensor(new Int32Array(1)));
      const values = Float32Array.from((x.value.storage as VisibleStorage).array);
      expect(x.shape).toEqual([1, 97, 512]);
      expect(puzzleRows?.shape).toEqual([1, 512]);
      expect(values.subarray(0, 16 * 512).every((value) => value === 0)).toBe(true);
      const token = values.subarray(16 * 512, 17 * 512);
      const deviation = Math.sqrt(token.reduce((sum, value) => sum + value ** 2, 0) / 512);
      expect(deviation).toBeGreaterThan(0.85);
      expect(deviation).toBeLessThan(1.15);
    });
    model.dispose();
  });

  it("starts its latents from vectors of standard deviation 1", async () => {
    const model = new Model(parseConfig({ ...sudoku, layers: 1 }).model, new Random(4));
    for (const vector of model.initial.values()) {
      const values = Array.from(await vector.data());
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
      expect(deviation).toBeGreaterThan(0.9);
      expect(deviation).toBeLessThan(1.1);
    }
    model.dispose();
  });

  it("releases the puzzle embedding only if it is its own", () => {
    const settings = { vocabularySize: 4, sequenceLength: 3, hiddenSize: 8, heads: 1, puzzleEmbeddingSize: 8 };
    const { model: config } = parseConfig({ ...settings, puzzleSlots: 1 });
    const owner = new Model(config, new Random(4));
    const borrower = new Model(config, new Random(5), owner.puzzleEmbedding);
    borrower.dispose();
    expect(String(owner.puzzleEmbedding!.table)).not.toContain("released");
    owner.dispose();
    expect(String(owner.puzzleEmbedding!.table)).toContain("released");
  });

  it("gives every position of every puzzle the same initial vector", async () => {
    const { model: settings } = parseConfig({ vocabularySize: 4, sequenceLength: 3, hiddenSize: 8, heads: 1 });
    const model = new Model(settings, new Random(4));
    const latents = model.initialLatents(2);
    expect(Object.keys(latents)).toEqual(["y", "z"]);
    for (const [name, { value }] of Object.entries(latents)) {
      const vector = [...(await model.initial.get(name)!.data())];
      expect(value.shape).toEqual([2, 3, 8]);
      expect([...(await value.data())]).toEqual(new Array(6).fill(vector).flat());
      value.dispose();
    }
    model.dispose();
  });
});
