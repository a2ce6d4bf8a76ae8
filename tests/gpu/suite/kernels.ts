// Compares kernels with the reference backend outside the domains of the operations: odd sizes, long axes, large values, empty axes,
// kernels without an operation, and every elementwise formula.
import * as a from "../../../src/autograd/index.ts";
import type { GpuBackend } from "../../../src/tensor/backends/gpu/index.ts";
import * as t from "../../../src/tensor/index.ts";
import { type Case, check, checkClose, checkEqual } from "./case.ts";

const random = new t.Random(7);
const numbers = (length: number, scale = 1): Float32Array =>
  Float32Array.from({ length }, () => scale * random.normal());

/** Runs a computation on the reference backend and on the gpu backend and compares the results. */
async function compare(backend: GpuBackend, what: string, compute: () => t.Tensor[], tolerance = 2e-5): Promise<void> {
  const [expected, got] = [t.scope(compute, { backend: new t.ReferenceBackend() }), t.scope(compute, { backend })];
  for (let i = 0; i < expected.length; i++) {
    checkClose(`${what} (${i})`, await got[i]!.data(), await expected[i]!.data(), { tolerance });
    checkEqual(`${what}: element type`, got[i]!.dtype, expected[i]!.dtype);
  }
  for (const tensor of [...expected, ...got]) tensor.dispose();
}

/** The gradients of the sum of a result with respect to the inputs. */
function gradientsOf(
  inputs: readonly t.Tensor[],
  compute: (inputs: readonly a.Variable[]) => a.Variable,
): readonly t.Tensor[] {
  const variables = inputs.map((input) => a.parameter(input));
  const gradients = a.gradients(a.sum(compute(variables)), variables);
  for (const { value } of variables) value.dispose(); // parameters belong to no scope
  return gradients;
}

const unaries = [
  t.negate,
  t.exp,
  t.log,
  t.sqrt,
  t.rsqrt,
  t.square,
  t.reciprocal,
  t.abs,
  t.sign,
  t.tanh,
  t.sigmoid,
  t.silu,
  t.softplus,
  t.relu,
];

export const kernelCases: readonly Case[] = [
  {
    name: "unary formulas agree with the reference, near zero and far from it",
    async run(backend) {
      const values = [-100, -20, -5, -1, -0.3, -1e-3, -1e-6, 0, 1e-6, 1e-3, 0.15, 0.25, 1, 5, 15, 20, 88, 100];
      const bounded = [t.tanh, t.sigmoid, t.silu, t.softplus, t.relu, t.negate, t.abs, t.sign, t.square];
      for (const f of bounded) await compare(backend, "bounded", () => [f(t.tensor(values))]);
      const positive = [1e-6, 1e-3, 0.5, 1, 2, 100];
      for (const f of unaries) await compare(backend, "of positive numbers", () => [f(t.tensor(positive.slice(0, 5)))]);
      for (const f of [t.log, t.sqrt, t.rsqrt]) await compare(backend, "up to 100", () => [f(t.tensor(positive))]);
      // Relative errors of single values, so that small results count as well.
      for (const f of [t.tanh, t.sigmoid, t.softplus]) {
        for (const x of [-15, -5, -1e-3, 1e-4, 0.1]) await compare(backend, `at ${x}`, () => [scaled(f, x)], 1e-5);
      }
    },
  },
  {
    name: "sigmoid of a large negative number is 0, so that silu and siluGate vanish there",
    async run(backend) {
      const values = [-90, -100, -1e4, -1e30, -1e38];
      await compare(backend, "sigmoid", () => [t.sigmoid(t.tensor(values))]);
      await compare(backend, "silu", () => [t.silu(t.tensor(values))]);
      const gate = (): t.Tensor => {
        const out = t.empty([1, 1]);
        out.backend.fused.siluGate!(out, t.tensor([[-1e4, 1e36]]), -1);
        return out;
      };
      const gated = t.scope(gate, { backend });
      checkClose("siluGate(-1e4, 1e36)", await gated.data(), [0], { tolerance: 1e-6 });
      gated.dispose();
    },
  },
  {
    name: "the norm of numbers whose squares overflow agrees with the reference, along both axes, with and without a second input",
    async run(backend) {
      const rows = [1, 1e10, 1e18, 1e19, 1e25, 1e37].flatMap((scale) => [...numbers(7, scale)]);
      for (const axis of [-1, -2] as const) {
        for (const [h, r] of [
          [rows, null],
          [rows, rows.toReversed()],
        ] as const) {
          await compare(backend, `rmsNorm along axis ${axis}`, () => {
            const shaped = (values: readonly number[]): t.Tensor => {
              const x = t.tensor(values, { shape: [6, 7] });
              return axis === -1 ? x : t.permute(x, [1, 0]);
            };
            const x = shaped(h);
            const [out, inverseRms] = [t.emptyLike(x), t.emptyLike(x, x.shape.with(axis, 1))];
            x.backend.fused.addRmsNorm!(out, inverseRms, x, r && shaped(r), axis, 1e-5);
            return [out];
          });
        }
      }
    },
  },
  {
    name: "e^100 overflows to infinity, and the logarithm of 0 is minus infinity or that of the smallest float",
    async run(backend) {
      await compare(backend, "e^x", () => [t.exp(t.tensor([100, -200]))]);
      const logarithm = t.scope(() => t.log(t.tensor([0])), { backend });
      const value = await logarithm.item();
      logarithm.dispose();
      check(value < -87, `ln 0: got ${value}, expected less than -87`);
    },
  },
  {
    name: "atan2 is exact to 2e-7 in all octants, on the axes and at zero",
    async run(backend) {
      const points = [-3, -1, -0.4, -1e-4, 0, 1e-5, 0.3, 1, 2.5, 100];
      const ys = points.flatMap((y) => points.map(() => y));
      const xs = points.flatMap(() => points);
      await compare(backend, "atan2", () => [t.atan2(t.tensor(ys), t.tensor(xs))], 2e-7);
    },
  },
  {
    name: "binary formulas and select broadcast over four axes",
    async run(backend) {
      const [a, b] = [numbers(3 * 5), numbers(2 * 3 * 1 * 4)];
      for (const f of [t.add, t.subtract, t.multiply, t.divide, t.maximum, t.atan2, t.greater, t.equal]) {
        await compare(backend, "binary", () => [
          f(t.tensor(a, { shape: [3, 5, 1] }), t.tensor(b, { shape: [2, 3, 1, 4] })),
          f(t.tensor(b, { shape: [2, 3, 4] }), t.tensor(b.slice(0, 4))),
          f(t.tensor([1, 2, 2]), t.tensor([2])),
          f(t.tensor(3), t.tensor(2)),
        ]);
      }
      await compare(backend, "select", () => [
        t.select(
          t.tensor([1, 0, -2], { shape: [3, 1], dtype: "int32" }),
          t.tensor(a, { shape: [3, 5] }),
          t.tensor([7, 8, 9, 1, 2]),
        ),
      ]);
    },
  },
  {
    name: "permute, slice, broadcast, concat and pad copy exactly at odd sizes",
    async run(backend) {
      const x = numbers(41 * 7 * 3);
      await compare(
        backend,
        "arrangement",
        () => {
          const cube = t.tensor(x, { shape: [41, 7, 3] });
          return [
            t.permute(cube, [2, 0, 1]),
            t.permute(cube, [0, 2, 1]),
            t.permute(cube, [0, 1, 2]),
            t.slice(cube, 0, 5, 38),
            t.slice(cube, 2, 1, 2),
            t.broadcastTo(t.slice(cube, 1, 2, 3), [2, 41, 5, 3]),
            t.concat([cube, cube, t.slice(cube, 1, 0, 2)], 1),
            t.pad(cube, 2, 1, 2),
          ];
        },
        0,
      );
    },
  },
  {
    name: "sum, max, mean and argmax agree over every axis, short and long",
    async run(backend) {
      const x = numbers(97 * 5 * 41);
      await compare(backend, "reductions", () => {
        const cube = t.tensor(x, { shape: [97, 5, 41] });
        const lists = [[0], [1], [2], [0, 2], undefined];
        return [...lists.flatMap((axes) => [t.sum(cube, axes), t.max(cube, axes), t.mean(cube, axes)]), t.argmax(cube)];
      });
      const long = numbers(2 * 5003);
      await compare(backend, "long axes", () => {
        const rows = t.tensor(long, { shape: [2, 5003] });
        const columns = t.tensor(long, { shape: [5003, 2] });
        return [t.sum(rows, [1]), t.max(rows, [1]), t.argmax(rows), t.sum(columns, [0]), t.max(columns, [0])];
      });
    },
  },
  {
    name: "matrix products agree at odd sizes, in all four layouts, with broadcast batches, and for K beyond 1000",
    async run(backend) {
      const [a, b] = [numbers(2 * 41 * 97), numbers(97 * 3)];
      await compare(backend, "layouts", () => {
        const left = t.tensor(a, { shape: [2, 41, 97] });
        const right = t.tensor(b, { shape: [97, 3] });
        const [leftT, rightT] = [t.permute(left, [0, 2, 1]), t.permute(right, [1, 0])];
        return [
          t.matmul(left, right),
          t.matmul(leftT, right, { transposeA: true }),
          t.matmul(left, rightT, { transposeB: true }),
          t.matmul(leftT, rightT, { transposeA: true, transposeB: true }),
          t.matmul(t.reshape(left, [2, 1, 41, 97]), t.broadcastTo(right, [3, 97, 3])),
        ];
      });
      const [c, d] = [numbers(3 * 1500), numbers(1500 * 2)];
      const product = () => [t.matmul(t.tensor(c, { shape: [3, 1500] }), t.tensor(d, { shape: [1500, 2] }))];
      await compare(backend, "K = 1500", product, 1e-4);
    },
  },
  {
    name: "rows by index agree: gather, scatter and SignSGD",
    async run(backend) {
      const [table, x] = [numbers(7 * 5), numbers(6 * 5)];
      const ids = Int32Array.of(3, 0, 3, 6, 3, 0);
      await compare(backend, "rows", () => {
        const rows = t.tensor(table, { shape: [7, 5] });
        const updates = t.tensor(x, { shape: [6, 5] });
        const trained = t.tensor(table, { shape: [7, 5] });
        t.signSgdUpdate(trained, t.tensor(ids), updates, 0.1, 0.2);
        return [t.gatherRows(rows, t.tensor(ids)), t.scatterRows(t.tensor(ids), updates, 7), trained];
      });
    },
  },
  {
    name: "optimizer steps and the moving average update their tensors in place",
    async run(backend) {
      const [start, first, second] = [numbers(41), numbers(41), numbers(41, 1e-3)];
      const settings = { learningRate: 0.01, beta1: 0.9, beta2: 0.95, weightDecay: 0.1, epsilon: 1e-8 };
      for (const rule of ["adamAtan2", "adamW"] as const) {
        await compare(backend, rule, () => {
          const [p, average] = [t.tensor(start), t.tensor(first)];
          const [m, v] = [t.zeros([41]), t.zeros([41])];
          for (const [i, gradient] of [first, second, first].entries()) {
            t.adamUpdate(rule, { p, m, v }, t.tensor(gradient), { ...settings, step: i + 1 });
            t.updateMovingAverage(average, p, 0.9);
          }
          return [p, m, v, average];
        });
      }
    },
  },
  {
    name: "integers and casts agree, and float64 has single precision",
    async run(backend) {
      await compare(backend, "types", () => [
        t.tensor([1, -2, 16777216], { dtype: "int32" }),
        t.cast(t.tensor([1.9, -1.9, 0.2, -0.2]), "int32"),
        t.cast(t.tensor([3, -4], { dtype: "int32" }), "float64"),
        t.cast(t.tensor([1, 2.5]), "float64"),
        t.full([2, 2], -3.5),
        t.zeros([3], "int32"),
        t.multiply(t.full([1], 2.7, "int32"), t.full([1], -10, "int32")),
      ]);
      const third = t.tensor([1 / 3], { dtype: "float64", backend });
      checkEqual("1/3 as double", await third.item(), Math.fround(1 / 3));
      third.dispose();
    },
  },
  {
    name: "operations accept empty axes",
    async run(backend) {
      await compare(backend, "empty", () => {
        const none = t.zeros([3, 0]);
        return [
          none,
          t.tanh(none),
          t.add(none, t.zeros([3, 1])),
          t.sum(none),
          t.sum(none, [1]),
          t.sum(none, [0]),
          t.matmul(none, t.zeros([0, 4])),
          t.matmul(t.zeros([0, 3]), none),
          t.permute(none, [1, 0]),
          t.concat([none, t.tensor([[1], [2], [3]])], 1),
          t.pad(none, 1, 1, 1),
          t.slice(t.tensor([1, 2]), 0, 1, 1),
          t.gatherRows(t.zeros([2, 3]), t.zeros([0], "int32")),
          t.scatterRows(t.zeros([0], "int32"), t.zeros([0, 3]), 2),
          t.cast(none, "int32"),
          t.argmax(t.zeros([0, 3])),
          a.selfAttention(a.constant(t.zeros([1, 2, 0])), 1).value,
          a.crossEntropy(a.constant(t.zeros([2, 0])), a.constant(t.tensor([-1, -1], { dtype: "int32" }))).value,
          ...gradientsOf([t.zeros([3, 0])], ([x]) => a.rmsNorm(x!)),
          ...gradientsOf([t.zeros([1, 2, 0])], ([x]) => a.selfAttention(x!, 1)),
        ];
      });
    },
  },
  {
    name: "saturated gates and labels of probability 0 have the gradients of the reference",
    async run(backend) {
      const hasInfinity = backend.mode === "cpu" || backend.mode === "webasm";
      await compare(backend, "saturation", () => [
        ...gradientsOf([t.tensor([[-200, 1e38]])], ([x]) => a.affine(a.siluGate(x!), 4)),
        ...gradientsOf([t.tensor([[-1e10, 1]])], ([x]) => a.affine(a.siluGate(x!), 1e30)),
        ...gradientsOf([t.tensor([[1, hasInfinity ? -Infinity : -1e30]])], ([x]) =>
          a.crossEntropy(x!, a.constant(t.tensor([1], { dtype: "int32" })), "stablemax"),
        ),
      ]);
    },
  },
  {
    name: "affine scales and shifts",
    async run(backend) {
      const x = numbers(97);
      await compare(backend, "affine", () => [t.affine(t.tensor(x), -1.5, 0.25)], 2e-7);
    },
  },
  {
    name: "an in-place update does not change copies and casts of the tensor",
    async run(backend) {
      await compare(backend, "independence", () => {
        const x = t.tensor([1, 2, 3]);
        const [copy, double] = [t.permute(x, [0]), t.cast(x, "float64")];
        t.updateMovingAverage(x, t.tensor([9, 9, 9]), 0.5);
        t.assign(copy, [7, 8, 9]);
        return [x, copy, double];
      });
    },
  },
];

/** f(x) divided by its exact value, so that the difference from 1 is the relative error. */
const scaled = (f: (x: t.Tensor) => t.Tensor, x: number): t.Tensor => {
  const expected = exact.get(f)!(Math.fround(x));
  return t.affine(f(t.tensor([x])), 1 / expected);
};
const exact = new Map<(x: t.Tensor) => t.Tensor, (x: number) => number>([
  [t.tanh, Math.tanh],
  [t.sigmoid, (x) => 1 / (1 + Math.exp(-x))],
  [t.softplus, (x) => Math.log1p(Math.exp(x))],
]);
