// Noise on the latents, as the methods after the paper draw it: before every supervision step (rollouts.ts).
import { add, constant, type Variable } from "../autograd/index.ts";
import { Random, type Shape, sizeOf, tensor } from "../tensor/index.ts";
import type { StepContext, StepHooks } from "./step-hooks.ts";
import type { Latents } from "./variants.ts";

/** The names of the latents that hold the reasoning: z, or z1, z2, ... of multiZ. A plain transformer (direct) has none. */
export const reasoningLatents = (names: readonly string[]): string[] => names.filter((name) => name.startsWith("z"));

/**
 * Draws numbers for every puzzle of a batch, [B, P + L, D]. In a prediction those of a puzzle depend on the seed, the puzzle, the
 * rollout, the step and `call` alone, so that the batch, its size and the number of rollouts do not matter. In a training they come
 * from the generator of the training, whose state is part of the checkpoint.
 *
 * @param call  tells the draws of one step apart
 * @param fill  draws the numbers of one puzzle, [P + L, D]
 */
export function drawNoise(
  shape: Shape,
  { puzzles, step, random, rollout }: StepContext,
  call: number,
  fill: (random: Random, numbers: Float32Array) => void,
): Variable {
  const numbers = new Float32Array(sizeOf(shape));
  const size = numbers.length / puzzles.length;
  puzzles.forEach((puzzle, slot) => {
    const own = rollout ? Random.keyed(rollout.seed, puzzle, rollout.k, step, call) : random;
    fill(own, numbers.subarray(slot * size, (slot + 1) * size));
  });
  return constant(tensor(numbers, { shape }));
}

/**
 * z + e before every supervision step, e ~ N(0, sigma² I). multiZ has noise on each of its z, which is an extension. With sigma 0
 * the latents stay as they are.
 */
export function noiseOnZ(sigma: number): NonNullable<StepHooks["before"]> {
  return (latents, context): Latents => {
    if (sigma === 0) return latents;
    const noisy = reasoningLatents(Object.keys(latents)).map((name, i) => {
      const z = latents[name]!;
      const e = drawNoise(z.shape, context, i, (random, numbers) => random.fillNormal(numbers, sigma));
      return [name, add(z, e)];
    });
    return { ...latents, ...Object.fromEntries(noisy) };
  };
}
