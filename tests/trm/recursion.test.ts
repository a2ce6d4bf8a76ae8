// The recursion: the network calls it makes, the operations that stay on the tape, and its gradient.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  add,
  constant,
  gradients,
  linear,
  noGrad,
  parameter,
  reshape,
  type SwigluWeights,
  slice,
  sum,
  swigluBlock,
  tapeOf,
  type Variable,
} from "../../src/autograd/index.ts";
import { Random, ReferenceBackend, scope, type Tensor, tensor, type VisibleStorage } from "../../src/tensor/index.ts";
import { Model, parseConfig } from "../../src/trm/index.ts";
import { deepRecursion, latentRecursion, type Network, type State } from "../../src/trm/recursion.ts";

const small = {
  vocabularySize: 5,
  sequenceLength: 4,
  hiddenSize: 8,
  heads: 2,
  widthMultiple: 4,
  layers: 1,
  T: 3,
  n: 2,
};

describe("latentRecursion", () => {
  it("calls net(x, y, z) n times, then net(y, z) once", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 6 }), (n) => {
        scope(() => {
          const [x, y, z] = ["x", "y", "z"].map(() => constant(tensor([0]))) as [Variable, Variable, Variable];
          const calls: { terms: Variable[]; result: Variable }[] = [];
          const net: Network = (...terms) => {
            const result = constant(tensor([calls.length]));
            calls.push({ terms, result });
            return result;
          };
          const after = latentRecursion(net, x, { y, z }, n);
          const updatesOfZ = calls.slice(0, n);
          const zs = [z, ...updatesOfZ.map(({ result }) => result)];
          const isSame = (got: Variable[], expected: Variable[]): boolean =>
            got.length === expected.length && got.every((each, i) => each === expected[i]);
          expect(calls).toHaveLength(n + 1);
          expect(updatesOfZ.every(({ terms }, i) => isSame(terms, [x, y, zs[i]!]))).toBe(true);
          expect(isSame(calls[n]!.terms, [y, zs[n]!])).toBe(true);
          expect(after.y === calls[n]!.result && after.z === zs[n]).toBe(true);
        });
      }),
    );
  });
});

describe("the tape of deepRecursion", () => {
  const names = (result: { logits: Variable; q: Variable }): string[] =>
    tapeOf(result.logits, result.q).map((entry) => entry.operation);

  const predict = (model: Model, x: Variable) =>
    model.heads(deepRecursion(model.recur, x, model.initialLatents(2), model.T));

  it("holds exactly the operations of the last cycle and of the two heads", () => {
    const { model: config } = parseConfig(small);
    const model = new Model(config, new Random(1));
    scope(() => {
      const x = constant(tensor(new Float32Array(64).fill(0.1), { shape: [2, 4, 8] }));
      const operations = names(predict(model, x));
      const block = ["swigluBlock", "swigluBlock"];
      const updateOfZ = ["add", "add", ...block];
      const updateOfY = ["add", ...block];
      // The sums of constants (x + y of the first update) are not recorded.
      const lastCycle = [...block, ...updateOfZ.slice(1), ...updateOfY];
      // Without puzzle slots the output head takes all of y, with no slice.
      const heads = ["slice", "linear", "reshape", "linear", "add"];
      expect([...operations].sort()).toEqual([...lastCycle, ...heads].sort());
    });
    model.dispose();
  });

  it("grows with n and does not grow with T", () => {
    const length = (T: number, n: number): number => {
      const model = new Model(parseConfig({ ...small, T, n }).model, new Random(1));
      const count = scope(() => {
        const { x } = model.embed(tensor(new Int32Array(8), { shape: [2, 4] }), tensor(new Int32Array(2)));
        return names(predict(model, x)).length;
      });
      model.dispose();
      return count;
    };
    expect(length(5, 2)).toBe(length(1, 2));
    expect(length(1, 4)).toBeGreaterThan(length(1, 2));
  });

  it("is empty under noGrad", () => {
    const model = new Model(parseConfig(small).model, new Random(1));
    scope(() => {
      const { x } = model.embed(tensor(new Int32Array(8), { shape: [2, 4] }), tensor(new Int32Array(2)));
      expect(names(predict(model, x)).length).toBeGreaterThan(0);
      expect(names(noGrad(() => predict(model, x)))).toEqual([]);
    });
    model.dispose();
  });
});

describe("the gradient of deepRecursion, in float64", () => {
  const [batch, length, width, inner, classes] = [2, 3, 4, 5, 3];
  const [T, n] = [3, 2];
  const shapes = { gateUp: [2 * inner, width], down: [width, inner], head: [classes, width], q: [2, width] };
  type Name = keyof typeof shapes;

  const numbers = (random: Random, count: number, scale: number): Float64Array =>
    Float64Array.from({ length: count }, () => scale * random.normal());

  /** A recursion in float64 with one block over the features, and the two heads. */
  function modelOf(weights: Record<Name, Variable>) {
    const net: Network = (...terms) =>
      swigluBlock(
        terms.reduce((a, b) => add(a, b)),
        weights as SwigluWeights,
        -1,
        1e-2,
      );
    return {
      recur: (x: Variable, state: State): State => latentRecursion(net, x, state, n),
      heads: ({ y }: State) => ({
        logits: linear(y, weights.head),
        q: linear(reshape(slice(y, 1, 0, 1), [batch, width]), weights.q),
      }),
    };
  }

  const total = ({ logits, q }: { logits: Variable; q: Variable }): Variable => add(sum(logits), sum(q));
  const numberOf = (value: Tensor): number => Number((value.storage as VisibleStorage).array[0]);

  it("equals the difference quotient of the last cycle with y and z frozen, which differs from that of the full unroll", () => {
    const backend = new ReferenceBackend();
    const random = new Random(7);
    const values = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, numbers(random, shape[0]! * shape[1]!, 0.7)]),
    ) as Record<Name, Float64Array>;
    const weightsFrom = (own: Record<Name, Float64Array>): Record<Name, Variable> =>
      Object.fromEntries(
        Object.entries(shapes).map(([name, shape]) => [name, parameter(tensor(own[name as Name], { shape, backend }))]),
      ) as Record<Name, Variable>;
    const latent = () =>
      constant(tensor(numbers(random, batch * length * width, 1), { shape: [batch, length, width] }));

    scope(
      () => {
        const [x, y, z] = [latent(), latent(), latent()];
        const weights = weightsFrom(values);
        const model = modelOf(weights);
        const loss = total(model.heads(deepRecursion(model.recur, x, { y, z }, T)));
        const names = Object.keys(shapes) as Name[];
        const computed = gradients(
          loss,
          names.map((name) => weights[name]),
        );
        const frozen = noGrad(() => {
          let state: State = { y, z };
          for (let i = 0; i < T - 1; i++) state = model.recur(x, state);
          return state;
        });
        names.forEach((name, i) => {
          const direction = numbers(random, values[name].length, 1);
          const quotient = (from: State, cycles: number): number => {
            const at = (step: number): number =>
              scope(() => {
                const moved = { ...values, [name]: values[name].map((v, k) => v + step * direction[k]!) };
                const { recur, heads } = modelOf(weightsFrom(moved));
                return numberOf(total(heads(deepRecursion(recur, x, from, cycles))).value);
              });
            const h = 1e-4;
            return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
          };
          const own = (computed[i]!.storage as VisibleStorage).array;
          const received = direction.reduce((dot, d, k) => dot + d * own[k]!, 0);
          const lastCycle = quotient(frozen, 1);
          expect(Math.abs(received - lastCycle)).toBeLessThan(1e-6 * Math.max(1, Math.abs(lastCycle)));
          if (name === "gateUp" || name === "down") {
            expect(Math.abs(received - quotient({ y, z }, T))).toBeGreaterThan(1e-3);
          }
        });
      },
      { backend },
    );
  });
});
