// The calls of the view Failures: answers to many puzzles, and runs of one puzzle with noise on z.
import { type Model, predictions, type StepHooks } from "trm-ts";
import { add, constant } from "trm-ts/autograd";
import * as t from "trm-ts/tensor";
import type { Calls, Exam } from "../shared/calls.ts";
import type { CallContext } from "../shared/protocol.ts";
import { breathe } from "./lock.ts";
import { machineOf } from "./machine.ts";
import { questionOf } from "./step.ts";

interface Opened {
  readonly model: Model;
  readonly name: string;
}

export async function takeExam(
  { model, name }: Opened,
  { puzzles, steps }: Calls["exam"]["args"],
  { signal, progress }: CallContext<number>,
): Promise<Exam> {
  const { sequenceLength } = model.config;
  const right: Uint8Array[] = [];
  for await (const { step, tokens } of predictions(model, questionOf(...puzzles), steps)) {
    right.push(
      Uint8Array.from(puzzles, ({ truth }, i) => {
        const own = tokens.subarray(i * sequenceLength, (i + 1) * sequenceLength);
        return Number(own.every((token, cell) => token === truth![cell]));
      }),
    );
    progress(step);
    await breathe();
    signal.throwIfAborted();
  }
  return { right, machine: machineOf(name) };
}

/**
 * Noise on every latent but the answer, before every supervision step. It depends on the rollout and the step alone, so that a rollout
 * does not change when others are added.
 */
function noiseOn(model: Model, sigma: number): StepHooks["before"] {
  const { output } = model.recursion;
  return (latents, { step, puzzles }) =>
    Object.fromEntries(
      Object.entries(latents).map(([name, latent], which) => {
        if (name === output || sigma === 0) return [name, latent];
        const { shape } = latent;
        const size = t.sizeOf(shape) / puzzles.length;
        const noise = new Float32Array(size * puzzles.length);
        for (const [slot, rollout] of puzzles.entries()) {
          const random = new t.Random(1 + rollout * 100_003 + step * 1_009 + which);
          for (let i = 0; i < size; i++) noise[slot * size + i] = sigma * random.normal();
        }
        return [name, add(latent, constant(t.tensor(noise, { shape })))];
      }),
    );
}

export async function rollOut(
  { model, name }: Opened,
  { puzzle, steps, sigma, count }: Calls["rollouts"]["args"],
  { signal, progress }: CallContext<number>,
): Promise<Calls["rollouts"]["result"]> {
  const { sequenceLength } = model.config;
  const question = questionOf(...new Array<typeof puzzle>(count).fill(puzzle));
  const before = noiseOn(model, sigma);
  let rollouts: Calls["rollouts"]["result"]["rollouts"] = [];
  for await (const { step, tokens, qHalt } of predictions(model, question, steps, { ...(before && { before }) })) {
    if (step === steps) {
      rollouts = Array.from(qHalt, (q, i) => ({
        tokens: [...tokens.subarray(i * sequenceLength, (i + 1) * sequenceLength)],
        q,
      }));
    }
    progress(step);
    await breathe();
    signal.throwIfAborted();
  }
  return { rollouts, machine: machineOf(name) };
}
