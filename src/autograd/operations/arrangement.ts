// Operations that move numbers, reduce them, or look them up.
import * as t from "../../tensor/index.ts";
import { anyShape, type Domain, type Draw, type InputDomain, index, real } from "../domain.ts";
import { apply, defineOperation } from "../operation.ts";
import { expectVariables, type Variable } from "../variable.ts";

const nothing = { inputs: [], output: false };

/** An axis counted from the front; negative axes count from the end. */
const fromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

const { operation: reshapeOperation } = defineOperation({
  name: "reshape",
  equation: "y = x with another shape,  dx = dy with the shape of x",
  domain: (draw) => {
    const shape = anyShape(draw);
    return { inputs: [real(shape)], attributes: { shape: draw.oneOf([[-1], [1, ...shape], [...shape].reverse()]) } };
  },
  // The product of the lengths contains the -1, so it is minus the product of the known ones.
  shape: ([x], { shape }) => shape.map((length) => (length === -1 ? t.sizeOf(x) / -t.sizeOf(shape) : length)),
  forward: ([x], { shape }) => t.reshape(x, shape),
  backward: (dy, { shapes: [x] }) => [t.reshape(dy, x)],
  saves: nothing,
});

/** The same numbers with another shape; -1 stands for the length that the other lengths imply. */
export function reshape(x: Variable, shape: t.Shape): Variable {
  t.expectArray("reshape", "the shape", shape);
  return apply(reshapeOperation, [x], { shape });
}

const { operation: permuteOperation } = defineOperation({
  name: "permute",
  equation: "y[i_axes] = x[i],  dx = dy with the axes in their old order",
  domain: (draw) => {
    const shape = anyShape(draw, 1);
    return { inputs: [real(shape)], attributes: { axes: shuffledAxes(draw, shape.length) } };
  },
  shape: ([x], { axes }) => axes.map((axis) => x.at(axis)!),
  forward: ([x], { axes }) => t.permute(x, axes),
  backward: (dy, { attributes: { axes } }) => [t.permute(dy, inverseOrder(axes))],
  saves: nothing,
});

/** Axes in another order: y.shape[i] = x.shape[axes[i]]. */
export function permute(x: Variable, axes: readonly number[]): Variable {
  t.expectArray("permute", "the axes", axes);
  return apply(permuteOperation, [x], { axes: [...axes] }); // A copy, because the caller may change its array later.
}

/** The last two axes swapped. */
export function transpose(x: Variable): Variable {
  expectVariables("transpose", [x]);
  return permute(x, t.swapLastTwo(x.shape.length));
}

function shuffledAxes(draw: Draw, rank: number): number[] {
  const left = [...Array(rank).keys()];
  return Array.from({ length: rank }, () => left.splice(draw.integer(0, left.length - 1), 1)[0]!);
}

function inverseOrder(axes: readonly number[]): number[] {
  const inverse: number[] = [];
  axes.forEach((axis, i) => {
    inverse[fromFront(axis, axes.length)] = i;
  });
  return inverse;
}

const { operation: broadcastToOperation } = defineOperation({
  name: "broadcastTo",
  equation: "y = x repeated,  dx = Σ dy over the repetitions",
  domain: (draw) => {
    const shape = anyShape(draw);
    const own = shape.slice(draw.integer(0, shape.length)).map((length) => (draw.integer(0, 1) === 0 ? 1 : length));
    return { inputs: [real(own)], attributes: { shape } };
  },
  shape: (_, { shape }) => shape,
  forward: ([x], { shape }) => t.broadcastTo(x, shape),
  backward: (dy, { shapes: [x] }) => [t.sumTo(dy, x)],
  saves: nothing,
});

/** x repeated along its axes of length 1 (and new leading axes) to fill `shape`. */
export const broadcastTo = (x: Variable, shape: t.Shape): Variable => apply(broadcastToOperation, [x], { shape });

const { operation: sliceOperation } = defineOperation({
  name: "slice",
  equation: "y = x[start..end) along an axis,  dx = dy there, 0 elsewhere",
  domain: (draw) => {
    const shape = anyShape(draw, 1);
    const axis = draw.integer(0, shape.length - 1);
    const start = draw.integer(0, shape[axis]! - 1);
    return { inputs: [real(shape)], attributes: { axis, start, end: draw.integer(start + 1, shape[axis]!) } };
  },
  shape: ([x], { axis, start, end }) => x.map((length, i) => (i === fromFront(axis, x.length) ? end - start : length)),
  forward: ([x], { axis, start, end }) => t.slice(x, axis, start, end),
  backward: (dy, { attributes: { axis, start, end }, shapes: [x] }) => [t.pad(dy, axis, start, x.at(axis)! - end)],
  saves: nothing,
});

/** Elements start..end-1 along one axis; x itself if that is all of them. */
export function slice(x: Variable, axis: number, start: number, end: number): Variable {
  expectVariables("slice", [x]);
  const isAll = Number.isInteger(axis) && start === 0 && end === x.shape.at(axis);
  return isAll ? x : apply(sliceOperation, [x], { axis, start, end });
}

const { operation: concatOperation } = defineOperation({
  name: "concat",
  equation: "y = the inputs one after another,  each gets its part of dy",
  domain: (draw) => {
    const shape = anyShape(draw, 1);
    const axis = draw.integer(0, shape.length - 1);
    const part = () => real(shape.map((length, i) => (i === axis ? draw.integer(1, 3) : length)));
    return { inputs: Array.from({ length: draw.integer(1, 3) }, part), attributes: { axis } };
  },
  shape: (shapes, { axis }) => {
    const first = shapes[0] ?? [];
    const at = fromFront(axis, first.length);
    return first.map((length, i) => (i === at ? shapes.reduce((sum, shape) => sum + shape[at]!, 0) : length));
  },
  forward: (parts, { axis }) => t.concat(parts, axis),
  backward: (dy, { shapes, attributes: { axis } }) => {
    let start = 0;
    return shapes.map((shape) => {
      start += shape.at(axis)!;
      return t.slice(dy, axis, start - shape.at(axis)!, start);
    });
  },
  saves: nothing,
});

/** Variables one after another along an axis. */
export function concat(parts: readonly Variable[], axis: number): Variable {
  t.expectArray("concat", "the variables", parts);
  return apply(concatOperation, parts, { axis });
}

const { operation: padOperation } = defineOperation({
  name: "pad",
  equation: "y = x with zeros before and after along an axis,  dx = dy inside",
  domain: (draw) => {
    const shape = anyShape(draw, 1);
    const axis = draw.integer(0, shape.length - 1);
    return { inputs: [real(shape)], attributes: { axis, before: draw.integer(0, 2), after: draw.integer(0, 2) } };
  },
  shape: ([x], { axis, before, after }) =>
    x.map((length, i) => (i === fromFront(axis, x.length) ? before + length + after : length)),
  forward: ([x], { axis, before, after }) => t.pad(x, axis, before, after),
  backward: (dy, { attributes: { axis, before }, shapes: [x] }) => [t.slice(dy, axis, before, before + x.at(axis)!)],
  saves: nothing,
});

/** x surrounded by zeros along one axis. */
export const pad = (x: Variable, axis: number, before: number, after: number): Variable =>
  apply(padOperation, [x], { axis, before, after });

interface Reduction {
  readonly axes: readonly number[];
  readonly keepAxes: boolean;
}

const reductionDomain =
  (distinct: boolean): Domain<[InputDomain], Reduction> =>
  (draw) => {
    const shape = anyShape(draw);
    const axes = [...shape.keys()].filter(() => draw.integer(0, 1) === 0);
    return { inputs: [real(shape, [-2, 2], { distinct })], attributes: { axes, keepAxes: draw.integer(0, 1) === 0 } };
  };

const isReduced = (x: t.Shape, axes: readonly number[], axis: number): boolean =>
  axes.includes(axis) || axes.includes(axis - x.length);

function reducedShape([x]: readonly [t.Shape], { axes, keepAxes }: Reduction): number[] {
  return x.flatMap((length, axis) => (isReduced(x, axes, axis) ? (keepAxes ? [1] : []) : [length]));
}

const withAxesKept = ([x]: readonly [t.Shape], { axes }: Reduction): number[] =>
  reducedShape([x], { axes, keepAxes: true });

const { operation: sumOperation } = defineOperation({
  name: "sum",
  equation: "y = Σ x over axes,  dx = dy repeated",
  domain: reductionDomain(false),
  shape: reducedShape,
  forward: ([x], { axes, keepAxes }) => t.sum(x, axes, keepAxes),
  backward: (dy, { shapes, attributes }) => [
    t.scope(() => t.broadcastTo(t.reshape(dy, withAxesKept(shapes, attributes)), shapes[0])),
  ],
  saves: nothing,
});

/** The given axes, or all. @throws ArgumentError unless x is a Variable and the axes are an array */
function axesOf(name: string, x: Variable, axes: readonly number[] | undefined): readonly number[] {
  expectVariables(name, [x]);
  if (axes === undefined) return [...x.shape.keys()];
  t.expectArray(name, "the axes", axes);
  return [...axes]; // A copy, because the caller may change its array later.
}

/** Σ over the axes (all if none are given). */
export const sum = (x: Variable, axes?: readonly number[], keepAxes = false): Variable =>
  apply(sumOperation, [x], { axes: axesOf("sum", x, axes), keepAxes });

const { operation: meanOperation } = defineOperation({
  name: "mean",
  equation: "y = Σ x over axes / N of N elements each,  dx = dy / N repeated",
  domain: reductionDomain(false),
  shape: reducedShape,
  forward: ([x], { axes, keepAxes }) => t.mean(x, axes, keepAxes),
  backward: (dy, { shapes, attributes }) => [
    t.scope(() => {
      const kept = withAxesKept(shapes, attributes);
      const each = t.affine(t.reshape(dy, kept), t.sizeOf(kept) / t.sizeOf(shapes[0]));
      return t.broadcastTo(each, shapes[0]);
    }),
  ],
  saves: nothing,
});

/** Σ over the axes / number of elements summed (all axes if none are given). */
export const mean = (x: Variable, axes?: readonly number[], keepAxes = false): Variable =>
  apply(meanOperation, [x], { axes: axesOf("mean", x, axes), keepAxes });

const { operation: maxOperation } = defineOperation({
  name: "max",
  equation: "y = max x over axes,  dx = dy where x = y (shared equally by ties)",
  domain: reductionDomain(true),
  shape: reducedShape,
  forward: ([x], { axes, keepAxes }) => t.max(x, axes, keepAxes),
  backward: (dy, { inputs: [x], output, shapes, attributes }) => [
    t.scope(() => {
      const kept = withAxesKept(shapes, attributes);
      const largest = t.equal(x, t.reshape(output, kept));
      const ties = t.sum(largest, attributes.axes, true);
      return t.multiply(largest, t.divide(t.reshape(dy, kept), ties));
    }),
  ],
  saves: { output: true },
});

/** The largest element over the axes (all if none are given). */
export const max = (x: Variable, axes?: readonly number[], keepAxes = false): Variable =>
  apply(maxOperation, [x], { axes: axesOf("max", x, axes), keepAxes });

/** Rows of a table by index. table [N, D], ids [...] int32 -> [..., D] */
export const gatherRows = defineOperation({
  name: "gatherRows",
  equation: "y[i] = table[ids[i]],  dtable[r] = Σ dy[i] over i with ids[i] = r",
  domain: (draw) => {
    const rows = draw.integer(1, 4);
    return { inputs: [real([rows, draw.integer(1, 4)]), index(anyShape(draw, 1, 2), 0, rows - 1)] };
  },
  shape: ([table, ids]) => [...ids, table[1]!],
  forward: ([table, ids]) => t.gatherRows(table, ids),
  backward: (dy, { inputs: [, ids], shapes: [table] }) => [t.scatterRows(ids, dy, table[0]!), null],
  saves: { inputs: [1] },
});
