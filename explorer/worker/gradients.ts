// The calls of the view Gradients: the tape of a step, the definition of a fused operation, and a gradient against difference quotients.
import { type Config, type Model, traceTensors } from "trm-ts";
import { definitionOf, gradients, operationNamed, type TapeEntry, tapeOf, type Variable } from "trm-ts/autograd";
import * as t from "trm-ts/tensor";
import type { Calls, Nudge, TapeOfStep, Unfolded } from "../shared/calls.ts";
import { computeStep, latentsBefore, lossOfStep, questionOf, type StepSubject } from "./step.ts";

interface Opened {
  readonly model: Model;
  readonly config: Config;
}

async function subjectOf({ model, config }: Opened, { puzzle, step }: Calls["tape"]["args"]): Promise<StepSubject> {
  return { model, config, puzzle, before: await latentsBefore(model, questionOf(puzzle), step) };
}

/** Every operation on the tape of a step, with the update that recorded it. */
export async function tapeOfStep(opened: Opened, args: Calls["tape"]["args"]): Promise<TapeOfStep> {
  const subject = await subjectOf(opened, args);
  const { model } = opened;
  return t.scope(() => {
    const { updates, loss } = computeStep(subject);
    const entries = tapeOf(loss);
    const owners = ownersOf(entries, updates, model.recursion.updates);
    return {
      entries: entries.map(({ index, operation, shape, inputs }) => {
        const { equation, definition } = operationNamed(operation);
        return {
          operation,
          shape: [...shape],
          inputs,
          owner: owners[index]!,
          equation,
          isFused: definition !== undefined,
        };
      }),
      unfused: t.scope(() => tapeOf(computeStep(subject).loss).length, { fused: false }),
    };
  });
}

/** Of every entry the first update that depends on it, in words; the entries that none depends on belong to the heads and the loss. */
function ownersOf(entries: readonly TapeEntry[], updates: readonly Variable[], latents: readonly string[]): string[] {
  const owners = entries.map(() => "heads and loss");
  const ancestors: Set<number>[] = [];
  for (const { inputs } of entries) {
    const from = inputs.filter((input) => typeof input === "number");
    ancestors.push(new Set(from.flatMap((input) => [input, ...ancestors[input]!])));
  }
  updates.forEach((update, i) => {
    if (!update.node) return;
    // The entry of the update is the one with as many operations before it as on the update's own tape.
    const before = tapeOf(update).length - 1;
    const own = entries.findLastIndex((_, index) => ancestors[index]!.size === before);
    const position = i % latents.length;
    for (const index of [own, ...(ancestors[own] ?? [])]) {
      if (owners[index] === "heads and loss") owners[index] = `${latents[position]} ${position + 1}`;
    }
  });
  return owners;
}

/** The operations of which a fused one is composed, recorded on inputs of a small shape from its domain. */
export function unfold(operation: string): Unfolded {
  const { inputs, attributes } = operationNamed(operation).domain({
    integer: (least, most) => Math.min(most, Math.max(least, 2)),
    oneOf: ([first]) => first!,
  });
  const inputShapes = inputs.map(({ shape }) => shape);
  const parts = t.scope(() => definitionOf({ operation, attributes, inputShapes }), { fused: false });
  return {
    inputs: inputShapes.map((shape) => [...shape]),
    entries: parts.map((part) => ({ operation: part.operation, shape: [...part.shape], inputs: part.inputs })),
  };
}

/** Distances by which the number is moved, from coarse to fine. */
const distances = [1, 0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6];

/** The analytic gradient at one number of one parameter, and difference quotients with the last cycle alone and with the whole step. */
export async function nudge(
  opened: Opened,
  { puzzle, step, parameter: name, entry }: Calls["nudge"]["args"],
  signal: AbortSignal,
): Promise<Omit<Nudge, "machine">> {
  const { model } = opened;
  const named = new Map(model.namedParameters());
  const names = [...named.keys()];
  const chosen = named.has(name) ? name : (names.find((one) => /gateUp|down|weight/.test(one)) ?? names[0]!);
  const variable = named.get(chosen)!;
  const whole = await subjectOf(opened, { puzzle, step });
  const lastOnly: StepSubject = { ...whole, before: await latentsBeforeLastCycle(model, puzzle, step, whole.before) };
  const { gradient, loss } = t.scope(() => {
    const computed = computeStep(whole);
    const value = computed.loss.value;
    return { gradient: gradients(computed.loss, [variable])[0]!, loss: value };
  });
  const slopes = (await gradient.data()) as Float32Array;
  const lossHere = await loss.item();
  gradient.dispose();
  loss.dispose();
  const steepest = slopes.reduce((best, slope, i) => (Math.abs(slope) > Math.abs(slopes[best]!) ? i : best), 0);
  const at = entry >= 0 && entry < slopes.length ? entry : steepest;
  const numbers = ((await variable.value.data()) as Float32Array).slice();
  const lossAt = async (subject: StepSubject, cycles: number, moved: number): Promise<number> => {
    t.assign(variable.value, numbers.with(at, numbers[at]! + moved));
    return lossOfStep(subject, cycles);
  };
  const quotients: { h: number; last: number; whole: number }[] = [];
  try {
    for (const h of distances) {
      signal.throwIfAborted();
      // float32 cannot move the number by exactly h.
      const width = Math.fround(numbers[at]! + h) - Math.fround(numbers[at]! - h);
      if (width === 0) continue;
      const slope = async (subject: StepSubject, cycles: number): Promise<number> =>
        ((await lossAt(subject, cycles, h)) - (await lossAt(subject, cycles, -h))) / width;
      quotients.push({ h, last: await slope(lastOnly, 1), whole: await slope(whole, model.T) });
    }
  } finally {
    t.assign(variable.value, numbers);
  }
  return {
    parameters: [...named].map(([one, { shape }]) => ({ name: one, shape: [...shape] })),
    parameter: chosen,
    entry: at,
    value: numbers[at]!,
    analytic: slopes[at]!,
    loss: lossHere,
    quotients,
  };
}

/** The latents when the cycles that leave no tape are done. */
async function latentsBeforeLastCycle(
  model: Model,
  puzzle: StepSubject["puzzle"],
  step: number,
  before: StepSubject["before"],
): Promise<StepSubject["before"]> {
  if (model.T === 1) return before;
  const at = { step, cycle: model.T - 1, update: model.recursion.updates.length };
  return (await traceTensors(model, questionOf(puzzle), at)).latents;
}
