// The silent errors of gpu.js that the backend is designed to avoid, with one case each that would detect it. The table in section 5
// of docs/adding-a-backend.md lists them.
import { createGpuBackend } from "../../../src/tensor/backends/gpu/index.ts";
import * as t from "../../../src/tensor/index.ts";
import { type Case, check, checkClose, checkEqual, checkThrows } from "./case.ts";

async function numbersOf(backend: t.Backend, compute: () => t.Tensor): Promise<t.NumberArray> {
  const result = t.scope(compute, { backend });
  const numbers = await result.data();
  result.dispose();
  return numbers;
}

const count = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => i);

export const wrongAnswerCases: readonly Case[] = [
  {
    name: "1. loops do not end at 1000 iterations",
    async run(backend) {
      const length = 1500;
      const ones = new Float32Array(length).fill(1);
      const row = (): t.Tensor => t.tensor(ones, { shape: [1, length] });
      const value = async (compute: () => t.Tensor) => (await numbersOf(backend, compute))[0];
      checkEqual("matmul", await value(() => t.matmul(row(), row(), { transposeB: true })), length);
      checkEqual("sum", await value(() => t.sum(row())), length);
      checkEqual("sum of 1021", await value(() => t.sum(t.slice(row(), 1, 0, 1021))), 1021);
      checkEqual("max", await value(() => t.max(t.tensor(count(length)))), length - 1);
      checkEqual("argmax", await value(() => t.argmax(t.tensor(count(length)))), length - 1);
      const ids = (): t.Tensor => t.zeros([length], "int32");
      checkEqual("scatter", await value(() => t.scatterRows(ids(), t.reshape(row(), [length, 1]), 1)), length);
      const scores = (): t.Tensor => {
        const out = t.empty([1], "float64");
        const labels = t.tensor([length - 1], { dtype: "int32" });
        out.backend.fused.crossEntropy!("softmax", out, t.zeros([1, length]), labels);
        return out;
      };
      checkClose("crossEntropy", [(await value(scores))!], [Math.log(length)], { tolerance: 1e-5 });
      const inverse = (): t.Tensor => {
        const [out, inverseRms] = [t.empty([1, length]), t.empty([1, 1])];
        out.backend.fused.addRmsNorm!(out, inverseRms, t.affine(row(), 2), null, -1, 0);
        return inverseRms;
      };
      checkClose("rmsNorm", [(await value(inverse))!], [0.5], { tolerance: 1e-6 });
    },
  },
  {
    name: "2. indices are divided exactly, to a million elements and by odd lengths",
    async run(backend) {
      for (const [rows, columns] of [
        [333_667, 3],
        [10_101, 97],
        [25_007, 41],
      ] as const) {
        const got = await numbersOf(backend, () =>
          t.permute(t.tensor(count(rows * columns), { shape: [rows, columns] }), [1, 0]),
        );
        let wrong = 0;
        got.forEach((value, i) => {
          if (value !== (i % rows) * columns + Math.floor(i / rows)) wrong++;
        });
        checkEqual(`wrong elements of [${rows}, ${columns}] transposed`, wrong, 0);
      }
    },
  },
  {
    name: "3. the tanh of a large number is ±1",
    async run(backend) {
      const got = await numbersOf(backend, () => t.tanh(t.tensor([-1e30, -100, -20, 20, 100, 1e30])));
      checkEqual("tanh", got.join(), "-1,-1,-1,1,1,1");
    },
  },
  {
    name: "4. numbers keep all their bits",
    async run(backend) {
      const random = new t.Random(3);
      const bits = Float32Array.from({ length: 1009 }, () => random.normal() * 2 ** (random.integer(200) - 100));
      bits.set([2 ** 24 - 1, -(2 ** 24), 1 / 3, 0, -7]);
      const through = await numbersOf(backend, () => t.negate(t.permute(t.tensor(bits, { shape: [1, 1009] }), [1, 0])));
      let changed = 0;
      through.forEach((value, i) => {
        if (value !== -bits[i]!) changed++;
      });
      checkEqual("changed numbers", changed, 0);
    },
  },
  {
    name: "5. out-of-range ids are rejected or give NaN, and a kernel is compiled for each length",
    async run(backend) {
      const table = (): t.Tensor => t.tensor([[1], [2], [3]]);
      const bad = (): t.Tensor => t.gatherRows(table(), t.tensor([0, 3], { dtype: "int32" }));
      await checkThrows("gatherRows", "got index 3 at position 1, expected 0..2", () => t.scope(bad, { backend }));
      const computed = await numbersOf(backend, () =>
        t.gatherRows(table(), t.affine(t.tensor([0, 3, -1, 2], { dtype: "int32" }), 1)),
      );
      checkEqual("rows by ids computed on the GPU", computed.join(), "1,NaN,NaN,3");
      for (const length of [5, 9, 3, 1030]) {
        const total = await numbersOf(backend, () => t.sum(t.tanh(t.full([length], 100))));
        checkEqual(`sum of ${length} ones`, total[0], length);
      }
    },
  },
  {
    name: "6. a process has a single GPU instance, and a second mode is rejected",
    async run(backend) {
      const first = t.tensor([1, 2, 3], { backend });
      for (let i = 0; i < 20; i++) {
        check((await createGpuBackend({ mode: backend.mode })) === backend, "got another instance, expected the same");
      }
      const other = backend.mode === "cpu" ? "webasm" : "cpu";
      await checkThrows("second mode", `got mode ${other} while it runs in mode ${backend.mode}`, () =>
        createGpuBackend({ mode: other }),
      );
      checkEqual("numbers of the first tensor", (await first.data()).join(), "1,2,3");
      first.dispose();
    },
  },
  {
    name: "7. a chain of kernels on tensors with several axes agrees with the reference",
    async run(backend) {
      const chain = (): t.Tensor => {
        const x = t.affine(t.tensor(count(2 * 3 * 4 * 5), { shape: [2, 3, 4, 5] }), 0.01);
        const y = t.matmul(t.permute(x, [0, 2, 1, 3]), t.permute(x, [0, 2, 3, 1])); // [2, 4, 3, 3]
        return t.sum(t.multiply(t.softplus(y), t.slice(y, 2, 1, 2)), [1]);
      };
      checkClose("chain", await numbersOf(backend, chain), await numbersOf(new t.ReferenceBackend(), chain), {
        tolerance: 1e-5,
      });
    },
  },
  {
    name: "8. more than 2^23 elements, and integers beyond 2^24, are rejected",
    async run(backend) {
      await checkThrows("allocate", "got a tensor of 8388609 elements, expected at most 8388608", () =>
        t.scope(() => t.empty([2 ** 23 + 1]), { backend }),
      );
      await checkThrows("integer", "got integer 16777217 at position 1", () =>
        t.scope(() => t.tensor([0, 2 ** 24 + 1], { dtype: "int32" }), { backend }),
      );
      await checkThrows("filled integer", "got integer 16777217 at position 0", () =>
        t.scope(() => t.full([1], 2 ** 24 + 1, "int32"), { backend }),
      );
      await checkThrows("shifted integer", "got integer 16777217 at position 1", () =>
        t.scope(() => t.affine(t.zeros([1], "int32"), 1, 2 ** 24 + 1), { backend }),
      );
    },
  },
  {
    name: "a kernel can read its own output",
    async run(backend) {
      const got = await numbersOf(backend, () => {
        let x = t.tensor([1, 2, 3]);
        for (let i = 0; i < 10; i++) x = t.affine(x, 2);
        return x;
      });
      checkEqual("doubled ten times", got.join(), "1024,2048,3072");
    },
  },
];
