// Noise on the latents, as the methods after the paper draw it: before every supervision step (PTRM, rollouts.ts), at the start and
// at every update (EqR, arXiv 2605.21488). These are hooks of the supervision steps, in training and in evaluation.
import { add, affine, constant, type Variable } from "../autograd/index.ts";
import { expectNumber, Random, type Shape, sizeOf, tensor } from "../tensor/index.ts";
import { expectModelConfig, fullLength, type ModelConfig } from "./config.ts";
import { ConfigError } from "./errors.ts";
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
  expectNumber("noiseOnZ", "sigma", sigma, 0);
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

/** Keys that tell the draws of the hooks apart, which may all run in the first step. */
const [startCall, pathCall] = [-1_000, 1_000_000];

/**
 * Random starts (EqR): a puzzle starts from latents drawn from a truncated normal distribution of deviation 1, independently at every
 * position, instead of y_init and z_init. To be passed as the hook `initial`.
 *
 * @param names  the latents of the recursion
 */
export function randomStarts(config: ModelConfig, names: readonly string[] = ["y", "z"]): StepHooks["initial"] {
  expectModelConfig("randomStarts", config);
  const fill = (random: Random, numbers: Float32Array): void => {
    for (let i = 0; i < numbers.length; i++) numbers[i] = random.truncatedNormal();
  };
  return (context) => {
    const shape = [context.puzzles.length, fullLength(config), config.hiddenSize];
    return Object.fromEntries(names.map((name, i) => [name, drawNoise(shape, context, startCall + i, fill)]));
  };
}

/**
 * Damped updates with path noise (EqR): every call becomes h <- (1 - lambda) h + lambda net(h + inputs) + beta e, e ~ N(0, I), where
 * h is the latent that the call updates. It is on the tape like the call. With lambda 1 and beta 0 this is TRM, bit for bit. To be
 * passed as the hook `around`; EqR has lambda 0.95 and beta 0.01, in training and in evaluation.
 *
 * @throws ConfigError unless lambda is in 0..1 and beta is at least 0
 */
export function damping(lambda: number, beta: number): NonNullable<StepHooks["around"]> {
  if (!(lambda >= 0 && lambda <= 1)) throw new ConfigError(`damping: got lambda ${lambda}, expected 0 to 1`);
  if (!(beta >= 0 && Number.isFinite(beta)))
    throw new ConfigError(`damping: got beta ${beta}, expected a number from 0`);
  return ({ before }, compute, context) => {
    const moved = lambda === 1 ? compute() : add(affine(before, 1 - lambda), affine(compute(), lambda));
    if (beta === 0) return moved;
    const fill = (random: Random, numbers: Float32Array) => random.fillNormal(numbers, beta);
    return add(moved, drawNoise(moved.shape, context, pathCall + context.call, fill));
  };
}
