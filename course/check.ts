// Runs the check of a lesson on an implementation: every part on many inputs, with the smallest counterexample of a part that fails.
import fc from "fast-check";
import { type Difference, firstDifference, showValue } from "./difference.ts";
import { type Exercises, type Lesson, type Part, todoOf } from "./lesson.ts";

export interface Failure {
  readonly counterexample: string;
  readonly expected: string;
  readonly received: string;
  /** Where expected and received differ first; absent if they are single values. */
  readonly first?: string;
  /** Seed of the inputs. */
  readonly seed: number;
  /** The mistake whose results are the same, in a sentence. */
  readonly looksLike?: string;
  readonly next: string;
}

export interface PartResult {
  readonly name: string;
  readonly failure?: Failure;
  /** The exercise that is not written yet, such as "TODO 5.1"; then there is no failure to show. */
  readonly todo?: string;
  /** Not run, because it takes long and an earlier part has failed. */
  readonly skipped?: boolean;
}

export const hasPassed = ({ failure, todo, skipped }: PartResult): boolean => !failure && !todo && !skipped;

/** Thrown for an input on which the results differ. */
class Mismatch extends Error {
  constructor(
    readonly difference: Difference,
    readonly whole: { readonly expected: unknown; readonly received: unknown },
  ) {
    super("the results differ");
  }
}

/**
 * Runs every part of a lesson's check.
 *
 * @param mine  the functions to check by name
 * @param seed  seed of the random inputs
 */
export async function runCheck(lesson: Lesson, mine: Exercises, seed: number): Promise<PartResult[]> {
  const missing = Object.keys(lesson.reference).find((name) => typeof mine[name] !== "function");
  if (missing) throw new Error(`the file exports no function ${missing}, expected the functions of the stub`);
  const runs = await runParts(lesson.check(mine), seed);
  const first = runs.findIndex(({ result }) => result.failure);
  const looksLike = first < 0 ? undefined : await diagnosis(lesson, runs, first, mine, seed);
  return runs.map(({ result }, i) =>
    result.failure && i === first && looksLike ? { ...result, failure: { ...result.failure, looksLike } } : result,
  );
}

interface Run {
  readonly result: PartResult;
  /** The smallest counterexample and what was received for it. */
  readonly found?: { readonly input: unknown; readonly received: unknown };
}

async function runParts(parts: readonly Part[], seed: number): Promise<Run[]> {
  const runs: Run[] = [];
  for (const part of parts) {
    const isSkipped = part.isLong && runs.some(({ result }) => !hasPassed(result));
    runs.push(isSkipped ? { result: { name: part.name, skipped: true } } : await runPart(part, seed));
  }
  return runs;
}

async function runPart(part: Part, seed: number): Promise<Run> {
  const { name } = part;
  const property = fc.asyncProperty(part.given, async (input) => {
    const expected = await part.expected(input);
    const received = await resultOf(part, input);
    const difference = firstDifference(expected, received, part.tolerance);
    if (difference) throw new Mismatch(difference, { expected, received });
  });
  const run = await fc.check(property, { seed, numRuns: part.runs ?? 100 });
  if (!run.failed) return { result: { name } };
  const todo = todoOf(run.errorInstance);
  if (todo) return { result: { name, todo } };
  if (!(run.errorInstance instanceof Mismatch)) throw run.errorInstance;
  const [input] = run.counterexample!;
  const { difference, whole } = run.errorInstance;
  const at = Number(/index (\d+)$/.exec(difference.place)?.[1] ?? 0);
  // Lists of sentences are printed in lines.
  const isLine = typeof difference.expected === "string" && difference.expected.includes(" ");
  const place = isLine
    ? difference.place.replace(/^index (\d+)$/, (_, i: string) => `line ${Number(i) + 1}`)
    : difference.place;
  const first = `${place}: expected ${showValue(difference.expected)}, received ${showValue(difference.received)}`;
  const failure: Failure = {
    counterexample: part.show ? part.show(input) : showInput(input),
    expected: showValue(whole.expected, at),
    received: showValue(whole.received, at),
    seed,
    next: part.next,
    ...(difference.place !== "" && { first }),
  };
  return { result: { name, failure }, found: { input, received: whole.received } };
}

/** What the implementation gives: its result or its error as text. @throws the error of an exercise that is not written yet */
async function resultOf(part: Part, input: unknown): Promise<unknown> {
  try {
    return await part.received(input);
  } catch (error) {
    if (todoOf(error)) throw error;
    return `an error: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}${placeOf(error)}`;
  }
}

const isErrorText = (value: unknown): boolean => typeof value === "string" && value.startsWith("an error: ");

/** The line of the learner's file in which an error was thrown. */
function placeOf(error: unknown): string {
  const line = error instanceof Error ? /(\d\d-[\w-]+\.ts):(\d+)/.exec(error.stack ?? "") : null;
  return line ? ` (${line[1]}, line ${line[2]})` : "";
}

/**
 * What is known about the planted bug that gives the same result on the first counterexample. If several do, it is the one that also
 * agrees on further inputs and fails in the same parts.
 */
async function diagnosis(lesson: Lesson, runs: readonly Run[], first: number, mine: Exercises, seed: number) {
  const { input, received } = runs[first]!.found!;
  const candidates: { readonly says: string; readonly parts: readonly Part[] }[] = [];
  for (const { mine: functions, says } of lesson.wrong) {
    const parts = lesson.check({ ...lesson.reference, ...functions });
    const part = parts[first]!;
    const [own, right] = [await resultOf(part, input), await part.expected(input)];
    if (isAlike(part, own, received) && firstDifference(own, right, part.tolerance)) candidates.push({ says, parts });
  }
  if (candidates.length < 2) return candidates[0]?.says;
  const part = lesson.check(mine)[first]!;
  const inputs = fc.sample(part.given, { seed, numRuns: Math.min(50, part.runs ?? 100) });
  const results = [];
  for (const one of inputs) results.push(await resultOf(part, one));
  for (const { says, parts } of candidates) {
    if (await agrees(parts[first]!, inputs, results)) {
      if (signature(await runParts(parts, seed)) === signature(runs)) return says;
    }
  }
  return undefined;
}

async function agrees(part: Part, inputs: readonly unknown[], results: readonly unknown[]): Promise<boolean> {
  for (const [i, input] of inputs.entries()) {
    if (!isAlike(part, await resultOf(part, input), results[i])) return false;
  }
  return true;
}

/** Equal results, or errors with whatever text. */
const isAlike = ({ tolerance }: Part, a: unknown, b: unknown): boolean =>
  firstDifference(a, b, tolerance) === undefined || (isErrorText(a) && isErrorText(b));

/** Which parts have passed. */
const signature = (runs: readonly Run[]): string => runs.map(({ result }) => (hasPassed(result) ? "1" : "0")).join("");

const showInput = (input: unknown): string =>
  typeof input === "object" && input !== null && !Array.isArray(input)
    ? Object.entries(input)
        .map(([key, value]) => `${key} = ${showValue(value)}`)
        .join(", ")
    : showValue(input);
