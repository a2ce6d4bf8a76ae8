// The carry: which puzzle is in which slot, and its latents, between supervision steps.
import fc from "fast-check";
import { expect, it } from "vitest";
import { parameter, type Variable } from "../../src/autograd/index.ts";
import { Random } from "../../src/tensor/index.ts";
import { Carry } from "../../src/trm/carry.ts";
import { ConfigError, Model, parseConfig } from "../../src/trm/index.ts";

const length = 3;
const config = parseConfig({
  vocabularySize: 9,
  sequenceLength: length,
  hiddenSize: 4,
  heads: 1,
  widthMultiple: 4,
  layers: 1,
  puzzleIds: 50,
});
const model = new Model(config.model, new Random(1));

/** A batch whose tokens, labels and ids are all different. */
const batchFrom = (first: number, slots: number) => ({
  inputs: Int32Array.from({ length: slots * length }, (_, i) => 1000 * first + i),
  labels: Int32Array.from({ length: slots * length }, (_, i) => 1000 * first + 500 + i),
  puzzleIds: Int32Array.from({ length: slots }, (_, i) => first + i),
});

const rowsOf = (values: Int32Array): number[][] =>
  Array.from({ length: values.length / length }, (_, row) => [...values.subarray(row * length, (row + 1) * length)]);

const isReleased = ({ value }: Variable): boolean => String(value).endsWith("released");

it("a latent that a step leaves as it is stays in the carry", async () => {
  const carry = new Carry(model, 2);
  carry.refill(batchFrom(1, 2));
  const { y, z } = carry.latents;
  const next = parameter([[[1]]]);
  carry.advance({ y: y!, z: next });
  expect(carry.latents.y!.value).toBe(y!.value);
  expect([y!, z!].map(isReleased)).toEqual([false, true]);
  carry.advance(carry.latents);
  expect([y!, next].map(isReleased)).toEqual([false, false]);
  carry.dispose();
  expect([y!, next].map(isReleased)).toEqual([true, true]);
});

it("a carry of selected slots has their questions, labels, puzzle ids and steps", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(), (slots, seed) => {
      const chosen = [...Array(slots).keys()].filter((slot) => (seed >> slot) % 2 === 1);
      if (chosen.length === 0) chosen.push(0);
      const carry = new Carry(model, slots);
      carry.refill(batchFrom(1, slots));
      carry.steps.forEach((_, slot) => {
        carry.steps[slot] = 10 + slot;
      });
      const before = batchFrom(1, slots);
      const selected = carry.select(chosen);
      expect(rowsOf(selected.inputs)).toEqual(chosen.map((slot) => rowsOf(before.inputs)[slot]));
      expect(rowsOf(selected.labels)).toEqual(chosen.map((slot) => rowsOf(before.labels)[slot]));
      expect([...selected.puzzleIds]).toEqual(chosen.map((slot) => 1 + slot));
      expect([...selected.steps]).toEqual(chosen.map((slot) => 10 + slot));
      selected.dispose();
    }),
  );
});

it("a refill gives the puzzle of the same place to halted slots only, and starts their count of steps anew", () => {
  const carry = new Carry(model, 3);
  carry.refill(batchFrom(1, 3));
  carry.halt([false, true, false]);
  carry.steps.fill(7);
  carry.refill(batchFrom(2, 3));
  expect(rowsOf(carry.inputs).map(([token]) => token)).toEqual([1000, 2003, 1006]);
  expect(rowsOf(carry.labels).map(([label]) => label)).toEqual([1500, 2503, 1506]);
  expect([...carry.puzzleIds]).toEqual([1, 3, 3]);
  expect([...carry.steps]).toEqual([7, 0, 7]);
  carry.dispose();
});

it("a refill refuses a batch with too few tokens, labels or puzzle ids, which would leave those of other puzzles", () => {
  const carry = new Carry(model, 2);
  const batch = batchFrom(1, 2);
  const short = Int32Array.of(1);
  expect(() => carry.refill({ ...batch, inputs: new Int32Array(4) })).toThrow(
    new ConfigError("batch: got 2 tokens per puzzle, expected 3 (sequenceLength) for 2 slots"),
  );
  expect(() => carry.refill({ ...batch, labels: short })).toThrow(new ConfigError("batch: got 1 labels, expected 6"));
  expect(() => carry.refill({ ...batch, puzzleIds: short })).toThrow(
    new ConfigError("batch: got 1 puzzle ids, expected 2"),
  );
  carry.dispose();
});
