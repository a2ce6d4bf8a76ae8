// The call of the view "Inside a step": the values of one update, its gradient, and its part of the tape.
import { type Config, type Model, puzzleSlots, traceTensors } from "trm-ts";
import { gradients, type TapeEntry, tapeOf, type Variable } from "trm-ts/autograd";
import * as t from "trm-ts/tensor";
import type { Calls, Inspection } from "../shared/calls.ts";
import { machineOf } from "./machine.ts";
import { computeStep, latentsBefore, questionOf } from "./step.ts";

interface Opened {
  readonly model: Model;
  readonly config: Config;
  readonly name: string;
}

export async function inspect(
  { model, config, name }: Opened,
  { puzzle, at }: Calls["inspect"]["args"],
): Promise<Inspection> {
  const question = questionOf(puzzle);
  const after = await traceTensors(model, question, at);
  const before = await latentsBefore(model, question, at.step);
  const recorded = t.scope(() => {
    const { updates, loss } = computeStep({ model, config, puzzle, before });
    const index = (at.cycle - 1) * model.recursion.updates.length + at.update - 1;
    const variable = updates[index]!;
    const isOnTape = variable.node !== null;
    const tape = isOnTape ? entriesSince(tapeOf(variable), updates[index - 1]) : [];
    const tapeLength = tapeOf(loss).length;
    const gradient = isOnTape ? gradients(loss, [variable])[0]! : null;
    return { gradient, tape, tapeLength, loss: loss.value };
  });
  const gradient = recorded.gradient ? ((await recorded.gradient.data()) as Float32Array) : null;
  const loss = await recorded.loss.item();
  recorded.gradient?.dispose();
  recorded.loss.dispose();
  const [, positions, width] = after.shape as [number, number, number];
  return {
    values: after.latents[model.recursion.updates[at.update - 1]!]!,
    gradient,
    positions,
    width,
    slots: puzzleSlots(model.config),
    tape: recorded.tape,
    tapeLength: recorded.tapeLength,
    loss,
    machine: machineOf(name),
  };
}

/** The entries that are not yet on the tape of the update before. */
function entriesSince(entries: readonly TapeEntry[], before: Variable | undefined): Inspection["tape"] {
  const known = new Map<string, number>();
  const keyOf = ({ operation, shape }: TapeEntry): string => `${operation} ${shape}`;
  for (const entry of before?.node ? tapeOf(before) : []) known.set(keyOf(entry), (known.get(keyOf(entry)) ?? 0) + 1);
  return entries.flatMap((entry) => {
    const left = known.get(keyOf(entry)) ?? 0;
    if (left > 0) {
      known.set(keyOf(entry), left - 1);
      return [];
    }
    return [{ operation: entry.operation, shape: [...entry.shape] }];
  });
}
