// The fixed-point variant of the recursion ("TRM-DEQ", arXiv 2605.12466), to be read side by side with latentRecursion in
// recursion.ts: a solver replaces the loop over z. All tensors are [B, L, D].
import { constant, noGrad, type Variable } from "../autograd/index.ts";
import * as t from "../tensor/index.ts";
import type { Network, State } from "./recursion.ts";

/** The solvers of z = net(x + y + z). */
export const solvers = ["picard", "anderson"] as const;

/** Settings of a fixed-point solver. */
export interface SolverSettings {
  /** "picard": z <- f(z). "anderson": z <- a mixture of the last five f(z), see `andersonMix`. */
  readonly solver: (typeof solvers)[number];
  /** Number of iterations, each with one call of f. */
  readonly solverIterations: number;
  /** A puzzle is solved, and keeps its z, once |f(z) - z| is at most this share of |f(z)|. Default 1e-3. */
  readonly tolerance?: number;
}

/** The networks, which are the same unless they are separate, and the settings of a fixed-point recursion. */
export interface FixedPointSettings extends SolverSettings {
  readonly net: Network;
  readonly netY: Network;
  /** Updates of z after the solver. Of the last recursion only these and the update of y are on the tape. */
  readonly gradientSteps: number;
}

/**
 * A solver of z = net(x + y + z), a few updates of z, then one of y. With solverIterations 0 this is latentRecursion with
 * n = gradientSteps.
 */
export function fixedPointRecursion(settings: FixedPointSettings, x: Variable, { y, z }: State): State {
  const { net, netY, gradientSteps } = settings;
  const reason = (z: Variable): Variable => net(x, y, z);
  z = noGrad(() => constant(solveFixedPoint((z) => reason(constant(z)).value, z.value, settings)));
  for (let i = 0; i < gradientSteps; i++) z = reason(z);
  y = netY(y, z); // answer: net(y + z), without x
  return { y, z };
}

/** Iterates that Anderson's method mixes. */
const memory = 5;

/**
 * Solves z = f(z) for every puzzle of a batch, from `start` [B, L, D]. The solution of a puzzle does not depend on the others of the
 * batch. All iterations are computed, because the numbers that tell whether to stop are on the device; a puzzle that is solved keeps
 * its z. Returns a new tensor, or `start` without iterations.
 *
 * @param f  must not change its argument, and must treat every puzzle by itself
 */
export function solveFixedPoint(f: (z: t.Tensor) => t.Tensor, start: t.Tensor, settings: SolverSettings): t.Tensor {
  t.expectFunction("solveFixedPoint", "f", f);
  t.expectInstance("solveFixedPoint", "the start", start, t.Tensor);
  t.expectObject("solveFixedPoint", "the settings", settings, ["solver", "solverIterations"]);
  const { solver, solverIterations, tolerance = 1e-3 } = settings;
  if (!solvers.includes(solver)) {
    const given = t.showValue(solver);
    throw new t.ArgumentError(`solveFixedPoint: got ${given} as the solver, expected ${solvers.join(" or ")}`);
  }
  t.expectWhole("solveFixedPoint", "solverIterations", solverIterations, 0);
  t.expectNumber("solveFixedPoint", "the tolerance", tolerance, 0);
  return t.scope(() => {
    let z = start;
    let history: readonly Iterate[] = [];
    for (let i = 0; i < solverIterations; i++) {
      ({ z, history } = t.scope(() => {
        const image = f(z);
        const residual = t.subtract(image, z);
        const length = norm(residual);
        const isOpen = t.greater(length, t.affine(norm(image), tolerance)); // [B, 1, 1]
        if (solver === "picard") return { z: t.select(isOpen, image, z), history };
        const iterates = [...history, iterateOf(image, residual, length, history)];
        return { z: t.select(isOpen, andersonMix(iterates), z), history: iterates.slice(1 - memory) };
      }));
    }
    return z;
  });
}

/** The Euclidean norm of every puzzle. [B, L, D] -> [B, 1, 1] */
const norm = (x: t.Tensor): t.Tensor => t.sqrt(dot(x, x));

/** The inner product of every puzzle. [B, L, D] -> [B, 1, 1] */
const dot = (a: t.Tensor, b: t.Tensor): t.Tensor => t.sum(t.multiply(a, b), [1, 2], true);

/** What Anderson's method remembers of an iteration. */
interface Iterate {
  /** f(z), [B, L, D]. */
  readonly image: t.Tensor;
  /** The unit residual u = r / |r| of r = f(z) - z, [B, L, D]. */
  readonly unit: t.Tensor;
  /** 1 / |r|, [B, 1, 1]. */
  readonly inverse: t.Tensor;
  /** Inner products of u with the units of the earlier iterates, the newest last, then with itself, [B, 1, 1] each. */
  readonly products: readonly t.Tensor[];
}

function iterateOf(image: t.Tensor, residual: t.Tensor, length: t.Tensor, history: readonly Iterate[]): Iterate {
  const inverse = t.reciprocal(t.affine(length, 1, tiny));
  const unit = t.multiply(residual, inverse);
  const products = [...history.map((earlier) => dot(unit, earlier.unit)), t.affine(dot(unit, unit), 1, ridge)];
  return { image, unit, inverse, products };
}

/**
 * Anderson's mixture of the images, sum of w_i f(z_i): the weights have the sum 1, and make the mixture of the residuals r_i as short
 * as possible. With unit residuals u_i = r_i / |r_i| they are w_i = v_i / |r_i|, scaled, where v solves (U U^T + ridge) v = 1 / |r|.
 */
function andersonMix(iterates: readonly Iterate[]): t.Tensor {
  // Symmetric; the products of a pair belong to its newer iterate.
  const gram = iterates.map((_, i) =>
    iterates.map((_, j) => iterates[Math.max(i, j)]!.products.at(-1 - Math.abs(i - j))!),
  );
  const inverse = iterates.map((iterate) => iterate.inverse);
  const weights = solveSymmetric(gram, inverse).map((v, i) => t.multiply(v, inverse[i]!));
  const mixture = sumOf(weights.map((weight, i) => t.multiply(iterates[i]!.image, weight)));
  return t.multiply(mixture, t.reciprocal(sumOf(weights)));
}

/** Keeps the inverse of a norm finite. */
const tiny = 1e-30;
/** Keeps the equations solvable when residuals are nearly parallel, in float32. The diagonal is 1. */
const ridge = 1e-6;

const sumOf = (terms: readonly t.Tensor[]): t.Tensor => terms.reduce((sum, term) => t.add(sum, term));

/** Solves A v = b by elimination for every puzzle. A is positive definite, so no pivots are chosen. All entries [B, 1, 1]. */
function solveSymmetric(A: readonly (readonly t.Tensor[])[], b: readonly t.Tensor[]): t.Tensor[] {
  const rows = A.map((row, i) => [...row, b[i]!]);
  const size = rows.length;
  for (let k = 0; k < size; k++) {
    for (let i = k + 1; i < size; i++) {
      const factor = t.divide(rows[i]![k]!, rows[k]![k]!);
      rows[i] = rows[i]!.map((entry, j) => (j < k ? entry : t.subtract(entry, t.multiply(factor, rows[k]![j]!))));
    }
  }
  const v: t.Tensor[] = [];
  for (let i = size - 1; i >= 0; i--) {
    let rest = rows[i]![size]!;
    for (let j = i + 1; j < size; j++) rest = t.subtract(rest, t.multiply(rows[i]![j]!, v[j]!));
    v[i] = t.divide(rest, rows[i]![i]!);
  }
  return v;
}
