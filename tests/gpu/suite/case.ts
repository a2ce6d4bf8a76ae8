// A case of the gpu suite, and its assertions. The suite is independent of vitest, which runs it in the modes cpu and webasm only;
// runner.ts runs it on headless GL and in a page.
import type { GpuBackend } from "../../../src/tensor/backends/gpu/index.ts";
import { tensor } from "../../../src/tensor/index.ts";

export interface Case {
  readonly name: string;
  /** Takes minutes in software rendering; vitest runs it only in the full suite. */
  readonly isLong?: boolean;
  run(backend: GpuBackend): Promise<void>;
}

/** Runs a case. @throws Error if it fails or leaks arrays */
export async function runCase({ run }: Case, backend: GpuBackend): Promise<void> {
  const before = await liveArraysOf(backend);
  await run(backend);
  checkEqual("live arrays after the case", await liveArraysOf(backend), before);
}

/** The number of live arrays after all commands have run: on WebGPU they are queued, and reading a tensor waits for them. */
async function liveArraysOf(backend: GpuBackend): Promise<number> {
  const one = tensor([1], { backend });
  await one.data();
  one.dispose();
  return backend.statistics().liveArrays;
}

/** @throws Error unless the condition holds */
export function check(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

/** @throws Error unless the two values are identical */
export const checkEqual = (what: string, got: unknown, expected: unknown): void =>
  check(Object.is(got, expected), `${what}: got ${got}, expected ${expected}`);

/**
 * Compares the largest difference, relative to the largest finite entry (at least `floor`), with the tolerance. NaN equals NaN, and
 * infinities of the same sign are equal.
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
    `${what}: got ${got[at]} at ${at}, expected ${expected[at]} (relative error ${(worst / largest).toExponential(1)}, tolerance ${tolerance})`,
  );
}

/** @throws Error unless `body` throws an error whose message contains the text */
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
