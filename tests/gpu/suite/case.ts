// What a case of the gpu suite is. The suite knows no test runner: vitest runs it in gpu.js's cpu and webasm modes, a small
// runner of its own in headless GL and in a page.
import type { GpuBackend } from "../../../src/tensor/backends/gpu/index.ts";

export interface Case {
  readonly name: string;
  /** Minutes in software GL; vitest runs it in the full suite only. */
  readonly isLong?: boolean;
  run(backend: GpuBackend): Promise<void>;
}

/** Runs a case. @throws Error if it fails, or leaves memory behind */
export async function runCase({ run }: Case, backend: GpuBackend): Promise<void> {
  const before = backend.statistics().liveArrays;
  await run(backend);
  checkEqual("arrays alive after the case", backend.statistics().liveArrays, before);
}

/** @throws Error unless the condition holds */
export function check(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

/** @throws Error unless the two numbers are the same */
export const checkEqual = (what: string, got: unknown, expected: unknown): void =>
  check(Object.is(got, expected), `${what}: got ${got}, expected ${expected}`);

/**
 * The largest difference, relative to the largest entry (or to `floor`, where all are small). NaN against NaN and infinities of
 * one sign are equal.
 */
export function checkClose(
  what: string,
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  { tolerance = 0, floor = 0.1 }: { tolerance?: number; floor?: number } = {},
): void {
  checkEqual(`${what}: length`, got.length, expected.length);
  let largest = floor;
  let [worst, at] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [got[i]!, expected[i]!];
    if (Number.isFinite(b)) largest = Math.max(largest, Math.abs(b));
    const difference = a === b || (Number.isNaN(a) && Number.isNaN(b)) ? 0 : Math.abs(a - b);
    if (!(difference <= worst)) [worst, at] = [difference, i];
  }
  check(
    worst / largest <= tolerance,
    `${what}: got ${got[at]} at ${at}, expected ${expected[at]} (error ${(worst / largest).toExponential(1)} of the largest, tolerance ${tolerance})`,
  );
}

/** @throws Error unless the body throws an error whose message has the text */
export async function checkThrows(what: string, text: string, body: () => unknown): Promise<void> {
  try {
    await body();
  } catch (error) {
    const { message } = error as Error;
    check(message.includes(text), `${what}: got "${message}", expected "${text}"`);
    return;
  }
  throw new Error(`${what}: got no error, expected "${text}"`);
}
