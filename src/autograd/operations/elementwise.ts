// Elementwise operations. In the equations dx is the gradient of the loss with respect to x: dy is given, dx is returned.
//
// The rules multiply and divide in an order in which no intermediate result leaves the range of float32 unless the gradient does:
// y² of y = 1e20 is infinite, although dy · y · y need not be.
import * as t from "../../tensor/index.ts";
import { anyShape, broadcastPair, index, oneReal, real, twoReals } from "../domain.ts";
import { apply, defineOperation } from "../operation.ts";
import { expectVariables, type Variable } from "../variable.ts";

const sameAsInput = ([x]: readonly [t.Shape]): t.Shape => x;
const onlyOutput = { inputs: [], output: true };
const nothing = { inputs: [], output: false };

/** -x */
export const negate = defineOperation({
  name: "negate",
  equation: "y = -x,  dx = -dy",
  domain: oneReal(),
  shape: sameAsInput,
  forward: ([x]) => t.negate(x),
  backward: (dy) => [t.negate(dy)],
  saves: nothing,
});

/** e^x */
export const exp = defineOperation({
  name: "exp",
  equation: "y = e^x,  dx = dy · y",
  domain: oneReal(),
  shape: sameAsInput,
  forward: ([x]) => t.exp(x),
  backward: (dy, { output: y }) => [t.multiply(dy, y)],
  saves: onlyOutput,
});

/** ln x */
export const log = defineOperation({
  name: "log",
  equation: "y = ln x,  dx = dy / x",
  domain: oneReal([0.2, 3]),
  shape: sameAsInput,
  forward: ([x]) => t.log(x),
  backward: (dy, { inputs: [x] }) => [t.divide(dy, x)],
});

/** √x */
export const sqrt = defineOperation({
  name: "sqrt",
  equation: "y = √x,  dx = dy / (2y)",
  domain: oneReal([0.2, 3]),
  shape: sameAsInput,
  forward: ([x]) => t.sqrt(x),
  backward: (dy, { output: y }) => [t.scope(() => t.divide(dy, t.affine(y, 2)))],
  saves: onlyOutput,
});

/** 1 / √x */
export const rsqrt = defineOperation({
  name: "rsqrt",
  equation: "y = 1/√x,  dx = -dy · y³ / 2",
  domain: oneReal([0.2, 3]),
  shape: sameAsInput,
  forward: ([x]) => t.rsqrt(x),
  backward: (dy, { output: y }) => [t.scope(() => t.multiply(t.multiply(t.affine(t.multiply(dy, y), -0.5), y), y))],
  saves: onlyOutput,
});

/** x² */
export const square = defineOperation({
  name: "square",
  equation: "y = x²,  dx = 2x · dy",
  domain: oneReal(),
  shape: sameAsInput,
  forward: ([x]) => t.square(x),
  backward: (dy, { inputs: [x] }) => [t.scope(() => t.affine(t.multiply(dy, x), 2))],
});

/** 1 / x */
export const reciprocal = defineOperation({
  name: "reciprocal",
  equation: "y = 1/x,  dx = -dy · y²",
  domain: oneReal([-3, 3], [-0.4, -0.2, 0, 0.2, 0.4]),
  shape: sameAsInput,
  forward: ([x]) => t.reciprocal(x),
  backward: (dy, { output: y }) => [t.scope(() => t.negate(t.multiply(t.multiply(dy, y), y)))],
  saves: onlyOutput,
});

/** |x| */
export const abs = defineOperation({
  name: "abs",
  equation: "y = |x|,  dx = dy · sign x",
  domain: oneReal([-2, 2], [0]),
  shape: sameAsInput,
  forward: ([x]) => t.abs(x),
  backward: (dy, { inputs: [x] }) => [t.scope(() => t.multiply(dy, t.sign(x)))],
});

/** tanh x */
export const tanh = defineOperation({
  name: "tanh",
  equation: "y = tanh x,  dx = dy (1 - y²)",
  domain: oneReal(),
  shape: sameAsInput,
  forward: ([x]) => t.tanh(x),
  backward: (dy, { output: y }) => [t.scope(() => t.multiply(dy, t.affine(t.square(y), -1, 1)))],
  saves: onlyOutput,
});

/** 1 / (1 + e^-x) */
export const sigmoid = defineOperation({
  name: "sigmoid",
  equation: "y = 1 / (1 + e^-x),  dx = dy · y (1 - y)",
  domain: oneReal(),
  shape: sameAsInput,
  forward: ([x]) => t.sigmoid(x),
  backward: (dy, { output: y }) => [t.scope(() => t.multiply(dy, t.multiply(y, t.affine(y, -1, 1))))],
  saves: onlyOutput,
});

/** x · sigmoid x */
export const silu = defineOperation({
  name: "silu",
  equation: "y = x s, s = sigmoid x,  dx = dy · s (1 + x (1 - s))",
  domain: oneReal(),
  shape: sameAsInput,
  forward: ([x]) => t.silu(x),
  backward: (dy, { inputs: [x] }) => [
    t.scope(() => {
      const s = t.sigmoid(x);
      return t.multiply(dy, t.multiply(s, t.affine(t.multiply(x, t.affine(s, -1, 1)), 1, 1)));
    }),
  ],
});

/** ln(1 + e^x) */
export const softplus = defineOperation({
  name: "softplus",
  equation: "y = ln(1 + e^x),  dx = dy · sigmoid x",
  domain: oneReal(),
  shape: sameAsInput,
  forward: ([x]) => t.softplus(x),
  backward: (dy, { inputs: [x] }) => [t.scope(() => t.multiply(dy, t.sigmoid(x)))],
});

/** max(x, 0) */
export const relu = defineOperation({
  name: "relu",
  equation: "y = max(x, 0),  dx = dy where x > 0",
  domain: oneReal([-2, 2], [0]),
  shape: sameAsInput,
  forward: ([x]) => t.relu(x),
  backward: (dy, { output: y }) => [t.scope(() => t.multiply(dy, t.sign(y)))],
  saves: onlyOutput,
});

const { operation: affineOperation } = defineOperation({
  name: "affine",
  equation: "y = scale · x + shift,  dx = scale · dy",
  domain: (draw) => ({
    inputs: [real(anyShape(draw))],
    attributes: { scale: draw.oneOf([-1.5, 0.5, 3]), shift: draw.oneOf([0, 0.7]) },
  }),
  shape: sameAsInput,
  forward: ([x], { scale, shift }) => t.affine(x, scale, shift),
  backward: (dy, { attributes: { scale } }) => [t.affine(dy, scale)],
  saves: nothing,
});

/** scale · x + shift */
export const affine = (x: Variable, scale: number, shift = 0): Variable =>
  apply(affineOperation, [x], { scale, shift });

const { operation: castOperation } = defineOperation({
  name: "cast",
  equation: "y = x converted to another element type,  dx = dy converted back",
  domain: (draw) => ({ inputs: [real(anyShape(draw))], attributes: { dtype: "float64" as t.DType } }),
  shape: sameAsInput,
  forward: ([x], { dtype }) => t.cast(x, dtype),
  backward: (dy, { inputs: [x] }) => [t.cast(dy, x.dtype)],
});

/** x converted to another element type. No gradient flows through a conversion to int32, which cuts off the fractions. */
export function cast(x: Variable, dtype: t.DType): Variable {
  expectVariables("cast", [x]);
  return apply(castOperation, [dtype === "int32" ? x.detach() : x], { dtype });
}

const broadcastOf =
  (name: string) =>
  ([a, b]: readonly [t.Shape, t.Shape]): t.Shape =>
    t.broadcastShapes(name, a, b);

/** a + b; both broadcast, as in all operations on two variables. */
export const add = defineOperation({
  name: "add",
  equation: "y = a + b,  da = dy, db = dy (summed over repeated axes)",
  domain: twoReals(),
  shape: broadcastOf("add"),
  forward: ([a, b]) => t.add(a, b),
  backward: (dy, { shapes: [a, b] }) => [t.sumTo(dy, a), t.sumTo(dy, b)],
  saves: nothing,
});

/** a - b */
export const subtract = defineOperation({
  name: "subtract",
  equation: "y = a - b,  da = dy, db = -dy",
  domain: twoReals(),
  shape: broadcastOf("subtract"),
  forward: ([a, b]) => t.subtract(a, b),
  backward: (dy, { shapes: [a, b] }) => [t.sumTo(dy, a), t.scope(() => t.negate(t.sumTo(dy, b)))],
  saves: nothing,
});

/** a · b */
export const multiply = defineOperation({
  name: "multiply",
  equation: "y = a · b,  da = dy · b, db = dy · a",
  domain: twoReals(),
  shape: broadcastOf("multiply"),
  forward: ([a, b]) => t.multiply(a, b),
  backward: (dy, { inputs: [a, b] }) => [
    t.scope(() => t.sumTo(t.multiply(dy, b), a.shape)),
    t.scope(() => t.sumTo(t.multiply(dy, a), b.shape)),
  ],
});

/** a / b */
export const divide = defineOperation({
  name: "divide",
  equation: "y = a / b,  da = dy / b, db = -dy · (a / b) / b",
  domain: twoReals([-2, 2], [0.5, 3]),
  shape: broadcastOf("divide"),
  forward: ([a, b]) => t.divide(a, b),
  backward: (dy, { inputs: [, b], output: y, shapes: [a] }) => [
    t.scope(() => t.sumTo(t.divide(dy, b), a)),
    t.scope(() => t.negate(t.sumTo(t.multiply(dy, t.divide(y, b)), b.shape))),
  ],
  saves: { inputs: [1], output: true },
});

/** The larger of a and b. */
export const maximum = defineOperation({
  name: "maximum",
  equation: "y = max(a, b),  da = dy where a > b, db = dy elsewhere",
  domain: twoReals([-2, 2], [-2, 2], [0, 0.5]),
  shape: broadcastOf("maximum"),
  forward: ([a, b]) => t.maximum(a, b),
  backward: (dy, { inputs: [a, b] }) => [
    t.scope(() => t.sumTo(t.multiply(dy, t.greater(a, b)), a.shape)),
    t.scope(() => t.sumTo(t.multiply(dy, t.affine(t.greater(a, b), -1, 1)), b.shape)),
  ],
});

/** The angle of the point (b, a), from -π to π. */
export const atan2 = defineOperation({
  name: "atan2",
  equation: "y = angle of (b, a),  da = dy · b / (a² + b²), db = -dy · a / (a² + b²)",
  domain: twoReals([-2, 2], [0.3, 2]),
  shape: broadcastOf("atan2"),
  forward: ([a, b]) => t.atan2(a, b),
  backward: (dy, { inputs: [a, b] }) =>
    t.scope(() => {
      const aIsLarger = t.greater(t.abs(a), t.abs(b));
      const large = t.select(aIsLarger, a, b);
      const ratio = t.divide(t.select(aIsLarger, b, a), large);
      // a² + b² = (1 + ratio²) · large · large
      const towardsLarge = t.divide(dy, t.affine(t.square(ratio), 1, 1));
      const towardsSmall = t.multiply(towardsLarge, ratio);
      const da = t.divide(t.select(aIsLarger, towardsSmall, towardsLarge), large);
      const db = t.negate(t.divide(t.select(aIsLarger, towardsLarge, towardsSmall), large));
      return [t.sumTo(da, a.shape), t.sumTo(db, b.shape)];
    }),
});

/** a where the condition is not 0, else b. */
export const select = defineOperation({
  name: "select",
  equation: "y = c ≠ 0 ? a : b,  da = dy where c ≠ 0, db = dy elsewhere; c is not differentiated",
  domain: (draw) => {
    const [a, b] = broadcastPair(draw);
    return { inputs: [index(draw.oneOf([a, b]), 0, 1), real(a), real(b)] };
  },
  shape: ([c, a, b]) => t.broadcastShapes("select", c, t.broadcastShapes("select", a, b)),
  forward: ([c, a, b]) => t.select(c, a, b),
  backward: (dy, { inputs: [c], shapes: [, a, b] }) => [
    null,
    t.scope(() => t.sumTo(t.select(c, dy, t.zeros([], dy.dtype, dy.backend)), a)),
    t.scope(() => t.sumTo(t.select(c, t.zeros([], dy.dtype, dy.backend), dy), b)),
  ],
  saves: { inputs: [0], output: false },
});
