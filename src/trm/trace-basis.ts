// Positions of latents in two dimensions: the mean of a latent over its positions, projected onto the two directions in which
// these means differ most (principal components). The basis is computed once and stored with the weights, so that the positions
// of different traces can be compared.
import { ConfigError } from "./errors.ts";
import type { Model } from "./model.ts";
import { expectQuestion, type Question } from "./prediction.ts";
import { type TraceRun, updatesOf } from "./trace-updates.ts";

/** The plane of one latent, as plain data. */
export interface Plane {
  /** [D] */
  readonly mean: readonly number[];
  /** Two orthogonal unit vectors [D]. */
  readonly axes: readonly [readonly number[], readonly number[]];
  /** Share of the variance that both axes together explain, 0..1. */
  readonly explained: number;
}

/** A plane for every latent by name. */
export type PositionBasis = Readonly<Record<string, Plane>>;

/** The position of a latent [P + L, D]. @throws ConfigError if the basis does not fit the model */
export function positionOn(
  basis: PositionBasis,
  latent: string,
  values: Float32Array,
  hiddenSize: number,
): [number, number] {
  const plane = basis[latent];
  if (!plane) {
    throw new ConfigError(`trace: got a basis for ${Object.keys(basis).join(", ")}, expected one for ${latent} too`);
  }
  const { mean, axes } = plane;
  if (mean.length !== hiddenSize) {
    throw new ConfigError(
      `trace: got a basis of ${mean.length} dimensions, expected ${hiddenSize}, the model's hiddenSize`,
    );
  }
  const point = meanOverPositions(values, hiddenSize).map((value, i) => value - mean[i]!);
  return [dot(point, axes[0]), dot(point, axes[1])];
}

/** Computes a basis from the updates that a model makes on these questions. The options are those of `trace`. */
export async function traceBasis(model: Model, question: Question, options: TraceRun): Promise<PositionBasis> {
  expectQuestion("traceBasis", model, question, options);
  const { hiddenSize, sequenceLength } = model.config;
  const puzzles = question.inputs.length / sequenceLength;
  const points = new Map<string, Float64Array[]>();
  for await (const { latent, latents } of updatesOf(model, question, options)) {
    const values = latents[latent]!;
    const size = values.length / puzzles;
    const own = points.get(latent) ?? [];
    for (let at = 0; at < values.length; at += size) {
      own.push(meanOverPositions(values.subarray(at, at + size), hiddenSize));
    }
    points.set(latent, own);
  }
  return Object.fromEntries([...points].map(([latent, own]) => [latent, principalPlane(own)]));
}

/** [positions, D] -> [D] */
function meanOverPositions(values: Float32Array, width: number): Float64Array {
  const mean = new Float64Array(width);
  for (let i = 0; i < values.length; i++) mean[i % width]! += values[i]!;
  return mean.map((sum) => (sum * width) / values.length);
}

/** The two principal components of some points [D]. Deterministic, including the signs of the axes. */
export function principalPlane(points: readonly Float64Array[]): Plane {
  const width = points[0]!.length;
  const mean = new Float64Array(width);
  for (const point of points) for (let i = 0; i < width; i++) mean[i]! += point[i]! / points.length;
  const centred = points.map((point) => point.map((value, i) => value - mean[i]!));
  const total = centred.reduce((sum, point) => sum + dot(point, point), 0);
  const first = leadingAxis(centred, width);
  const rest = centred.map((point) => {
    const along = dot(point, first);
    return point.map((value, i) => value - along * first[i]!);
  });
  const left = rest.reduce((sum, point) => sum + dot(point, point), 0);
  // If the points lie on a line, what is left is rounding error.
  const second = left > 1e-20 * total ? leadingAxis(rest, width) : orthogonalTo(first);
  const variance = (axis: Float64Array): number => centred.reduce((sum, point) => sum + dot(point, axis) ** 2, 0);
  return {
    mean: [...mean],
    axes: [[...first], [...second]],
    explained: total > 0 ? (variance(first) + variance(second)) / total : 1,
  };
}

/** The direction of the largest variance, by power iteration. The component of largest magnitude is positive. */
function leadingAxis(points: readonly Float64Array[], width: number): Float64Array {
  // The longest point is not orthogonal to the axis, except by accident.
  const longest = points.reduce((a, b) => (dot(b, b) > dot(a, a) ? b : a));
  const length = Math.sqrt(dot(longest, longest));
  if (length === 0) return unitVector(width, 0);
  let axis = longest.map((value) => value / length);
  for (let iteration = 0; iteration < 200; iteration++) {
    const next = new Float64Array(width);
    for (const point of points) {
      const along = dot(point, axis);
      for (let i = 0; i < width; i++) next[i]! += along * point[i]!;
    }
    const norm = Math.sqrt(dot(next, next));
    axis = next.map((value) => value / norm);
  }
  const largest = axis.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  return largest < 0 ? axis.map((value) => -value) : axis;
}

/** A unit vector that is orthogonal to the given one. */
function orthogonalTo(axis: Float64Array): Float64Array {
  const smallest = axis.reduce((best, value, i) => (Math.abs(value) < Math.abs(axis[best]!) ? i : best), 0);
  const other = unitVector(axis.length, smallest).map((value, i) => value - axis[smallest]! * axis[i]!);
  const length = Math.sqrt(dot(other, other));
  return other.map((value) => value / (length || 1)); // in one dimension nothing is orthogonal
}

const unitVector = (width: number, at: number): Float64Array =>
  Float64Array.from({ length: width }, (_, i) => (i === at ? 1 : 0));

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
