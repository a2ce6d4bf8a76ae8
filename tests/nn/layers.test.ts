// The initial weights of layers.
import { expect, it } from "vitest";
import { Embedding, Linear, linearWeight, truncatedNormal } from "../../src/nn/index.ts";
import { MemoryError, Random } from "../../src/tensor/index.ts";

it("weights that do not fit in memory fail before a number is drawn", () => {
  // Drawing the numbers first would fill the memory of the machine on Node 24, whose arrays may be that long.
  const random = new Random(0);
  expect(() => truncatedNormal([6, 1e9], 1, random)).toThrow(MemoryError);
  expect(random.uniform()).toBe(new Random(0).uniform());
});

it("a linear weight has standard deviation 1 / √from, whatever its number of outputs", async () => {
  const [to, from] = [400, 25];
  const deviation = standardDeviation(await linearWeight(to, from, new Random(1)).value.data());
  expect(deviation).toBeGreaterThan(0.95 / Math.sqrt(from));
  expect(deviation).toBeLessThan(1.05 / Math.sqrt(from));
  const linear = standardDeviation(await new Linear(from, to, new Random(2)).weight.value.data());
  expect(linear).toBeGreaterThan(0.95 / Math.sqrt(from));
  expect(linear).toBeLessThan(1.05 / Math.sqrt(from));
});

it("an embedding has standard deviation 1 / √D", async () => {
  const deviation = standardDeviation(await new Embedding(300, 36, new Random(3)).weight.value.data());
  expect(deviation).toBeGreaterThan(0.95 / 6);
  expect(deviation).toBeLessThan(1.05 / 6);
});

const standardDeviation = (values: ArrayLike<number>): number => {
  const all = Array.from(values);
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  return Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length);
};
