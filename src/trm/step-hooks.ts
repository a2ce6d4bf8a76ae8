// Hooks around a supervision step, the same in training, prediction and evaluation: noise on the latents, damped updates, other
// T and n, other initial latents. Without hooks a step is deepRecursion alone.

import { Variable } from "../autograd/index.ts";
import { expectInstance, expectObject, expectWhole, type Random } from "../tensor/index.ts";
import type { Model } from "./model.ts";
import { deepRecursion } from "./recursion.ts";
import type { AroundUpdate, Latents, Recursion, Update } from "./variants.ts";

/** The supervision step that a hook belongs to. B is the number of puzzles that are computed together. */
export interface StepContext {
  /** Number of the step, from 1: of the training, or of the prediction. */
  readonly step: number;
  /** [B] supervision steps that each puzzle made before this one. */
  readonly steps: Int32Array;
  /** [B] which puzzles these are: slots of a training, or indices into the question of a prediction. */
  readonly puzzles: Int32Array;
  /** For random hooks. In a training its state is part of the checkpoint, so that a resumed training draws the same numbers. */
  readonly random: Random;
  /** Seed and number of the rollout, which key the noise of a prediction, see drawNoise. Absent in a training. */
  readonly rollout?: RolloutKey | undefined;
}

/** What the noise of a prediction is drawn from, besides the puzzle and the step. */
export interface RolloutKey {
  readonly seed: number;
  /** 0 for a prediction without rollouts, which are numbered from 1. */
  readonly k: number;
}

/** The call of a network that `around` replaces. */
export interface UpdateContext extends StepContext {
  /** Calls of a network that this supervision step made before this one. */
  readonly call: number;
}

/**
 * Functions that observe or change a supervision step; all are optional. They run inside a scope: tensors that a hook creates are
 * released without further action.
 */
export interface StepHooks {
  /** Changes the latents before the deep recursion of a step, for example by noise on z. Same shapes, [B, P + L, D] each. */
  readonly before?: ((latents: Latents, context: StepContext) => Latents) | undefined;
  /** Changes the latents after the deep recursion, before the heads decode them. */
  readonly after?: ((latents: Latents, context: StepContext) => Latents) | undefined;
  /** Runs instead of every call of a network, for example to damp the update (`damping`). */
  readonly around?: ((update: Update, compute: () => Variable, context: UpdateContext) => Variable) | undefined;
  /** T and n of a step, for example a curriculum. Values that are left out are those of the configuration. */
  readonly depth?: ((context: StepContext) => { readonly T?: number; readonly n?: number }) | undefined;
  /** Initial latents, [B, P + L, D] each, for the puzzles that start. Default: y_init, z_init at every position. */
  readonly initial?: ((context: StepContext) => Latents) | undefined;
}

/** The deep recursion of one supervision step on x [B, P + L, D], with the hooks around it. */
export function recursionStep(
  model: Model,
  { x, latents }: { readonly x: Variable; readonly latents: Latents },
  hooks: StepHooks,
  context: StepContext,
): Latents {
  const { T = model.T, n } = hooks.depth?.(context) ?? {};
  expectWhole("depth", "T", T);
  if (n !== undefined) expectWhole("depth", "n", n);
  const start = hooks.before ? changedBy("before", hooks.before, latents, context) : latents;
  const end = deepRecursion(recursionOf(model, hooks, context, n), x, start, T);
  return hooks.after ? changedBy("after", hooks.after, end, context) : end;
}

/** The latents that a hook returns. @throws ArgumentError unless they are Variables by the names of the latents */
function changedBy(
  name: "before" | "after",
  hook: NonNullable<StepHooks["before"]>,
  latents: Latents,
  context: StepContext,
): Latents {
  const changed = hook(latents, context);
  expectLatents(name, changed, Object.keys(latents));
  return changed;
}

function expectLatents(where: string, latents: Latents, names: readonly string[]): void {
  expectObject(where, "the result", latents, names);
  for (const name of names) expectInstance(where, name, latents[name], Variable, " (see constant)");
}

function recursionOf(model: Model, { around }: StepHooks, context: StepContext, n: number | undefined): Recursion {
  const own = model.hooks.around;
  if (!around && !own) return n === undefined ? model.recur : model.recurWith(n);
  let call = 0;
  const inStep: AroundUpdate = (update, compute) => {
    const inCall = { ...context, call: call++ };
    const computeOwn = own ? () => own(update, compute, inCall) : compute;
    return around ? around(update, computeOwn, inCall) : computeOwn();
  };
  return model.recurAround(inStep, n);
}

/** The latents that puzzles start from: those of the hook, else those of the model; undefined for y_init and z_init. */
export function initialOf(model: Model, hooks: StepHooks, context: StepContext): Latents | undefined {
  const initial = hooks.initial ?? model.hooks.initial;
  const latents = initial?.(context);
  if (latents) expectLatents("initial", latents, Object.keys(latents));
  return latents;
}
