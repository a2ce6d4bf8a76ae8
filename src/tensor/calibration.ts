// Finds the fastest backend on this machine by timing a short sample of a training step on each backend that opens.
import type { Backend } from "./backend.ts";
import { tensor } from "./create.ts";
import { add, matmul, silu, slice, sum } from "./operations.ts";
import { Random } from "./random.ts";
import { scope } from "./scope.ts";
import type { Tensor } from "./tensor.ts";

export interface Candidate {
  readonly name: string;
  /** @throws Error with the reason, if the backend cannot run here */
  open(): Backend | Promise<Backend>;
}

export interface Choice {
  readonly backend: Backend;
  /** One line with the time of each backend, or why it cannot run. */
  readonly reason: string;
}

/**
 * Opens all candidates, keeps the fastest and disposes the others, except for a backend that holds tensors: it was open before, as
 * the gpu backend may be, of which a process has only one. This takes about a second. If two backends are equally fast,
 * two runs may choose differently.
 *
 * @throws the error of the first candidate, if none can run
 */
export async function fastestOf(candidates: readonly Candidate[]): Promise<Choice> {
  const timed: { name: string; backend: Backend; milliseconds: number }[] = [];
  const refused: { name: string; error: unknown }[] = [];
  for (const { name, open } of candidates) {
    let backend: Backend | undefined;
    try {
      backend = await open();
      const fastest = Math.min(...timed.map(({ milliseconds }) => milliseconds));
      timed.push({ name, backend, milliseconds: await timeOfSample(backend, 3 * fastest) });
    } catch (error) {
      if (backend) disposeUnused(backend);
      refused.push({ name, error });
    }
  }
  const [fastest, ...others] = timed.sort((a, b) => a.milliseconds - b.milliseconds);
  if (!fastest) throw refused[0]!.error;
  for (const { backend } of others) disposeUnused(backend);
  const parts = [
    ...timed.map(({ name, milliseconds }) => `${name} ${Number(milliseconds.toPrecision(2))} ms`),
    ...refused.map(({ name, error }) => `${name} cannot run (${(error as Error).message})`),
  ];
  return { backend: fastest.backend, reason: `${fastest.name} chosen; a sample of training took: ${parts.join(", ")}` };
}

function disposeUnused(backend: Backend): void {
  if (backend.memory().liveBytes === 0) backend.dispose();
}

/** Milliseconds of the sample: the least of three runs after a warm-up. A run above `hopeless` ends the measurement. */
async function timeOfSample(backend: Backend, hopeless: number): Promise<number> {
  const random = new Random(1);
  const numbers = (rows: number, columns: number): Tensor =>
    tensor(
      Float32Array.from({ length: rows * columns }, () => random.normal() / Math.sqrt(columns)),
      { shape: [rows, columns], backend },
    );
  // The rows of four puzzles through one hidden layer and back: products with the weights on either side, and elementwise work.
  const [x, up, down] = [numbers(324, 128), numbers(512, 128), numbers(128, 512)];
  const run = async (): Promise<number> => {
    const start = performance.now();
    const one = scope(() => {
      const hidden = silu(matmul(x, up, { transposeB: true }));
      const y = add(x, matmul(hidden, down, { transposeB: true }));
      const gradient = matmul(y, hidden, { transposeA: true });
      return slice(sum(gradient, [0]), 0, 0, 1);
    });
    const read = one.data();
    one.dispose(); // a read that has started outlives its tensor
    await read;
    return performance.now() - start;
  };
  try {
    await run();
    let least = await run();
    for (let i = 0; i < 2 && least < hopeless; i++) least = Math.min(least, await run());
    return least;
  } finally {
    for (const each of [x, up, down]) each.dispose();
  }
}
