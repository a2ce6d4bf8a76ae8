// Adam: the state that it saves and restores, and the gradients that it refuses. The parity cases replay its numbers.
import fc from "fast-check";
import { expect, it } from "vitest";
import { parameter } from "../../src/autograd/index.ts";
import { Adam } from "../../src/nn/index.ts";
import { ArgumentError, ShapeError, scope, tensor } from "../../src/tensor/index.ts";

const options = { beta1: 0.9, beta2: 0.95, weightDecay: 0.1 };

it("Adam refuses another number of gradients than of parameters", () => {
  const w = parameter([1, 2]);
  const adam = new Adam("adamAtan2", options, new Map([["w", w]]));
  expect(() => adam.update([], 1e-3)).toThrow(ShapeError);
  expect(() => adam.update([], 1e-3)).toThrow("Adam: got 0 gradients, expected one for each of 1 parameters");
  expect(adam.steps).toBe(0);
  adam.dispose();
  w.value.dispose();
});

it("Adam refuses numbers out of range", () => {
  const parameters = new Map([["w", parameter([1, 2])]]);
  const create = (own: object) => () => new Adam("adamW", { ...options, ...own }, parameters);
  const decayRate = "expected a number from 0 up to but not including 1";
  expect(create({ beta1: "x" })).toThrow(new ArgumentError(`Adam: got the string "x" as beta1, ${decayRate}`));
  expect(create({ beta2: 1.5 })).toThrow(new ArgumentError(`Adam: got 1.5 as beta2, ${decayRate}`));
  for (const name of ["beta1", "beta2"]) {
    for (const rate of [1, -0.1, NaN]) {
      expect(create({ [name]: rate })).toThrow(new ArgumentError(`Adam: got ${rate} as ${name}, ${decayRate}`));
    }
  }
  expect(create({ weightDecay: -1 })).toThrow("Adam: got -1 as weightDecay, expected a number from 0");
  const adam = create({})();
  expect(() => adam.update([tensor([1, 1])], undefined as unknown as number)).toThrow(
    "Adam: got undefined as the learning rate, expected a number from 0",
  );
  adam.dispose();
});

it("the weights stay finite after a step of Adam with any decay rates that it accepts", async () => {
  const rate = fc.oneof(fc.constantFrom(0, 0.999999), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));
  const rules = fc.constantFrom("adamAtan2", "adamW");
  await fc.assert(
    fc.asyncProperty(rules, rate, rate, async (rule, beta1, beta2) => {
      const w = parameter([1, 2]);
      const adam = new Adam(rule, { beta1, beta2, weightDecay: 0 }, new Map([["w", w]]));
      scope(() => adam.update([tensor([0.1, -0.2])], 0.1));
      expect(Array.from(await w.value.data(), Number.isFinite)).toEqual([true, true]);
      adam.dispose();
      w.value.dispose();
    }),
  );
});

it("Adam continues bit for bit from a restored state", async () => {
  const step = (adam: Adam, i: number): void => scope(() => adam.update([tensor([0.1 * i, -0.2])], 1e-2));
  const [first, second] = [parameter([1, 2]), parameter([1, 2])];
  const one = new Adam("adamW", options, new Map([["w", first]]));
  const other = new Adam("adamW", options, new Map([["w", second]]));
  for (let i = 1; i <= 3; i++) step(one, i);
  const moments = new Map<string, ArrayLike<number>>();
  for (const [name, moment] of one.moments()) moments.set(name, await moment.data());
  other.restore({ steps: one.steps, moments });
  const weights = await first.value.data();
  second.value.storage.write(weights);
  for (const adam of [one, other]) step(adam, 4);
  expect(await second.value.data()).toEqual(await first.value.data());
  one.dispose();
  other.dispose();
});
