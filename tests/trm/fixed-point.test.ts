// The fixed-point variant: its solvers on linear contractions, its relation to TRM, memory, and a training.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sudokuTask } from "../../src/puzzles/index.ts";
import {
  ArgumentError,
  add,
  affine,
  defaultBackend,
  matmul,
  Random,
  scope,
  type Tensor,
  tensor,
} from "../../src/tensor/index.ts";
import { type SolverSettings, solveFixedPoint, solvers } from "../../src/trm/fixed-point.ts";
import {
  damping,
  evaluate,
  Model,
  parseConfig,
  recordTrace,
  ShuffledExamples,
  sliceExamples,
  Training,
} from "../../src/trm/index.ts";
import { resumeFrom, stepsOf } from "../runs/tiny-run.ts";

/** A matrix with the given singular values: H1 diag(s) H2 with two reflections. [d, d], row by row */
function matrixOf(s: readonly number[], random: Random): Float64Array {
  const d = s.length;
  const reflect = (rows: number[][]): number[][] => {
    const v = s.map(() => random.normal());
    const square = v.reduce((sum, x) => sum + x * x, 0);
    return rows.map((row) => {
      const along = (2 * row.reduce((sum, x, i) => sum + x * v[i]!, 0)) / square;
      return row.map((x, i) => x - along * v[i]!);
    });
  };
  const transposed = (rows: number[][]): number[][] => rows[0]!.map((_, i) => rows.map((row) => row[i]!));
  const diagonal = s.map((value, i) => s.map((_, j) => (i === j ? value : 0)));
  const rows = reflect(transposed(reflect(diagonal)));
  return Float64Array.from({ length: d * d }, (_, i) => rows[Math.floor(i / d)]![i % d]!);
}

/** f(z) = z A + b with the fixed point b (I - A)^-1 = `solution`, on z of shape [puzzles, 1, d]. */
function contraction(s: readonly number[], seed: number, puzzles: number) {
  const random = new Random(seed);
  const d = s.length;
  const A = matrixOf(s, random);
  const solution = Float64Array.from({ length: puzzles * d }, () => random.normal());
  const b = solution.map((value, i) => {
    const row = solution.subarray(i - (i % d), i - (i % d) + d);
    return value - row.reduce((sum, x, j) => sum + x * A[j * d + (i % d)]!, 0);
  });
  const f = (z: Tensor): Tensor => add(matmul(z, tensor(A, { shape: [d, d] })), tensor(b, { shape: [puzzles, 1, d] }));
  return { f, solution, start: () => tensor(new Float64Array(puzzles * d), { shape: [puzzles, 1, d] }) };
}

async function distance(problem: ReturnType<typeof contraction>, settings: SolverSettings): Promise<number> {
  const z = scope(() => solveFixedPoint(problem.f, problem.start(), settings));
  const found = Array.from(await z.data(), Number);
  z.dispose();
  return Math.hypot(...found.map((x, i) => x - problem.solution[i]!)) / Math.hypot(...problem.solution);
}

/** The smallest number of iterations after which the solution is reached up to 1e-6. */
async function iterationsOf(problem: ReturnType<typeof contraction>, solver: SolverSettings["solver"]) {
  for (let solverIterations = 1; solverIterations <= 200; solverIterations++) {
    if ((await distance(problem, { solver, solverIterations, tolerance: 0 })) < 1e-6) return solverIterations;
  }
  throw new Error(`${solver} does not reach the solution in 200 iterations`);
}

describe("on a linear contraction z = A z + b", () => {
  const largest = fc.double({ min: 0.7, max: 0.9, noNaN: true });
  const other = fc.double({ min: 0.1, max: 0.7, noNaN: true });

  it("both solvers reach (I - A)^-1 b, and Anderson's method needs fewer iterations than Picard's", async () => {
    await fc.assert(
      fc.asyncProperty(
        largest,
        fc.array(other, { minLength: 1, maxLength: 5 }),
        fc.integer(),
        async (first, rest, seed) => {
          const problem = contraction([first, ...rest], seed, 1);
          expect(await iterationsOf(problem, "anderson")).toBeLessThan(await iterationsOf(problem, "picard"));
        },
      ),
      { numRuns: 8 },
    );
  });

  it("Anderson's method is exact after d + 1 iterations, where Picard's has only shrunk the error by 0.9 each", async () => {
    const problem = contraction([0.9, 0.9], 3, 1);
    expect(await distance(problem, { solver: "anderson", solverIterations: 4, tolerance: 0 })).toBeLessThan(1e-5);
    expect(await distance(problem, { solver: "picard", solverIterations: 4, tolerance: 0 })).toBeCloseTo(0.9 ** 4, 6);
  });

  it("a puzzle that is solved up to the tolerance keeps its z, and does not depend on the others of the batch", async () => {
    for (const solver of solvers) {
      const settings = { solver, solverIterations: 8, tolerance: 1e-3 };
      const problem = contraction([0.8, 0.5, 0.3], 5, 3);
      const start = Float64Array.from(problem.solution, (x, i) => (i < 3 ? x * (1 + 1e-5) : 0)); // the first is solved
      const all = scope(() => solveFixedPoint(problem.f, tensor(start, { shape: [3, 1, 3] }), settings));
      const found = Array.from(await all.data(), Number);
      expect(found.slice(0, 3)).toEqual([...start.slice(0, 3)]);
      const other = contraction([0.8, 0.5, 0.3], 5, 3);
      const swapped = Float64Array.from(start, (x, i) => (i < 3 ? 0 : x)); // another start of the first puzzle
      const again = scope(() => solveFixedPoint(other.f, tensor(swapped, { shape: [3, 1, 3] }), settings));
      expect(Array.from(await again.data(), Number).slice(3)).toEqual(found.slice(3));
      for (const each of [all, again]) each.dispose();
    }
  });

  it("stops at a relative change of 1e-3 if no tolerance is given", async () => {
    const found = async (tolerance?: number): Promise<number[]> => {
      const { f, start } = contraction([0.5], 5, 1);
      const settings = {
        solver: "picard",
        solverIterations: 40,
        ...(tolerance !== undefined && { tolerance }),
      } as const;
      const z = scope(() => solveFixedPoint(f, start(), settings));
      const numbers = Array.from(await z.data(), Number);
      z.dispose();
      return numbers;
    };
    expect(await found()).toEqual(await found(1e-3));
    expect(await found()).not.toEqual(await found(0));
  });

  it.each<[message: string, settings: object]>([
    ['got the string "newton" as the solver, expected picard or anderson', { solver: "newton" }],
    ["got 5 as the solver, expected picard or anderson", { solver: 5 }],
    ["got NaN as solverIterations, expected a whole number from 0", { solverIterations: NaN }],
    ["got -1 as solverIterations, expected a whole number from 0", { solverIterations: -1 }],
    ["got Infinity as solverIterations, expected a whole number from 0", { solverIterations: Infinity }],
    ["got NaN as the tolerance, expected a number from 0", { tolerance: NaN }],
    ["got -1 as the tolerance, expected a number from 0", { tolerance: -1 }],
  ])("wrong settings of a solver are refused: %s", (message, given) => {
    const { f, start } = contraction([0.5], 5, 1);
    const settings = { solver: "picard", solverIterations: 3, ...given } as SolverSettings;
    const solve = () => scope(() => solveFixedPoint(f, start(), settings));
    expect(solve).toThrow(new ArgumentError(`solveFixedPoint: ${message}`));
  });

  it("keeps nothing but the solution in memory, outside a scope as well", () => {
    for (const solver of solvers) {
      const before = defaultBackend().memory().liveBytes;
      const shape = [2, 8, 64];
      const start = tensor(new Float32Array(1024), { shape });
      const other = tensor(Float32Array.from({ length: 1024 }, Math.sin), { shape });
      const f = (z: Tensor): Tensor => affine(add(z, other), 0.5);
      const z = solveFixedPoint(f, start, { solver, solverIterations: 9, tolerance: 0 });
      for (const each of [start, other]) each.dispose();
      const kept = defaultBackend().memory().liveBytes - before;
      expect(kept >= 4 * 1024 && kept < 2 * 4 * 1024).toBe(true); // one tensor, whose block may be larger
      z.dispose();
      expect(defaultBackend().memory().liveBytes).toBe(before);
    }
  });
});

const task = sudokuTask(4);
const { train, test } = task.generate({ train: 40, test: 6, seed: 3 });
const small = {
  vocabularySize: 6,
  sequenceLength: 16,
  hiddenSize: 8,
  heads: 2,
  widthMultiple: 8,
  layers: 1,
  T: 2,
  n: 3,
};
const configOf = (settings: Record<string, unknown>) =>
  parseConfig({ ...small, batchSize: 4, nSup: 3, learningRate: 1e-2, warmupSteps: 2, ...settings });
const fixedPoint = { recursion: "fixedPoint" };

const begin = (settings: Record<string, unknown>): Training =>
  new Training(configOf(settings), new ShuffledExamples(train, 5));

describe("the fixed-point variant", () => {
  it("without iterations and with n gradient steps is TRM, bit for bit", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        fc.constantFrom(...solvers),
        async (T, n, separateNets, solver) => {
          const trm = begin({ T, n, separateNets });
          const other = begin({ ...fixedPoint, T, separateNets, solver, solverIterations: 0, gradientSteps: n });
          expect(await stepsOf(other, 3)).toEqual(await stepsOf(trm, 3));
          for (const each of [trm, other]) each.dispose();
        },
      ),
      { numRuns: 3, examples: [[2, 3, false, "anderson"]] },
    );
  });

  it("with Picard's method of one iteration has the answers of TRM with one more update of z", async () => {
    const trm = new Model(configOf({ n: 3 }).model, new Random(2));
    const settings = { ...fixedPoint, solver: "picard", solverIterations: 1, gradientSteps: 2 };
    const other = new Model(configOf(settings).model, new Random(2));
    const options = { ...configOf({}).training, batchSize: 6 };
    expect(await evaluate(other, test, options)).toEqual(await evaluate(trm, test, options));
    for (const each of [trm, other]) each.dispose();
  });

  it("uses as many bytes after step 30 as after step 3, none after dispose, and resumes bit for bit", async () => {
    const before = defaultBackend().memory().liveBytes;
    const training = begin(fixedPoint);
    await stepsOf(training, 3);
    const resumed = begin(fixedPoint);
    await resumeFrom(training, resumed);
    const live = defaultBackend().memory().liveBytes;
    const next = await stepsOf(training, 27);
    expect(defaultBackend().memory().liveBytes).toBe(live);
    expect(await stepsOf(resumed, 27)).toEqual(next);
    for (const each of [training, resumed]) each.dispose();
    expect(defaultBackend().memory().liveBytes).toBe(before);
  });

  it.each(solvers)("learns eight puzzles by heart: %s", async (solver) => {
    const few = sliceExamples(train, 0, 8);
    const own = {
      ...fixedPoint,
      solver,
      hiddenSize: 16,
      batchSize: 8,
      weightDecay: 0.1,
      emaRate: 0,
      solverIterations: 4,
    };
    const config = configOf({ ...own, learningRate: 4e-3 });
    const training = new Training(config, new ShuffledExamples(few, 5));
    await stepsOf(training, 250);
    const { exact } = await evaluate(training.model, few, { ...config.training, batchSize: 8 });
    training.dispose();
    expect(exact.at(-1)).toBe(1);
  });

  it("cannot be traced or damped, and says so in one line", async () => {
    const model = new Model(configOf(fixedPoint).model, new Random(2));
    const message = "got the recursion fixedPoint, expected one with a list of updates";
    const question = { inputs: test.inputs.slice(0, 16) };
    await expect(recordTrace(model, question, { steps: 1 })).rejects.toThrow(message);
    const options = { ...configOf({}).training, batchSize: 6 };
    await expect(evaluate(model, test, { ...options, around: damping(0.9, 0) })).rejects.toThrow(message);
    await expect(evaluate(model, test, { ...options, depth: () => ({ n: 1 }) })).rejects.toThrow(message);
    model.dispose();
    const refused = (settings: object) => () => configOf({ ...fixedPoint, ...settings });
    expect(refused({ oneStepGradient: true })).toThrow("oneStepGradient: expected false unless the recursion is trm");
    expect(refused({ dampingLambda: 0.9 })).toThrow("dampingLambda: expected 1 for the recursion fixedPoint");
    expect(refused({ pathNoiseBeta: 0.1 })).toThrow("pathNoiseBeta: expected 0 for the recursion fixedPoint");
    expect(refused({ depthCurriculum: true })).toThrow("got the recursion fixedPoint, expected trm or singleZ");
  });
});
