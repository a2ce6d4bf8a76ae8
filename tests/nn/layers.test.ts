import { expect, it } from "vitest";
import { truncatedNormal } from "../../src/nn/index.ts";
import { MemoryError, Random } from "../../src/tensor/index.ts";

it("weights that do not fit fail before a number is drawn", () => {
  // Drawing first took a billion numbers and all of the machine's memory on Node 24, whose arrays may be that long.
  const random = new Random(0);
  expect(() => truncatedNormal([6, 1e9], 1, random)).toThrow(MemoryError);
  expect(random.uniform()).toBe(new Random(0).uniform());
});
