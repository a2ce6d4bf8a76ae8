// Reading a trace: where a frame is, what is on the boards at a frame, and which cells an update changed.
import type { Trace, TraceFrame } from "trm-ts";
import { firstPlace, type Place } from "./link.ts";

/** Reads the file of a recorded trace. @throws Error with the path if it is something else, such as the start page of a web server */
export function readTrace(text: string, path: string): Trace {
  let read: Partial<Trace> | null = null;
  try {
    read = JSON.parse(text) as Partial<Trace> | null;
  } catch {
    // Text that is no JSON is no trace either.
  }
  const isTrace = read?.format === "trm-ts trace" && read.version === 1;
  if (!isTrace || !Array.isArray(read?.question) || !Array.isArray(read.frames)) {
    throw new Error(`${path}: got ${text.slice(0, 40).trim() || "an empty file"}, expected a trace of version 1`);
  }
  return read as Trace;
}

/** Sizes that give a frame its place. */
export interface Shape {
  /** Latent recursions per supervision step. */
  readonly T: number;
  /** Names of the latents that one latent recursion updates, in order. */
  readonly updates: readonly string[];
  /** Supervision steps. */
  readonly steps: number;
}

export const framesPerStep = ({ T, updates }: Shape): number => T * updates.length;
export const frameCount = (shape: Shape): number => shape.steps * framesPerStep(shape);

/** Index of the frame at a place, in the order in which the model computes; -1 for the puzzle before the first update. */
export function indexOf({ step, cycle, update }: Place, { T, updates }: Shape): number {
  return step === 0 ? -1 : ((step - 1) * T + (cycle - 1)) * updates.length + (update - 1);
}

/** The place of a frame. */
export function placeAt(index: number, { T, updates }: Shape): Place {
  if (index < 0) return firstPlace;
  const [cycles, update] = [Math.floor(index / updates.length), index % updates.length];
  return { step: Math.floor(cycles / T) + 1, cycle: (cycles % T) + 1, update: update + 1 };
}

/** The nearest place that a trace of this shape has. */
export function nearest({ step, cycle, update }: Place, shape: Shape): Place {
  if (step === 0) return firstPlace;
  const within = (value: number, most: number): number => Math.min(Math.max(1, value), most);
  return {
    step: within(step, shape.steps),
    cycle: within(cycle, shape.T),
    update: within(update, shape.updates.length),
  };
}

/** The last update of a latent at or before a frame. */
export function latestOf(frames: readonly TraceFrame[], latent: string, index: number): TraceFrame | null {
  for (let i = Math.min(index, frames.length - 1); i >= 0; i--) if (frames[i]!.latent === latent) return frames[i]!;
  return null;
}

/** The update of the same latent before the last one at or before a frame. */
export function previousOf(frames: readonly TraceFrame[], latent: string, index: number): TraceFrame | null {
  let seen = 0;
  for (let i = Math.min(index, frames.length - 1); i >= 0; i--) {
    if (frames[i]!.latent === latent && ++seen === 2) return frames[i]!;
  }
  return null;
}

/**
 * The cells whose decoded token the update at `index` changed, compared with the update of the same latent before it; before the
 * first one, with the question. An update of another latent changes none.
 */
export function changedCells(
  frames: readonly TraceFrame[],
  latent: string,
  index: number,
  question: readonly number[],
): ReadonlySet<number> {
  const frame = frames[index];
  if (frame?.latent !== latent) return new Set();
  const before = previousOf(frames, latent, index)?.tokens ?? question;
  return new Set([...frame.tokens.keys()].filter((cell) => frame.tokens[cell] !== before[cell]));
}

/** The number of cells that differ from the answer. */
export const wrongCells = (tokens: readonly number[], truth: readonly number[]): number =>
  tokens.reduce((sum, token, cell) => sum + Number(token !== truth[cell]), 0);

/** Probability from a logit. */
export const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/** Both logits of the halting head. */
type HaltingLogits = NonNullable<TraceFrame["q"]>;

/** Which logits decide whether a model stops. */
export interface HaltingRule {
  /** Whether q_halt is compared with q_continue, as in HRM, instead of with 0. */
  readonly comparesContinue: boolean;
}

/** The logit that must be above 0 for the model to stop: the same as `haltMargin` of trm-ts. */
export const haltMargin = (q: HaltingLogits, { comparesContinue }: HaltingRule): number =>
  q.halt - (comparesContinue ? q.continue : 0);

/** The supervision step after which the model stops: the first one at whose end the margin is above 0; null if there is none. */
export function haltStep(frames: readonly TraceFrame[], { T, updates }: Shape, rule: HaltingRule): number | null {
  const isEnd = ({ cycle, update }: TraceFrame): boolean => cycle === T && update === updates.length;
  return frames.find((frame) => isEnd(frame) && frame.q !== null && haltMargin(frame.q, rule) > 0)?.step ?? null;
}
