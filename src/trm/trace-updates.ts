// The updates of a prediction with their tensors as numbers: what a trace and its basis are computed from.
import { noGrad } from "../autograd/index.ts";
import * as t from "../tensor/index.ts";
import type { Model } from "./model.ts";
import { type PredictionHooks, PredictionRun, type Question } from "./prediction.ts";
import type { StepHooks } from "./step-hooks.ts";

export interface TraceRun extends PredictionHooks {
  /** Supervision steps. */
  readonly steps: number;
  /** Ends the trace between two frames. The generator then throws `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** Where an update is in the course of a prediction. */
export interface UpdatePlace {
  /** Supervision step, from 1. */
  readonly step: number;
  /** Latent recursion within the step, 1..T. */
  readonly cycle: number;
  /** Update within the latent recursion, 1..n + 1. */
  readonly update: number;
  /** Name of the latent: "y" or "z" for TRM. */
  readonly latent: string;
  /** Whether a training records this update on the tape. */
  readonly onTape: boolean;
  /** The line of the source that makes the update; null for a variant outside this package. */
  readonly line: number | null;
}

/** An update of all puzzles, with its tensors as numbers. */
export interface RecordedUpdate extends UpdatePlace {
  /** [B, P + L, D] every latent after the update */
  readonly latents: Readonly<Record<string, Float32Array>>;
  /** [B, P + L, D] the updated latent before */
  readonly before: Float32Array;
  readonly shape: t.Shape;
  /** [B, L, V] */
  readonly logits: Float32Array;
  /** [B, 2] */
  readonly q: Float32Array | null;
}

/** Every update of a run. The tensors are read while their scope is open, so nothing is left to release. */
export async function* updatesOf(model: Model, question: Question, options: TraceRun): AsyncGenerator<RecordedUpdate> {
  const { steps, signal } = options;
  t.expectWhole("trace", "the number of steps", steps);
  const { output } = model.recursion;
  const numbersOf = readOnce();
  let pending: (() => Promise<RecordedUpdate>)[] = [];
  let [step, cycle] = [0, 0];
  const around: StepHooks["around"] = (update, compute, context) => {
    const { index, latent, before, latents, line } = update;
    const onTape = t.isRecording();
    if (index === 0) cycle++;
    return noGrad(() => {
      const result = options.around ? options.around(update, compute, context) : compute();
      const after = Object.entries({ ...latents, [latent]: result });
      const reads = after.map(async ([name, { value }]) => [name, await numbersOf(value)] as const);
      const beforeRead = numbersOf(before.value);
      const logits = numbersOf(model.outputHead(result).value);
      const q = latent === output ? numbersOf(model.qHead(result).value) : null;
      const place = { step, cycle, update: index + 1, latent, onTape, line };
      pending.push(async () => {
        return {
          ...place,
          latents: Object.fromEntries(await Promise.all(reads)),
          before: await beforeRead,
          shape: result.shape,
          logits: await logits,
          q: await q,
        };
      });
      return result;
    });
  };
  const run = new PredictionRun(model, question, { ...options, around });
  try {
    while (step < steps) {
      signal?.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 0)); // gives the event that aborts the signal time to arrive
      signal?.throwIfAborted();
      step++;
      cycle = 0;
      pending = [];
      for (const tensor of Object.values(run.step(true))) tensor.dispose();
      for (const read of pending) yield await read();
    }
  } finally {
    run.dispose();
  }
}

/** Reads every tensor once. A read that starts before a tensor is released succeeds. */
function readOnce(): (tensor: t.Tensor) => Promise<Float32Array> {
  const reads = new WeakMap<t.Tensor, Promise<Float32Array>>();
  return (tensor) => {
    const read = reads.get(tensor) ?? (tensor.data() as Promise<Float32Array>);
    reads.set(tensor, read);
    return read;
  };
}
