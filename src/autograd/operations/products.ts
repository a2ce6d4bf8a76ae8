// Matrix products.
import * as t from "../../tensor/index.ts";
import { broadcastPair, type Draw, real } from "../domain.ts";
import { apply, defineOperation } from "../operation.ts";
import type { Variable } from "../variable.ts";
import { transpose } from "./arrangement.ts";

const { operation: matmulOperation } = defineOperation({
  name: "matmul",
  equation: "y = A B,  dA = dy Bᵀ, dB = Aᵀ dy (with the flags, A or B is stored transposed)",
  domain: (draw) => {
    const [m, k, n] = [draw.integer(1, 4), draw.integer(1, 5), draw.integer(1, 4)];
    const attributes = { transposeA: flip(draw), transposeB: flip(draw) };
    const [batchA, batchB] = broadcastPair(draw);
    return {
      inputs: [
        real([...batchA.slice(-2), ...(attributes.transposeA ? [k, m] : [m, k])]),
        real([...batchB.slice(-2), ...(attributes.transposeB ? [n, k] : [k, n])]),
      ],
      attributes,
    };
  },
  shape: ([a, b], attributes) => t.matmulShape(a, b, attributes),
  forward: ([a, b], attributes) => t.matmul(a, b, attributes),
  backward: (dy, { inputs: [a, b], needs, attributes: { transposeA, transposeB } }) => [
    needs[0]
      ? t.scope(() =>
          t.sumTo(
            transposeA
              ? t.matmul(b, dy, { transposeA: transposeB, transposeB: true })
              : t.matmul(dy, b, { transposeB: !transposeB }),
            a.shape,
          ),
        )
      : null,
    needs[1]
      ? t.scope(() =>
          t.sumTo(
            transposeB
              ? t.matmul(dy, a, { transposeA: true, transposeB: transposeA })
              : t.matmul(a, dy, { transposeA: !transposeA }),
            b.shape,
          ),
        )
      : null,
  ],
});

const flip = (draw: Draw): boolean => draw.integer(0, 1) === 1;

/** Matrix product over the last two axes, the leading ones broadcast. a [.., M, K], b [.., K, N] -> [.., M, N] */
export function matmul(a: Variable, b: Variable, options: t.MatmulOptions = {}): Variable {
  t.expectObject("matmul", "the options", options);
  const { transposeA = false, transposeB = false } = options;
  return apply(matmulOperation, [a, b], { transposeA, transposeB });
}

/** x [.., in] of at least two axes, weight [out, in] -> [.., out] */
export const linear = defineOperation({
  name: "linear",
  equation: "y = x Wᵀ,  dx = dy W, dW = dyᵀ x (summed over all leading axes)",
  domain: (draw) => {
    const width = draw.integer(1, 5);
    const leading = Array.from({ length: draw.integer(1, 2) }, () => draw.integer(1, 4));
    return { inputs: [real([...leading, width]), real([draw.integer(1, 4), width])] };
  },
  shape: ([x, w]) => {
    const names = `x ${t.showShape(x)} and weight ${t.showShape(w)}`;
    if (x.length < 2 || w.length !== 2) {
      throw new t.ShapeError(`linear: got ${names}, expected x [.., in] and weight [out, in]`);
    }
    if (x.at(-1) !== w[1]) {
      throw new t.ShapeError(`linear: cannot multiply ${names} (last axis: ${x.at(-1)} against ${w[1]})`);
    }
    return [...x.slice(0, -1), w[0]!];
  },
  forward: ([x, w]) =>
    t.scope(() => {
      const y = t.matmul(asRows(x), w, { transposeB: true });
      return t.reshape(y, [...x.shape.slice(0, -1), w.shape[0]!]);
    }),
  backward: (dy, { inputs: [x, w], needs }) => [
    needs[0] ? t.scope(() => t.reshape(t.matmul(asRows(dy), w), x.shape)) : null,
    needs[1] ? t.scope(() => t.matmul(asRows(dy), asRows(x), { transposeA: true })) : null,
  ],
  definition: ([x, w]) => matmul(x, transpose(w)),
});

/** x [.., in] -> [rows, in] */
const asRows = (x: t.Tensor): t.Tensor => t.reshape(x, [t.sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]);
