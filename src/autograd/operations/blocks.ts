// The parts of a block of the network: gate, norm, and the SwiGLU half block that fuses them. A fused operation runs as one
// kernel where its definition needs several passes over memory; `scope(body, { fused: false })` runs the definitions instead.
import * as t from "../../tensor/index.ts";
import { type Draw, type InputDomain, real } from "../domain.ts";
import { apply, defineOperation } from "../operation.ts";
import { expectVariables, type Variable } from "../variable.ts";
import { mean, slice } from "./arrangement.ts";
import { add, affine, cast, multiply, rsqrt, silu, square } from "./elementwise.ts";
import { linear, matmul } from "./products.ts";

/** Kernels take the axis as one of two memory layouts, so another axis would give wrong numbers without an error. */
function expectBlockAxis(operation: string, axis: t.BlockAxis): void {
  if (axis === -1 || axis === -2) return;
  throw new t.ArgumentError(`${operation}: got axis ${t.showValue(axis)}, expected -1 or -2`);
}

function expectAxis(operation: string, shape: t.Shape, axis: t.BlockAxis): void {
  expectBlockAxis(operation, axis);
  if (shape.length >= -axis) return;
  throw new t.ShapeError(`${operation}: got ${t.showShape(shape)}, expected at least ${-axis} axes`);
}

const anyAxis = (draw: Draw): t.BlockAxis => draw.oneOf([-1, -2] as const);

const { operation: siluGateOperation } = defineOperation({
  name: "siluGate",
  equation: "[g; u] = x along the axis, y = silu(g) · u;  dg = dy · u · silu'(g), du = dy · silu(g)",
  domain: (draw) => {
    const axis = anyAxis(draw);
    const shape = [draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 3)];
    return { inputs: [real(shape.with(axis, 2 * shape.at(axis)!))], attributes: { axis } };
  },
  maxMagnitude: 1e38, // up · the slope of silu, up to 1.1, may overflow although its product with dy does not.
  shape: ([x], { axis }) => {
    expectAxis("siluGate", x, axis);
    const width = x.at(axis)!;
    if (width % 2 === 0) return x.with(axis, width / 2);
    throw new t.ShapeError(`siluGate: got ${t.showShape(x)}, expected an even length along axis ${axis} (gate and up)`);
  },
  forward: ([x], { axis }) => {
    const y = t.emptyLike(x, x.shape.with(axis, x.shape.at(axis)! / 2));
    x.backend.fused.siluGate!(y, x, axis);
    return y;
  },
  backward: (dy, { inputs: [x], attributes: { axis } }) => {
    const dx = t.emptyLike(x);
    x.backend.fused.siluGateBackward!(dx, x, dy, axis);
    return [dx];
  },
  kernel: "siluGate",
  definition: ([x], { axis }) => {
    const half = x.shape.at(axis)! / 2;
    return multiply(silu(slice(x, axis, 0, half)), slice(x, axis, half, 2 * half));
  },
});

/** silu(gate) · up, where [gate; up] = x along the axis. Shazeer 2020. */
export const siluGate = (x: Variable, axis: t.BlockAxis = -1): Variable => apply(siluGateOperation, [x], { axis });

const { operation: rmsNormOperation } = defineOperation({
  name: "rmsNorm",
  equation:
    "s = Σ inputs, y = s / √(mean s² + ε);  ds = (dy - y · mean(dy · y)) / √(mean s² + ε), the same for each input",
  domain: (draw) => {
    const h = real([draw.integer(1, 3), draw.integer(1, 4), draw.integer(1, 4)]);
    const inputs: [InputDomain, InputDomain?] = draw.integer(1, 2) === 1 ? [h] : [h, h];
    return { inputs, attributes: { axis: anyAxis(draw), epsilon: draw.oneOf([0.01, 0.1]) } };
  },
  shape: ([h, r], { axis }) => {
    expectAxis("rmsNorm", h, axis);
    if (r && !t.sameShape(h, r)) {
      throw new t.ShapeError(`rmsNorm: got ${t.showShape(h)} and ${t.showShape(r)}, expected equal shapes`);
    }
    return h;
  },
  forward: ([h, r], { axis, epsilon }) => {
    const y = t.emptyLike(h);
    const inverseRms = t.emptyLike(h, h.shape.with(axis, 1));
    h.backend.fused.addRmsNorm!(y, inverseRms, h, r ?? null, axis, epsilon);
    return { output: y, memory: [inverseRms] };
  },
  backward: (dy, { output: y, memory: [inverseRms], shapes: [, r], attributes: { axis } }) => {
    const ds = t.emptyLike(y);
    y.backend.fused.addRmsNormBackward!(ds, y, inverseRms!, dy, axis);
    return r ? [ds, ds] : [ds];
  },
  saves: { inputs: [], output: true },
  kernel: "addRmsNorm",
  definition: ([h, r], { axis, epsilon }) => {
    const s = r ? add(h, r) : h;
    const precise = cast(s, "float64"); // The square of 1e20 is beyond the range of float32.
    return cast(multiply(precise, rsqrt(affine(mean(square(precise), [axis], true), 1, epsilon))), s.dtype);
  },
});

/** Root-mean-square norm over the axis, without weight: x / √(mean x² + ε). Zhang & Sennrich 2019. */
export const rmsNorm = (x: Variable, axis: t.BlockAxis = -1, epsilon = 1e-5): Variable =>
  apply(rmsNormOperation, [x], { axis, epsilon });

/** rmsNorm(h + r): the post-norm residual of a block. */
export function addRmsNorm(h: Variable, r: Variable, axis: t.BlockAxis = -1, epsilon = 1e-5): Variable {
  expectVariables("addRmsNorm", [h, r]);
  return apply(rmsNormOperation, [h, r], { axis, epsilon });
}

/** The two weight matrices of a SwiGLU over an axis of width W: gateUp [2I, W], down [W, I]. */
export interface SwigluWeights {
  readonly gateUp: Variable;
  readonly down: Variable;
}

/** down · siluGate(gateUp · x) along the axis. Over the sequence the weights stand on the left, so that nothing is transposed. */
export function swiglu(x: Variable, weights: SwigluWeights, axis: t.BlockAxis = -1): Variable {
  t.expectObject("swiglu", "the weights", weights, ["gateUp", "down"]);
  const { gateUp, down } = weights;
  expectVariables("swiglu", [x, gateUp, down]);
  expectBlockAxis("swiglu", axis);
  if (axis === -1) return linear(siluGate(linear(x, gateUp)), down);
  return matmul(down, siluGate(matmul(gateUp, x), -2));
}

const { operation: swigluBlockOperation } = defineOperation({
  name: "swigluBlock",
  equation: "y = rmsNorm(h + down · siluGate(gateUp · h)) along the axis;  gradients by the chain rule",
  domain: (draw) => {
    const axis = anyAxis(draw);
    const shape = [draw.integer(1, 3), draw.integer(1, 4), draw.integer(1, 4)];
    const width = shape.at(axis)!;
    const inner = draw.integer(1, 4);
    return {
      inputs: [real(shape), real([2 * inner, width]), real([width, inner])],
      attributes: { axis, epsilon: 0.01 },
    };
  },
  maxMagnitude: 1e6, // down · silu(gate · h) · (up · h) is of fifth order.
  shape: ([h, gateUp, down], { axis }) => {
    expectBlockAxis("swigluBlock", axis);
    const width = h.at(axis)!;
    const fits = down.length === 2 && t.sameShape(gateUp, [2 * down[1]!, width]) && down[0] === width;
    if (fits && h.length === 3) return h;
    throw new t.ShapeError(
      `swigluBlock: got h ${t.showShape(h)}, gateUp ${t.showShape(gateUp)}, down ${t.showShape(down)}, expected h [B, L, D], gateUp [2I, ${width}], down [${width}, I] along axis ${axis}`,
    );
  },
  forward: ([h, gateUp, down], { axis, epsilon }, recording) => {
    const y = t.emptyLike(h);
    const memory = recording
      ? {
          gateUp: t.emptyLike(h, h.shape.with(axis, gateUp.shape[0]!)),
          inverseRms: t.emptyLike(h, h.shape.with(axis, 1)),
        }
      : null;
    h.backend.fused.swigluBlock!(y, memory, h, gateUp, down, axis, epsilon);
    return { output: y, memory: memory ? [memory.gateUp, memory.inverseRms] : [] };
  },
  backward: (dy, { inputs: [h, gateUp, down], output: out, memory: [inner, inverseRms], attributes: { axis } }) => {
    const gradients = { h: t.emptyLike(h), gateUp: t.emptyLike(gateUp), down: t.emptyLike(down) };
    const memory = { gateUp: inner!, inverseRms: inverseRms! };
    h.backend.fused.swigluBlockBackward!(gradients, { h, gateUp, down, out, memory }, dy, axis);
    return [gradients.h, gradients.gateUp, gradients.down];
  },
  saves: { output: true },
  kernel: "swigluBlock",
  definition: ([h, gateUp, down], { axis, epsilon }) => addRmsNorm(h, swiglu(h, { gateUp, down }, axis), axis, epsilon),
});

/** rmsNorm(h + swiglu(h)) along the axis: half a block of the network. h [B, L, D] */
export function swigluBlock(h: Variable, weights: SwigluWeights, axis: t.BlockAxis = -1, epsilon = 1e-5): Variable {
  t.expectObject("swigluBlock", "the weights", weights, ["gateUp", "down"]);
  return apply(swigluBlockOperation, [h, weights.gateUp, weights.down], { axis, epsilon });
}
