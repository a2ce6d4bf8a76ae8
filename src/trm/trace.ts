// The trace: what a model does to y and z, update by update, as plain data that is the same in Node, in a page and in a worker.
// A header describes the model and the question; then there is one frame per update. Start reading at `trace`.
import * as t from "../tensor/index.ts";
import type { ModelConfig } from "./config.ts";
import { ConfigError } from "./errors.ts";
import type { Model } from "./model.ts";
import { expectQuestion, type Question } from "./prediction.ts";
import { type PositionBasis, positionOn } from "./trace-basis.ts";
import { type TraceRun, type UpdatePlace, updatesOf } from "./trace-updates.ts";

/** What a recorded trace says about its model and its question. JSON keeps every number exactly. */
export interface TraceHeader {
  readonly format: "trm-ts trace";
  readonly version: 1;
  /** Name of the task; null if it was not given. */
  readonly task: string | null;
  /** `hash` identifies the weights: 16 hexadecimal digits computed from their bits. */
  readonly model: { readonly name: string | null; readonly hash: string };
  readonly config: ModelConfig;
  /** [B · L] tokens */
  readonly question: readonly number[];
  /** [B · L] tokens; null if they were not given. */
  readonly truth: readonly number[] | null;
  /** The latents that one latent recursion updates, in order: ["z", "z", "y"] for TRM with n = 2. */
  readonly updates: readonly string[];
  /** Latent recursions per supervision step. */
  readonly T: number;
  /** The file that the lines of the frames refer to; null for a variant outside this package. */
  readonly source: string | null;
  /** Share of the variance that the two dimensions of `position` explain, by latent; null without a basis. */
  readonly explained: Readonly<Record<string, number>> | null;
}

/** One update of a latent. */
export interface TraceFrame extends UpdatePlace {
  /** Index of the puzzle in the question: 0 for a single puzzle. */
  readonly puzzle: number;
  /** [L] the tokens that the output head decodes from the latent. */
  readonly tokens: readonly number[];
  /** [L] probability of that token, to six decimals, as is the entropy: engines differ in the last bits of logarithms. */
  readonly confidence: readonly number[];
  /** [L] entropy of the probabilities, in nats. */
  readonly entropy: readonly number[];
  /** Euclidean norm of the latent over all positions, [P + L, D]. */
  readonly norm: number;
  /** Euclidean distance from the same latent before the update. */
  readonly move: number;
  /** The mean of the latent over its positions, projected onto the basis; null without a basis. */
  readonly position: readonly [number, number] | null;
  /** Both logits of the halting head after an update of the latent that is decoded as the answer (y); null after the others. */
  readonly q: { readonly halt: number; readonly continue: number } | null;
}

/** A recorded trace, for a file. */
export interface Trace extends TraceHeader {
  readonly frames: readonly TraceFrame[];
}

/** Options of `trace`. */
export interface TraceOptions extends TraceRun {
  /** The fixed basis of `position`, see `traceBasis`. */
  readonly basis?: PositionBasis | undefined;
  /** The function that the model was trained with to turn logits into probabilities. Default: "stablemax", as in `parseConfig`. */
  readonly loss?: t.CrossEntropyName | undefined;
}

/** What a header contains besides the model and the question. */
export interface TraceAbout {
  readonly task?: string | undefined;
  /** Name of the model. */
  readonly name?: string | undefined;
  /** [B · L] tokens */
  readonly truth?: ArrayLike<number> | undefined;
  readonly basis?: PositionBasis | undefined;
}

/**
 * Runs a model on a question and yields a frame for every update of a latent: T (n + 1) frames per supervision step and puzzle.
 * The numbers are those of `predictions`, bit for bit. All memory is released when the generator ends.
 *
 * @throws ConfigError if the question has another length than the model's puzzles
 */
export async function* trace(model: Model, question: Question, options: TraceOptions): AsyncGenerator<TraceFrame> {
  expectQuestion("trace", model, question, options);
  const { basis, loss = "stablemax" } = options;
  const { vocabularySize, hiddenSize } = model.config;
  for await (const { latents, before, logits, q, shape, ...update } of updatesOf(model, question, options)) {
    const puzzles = shape[0]!;
    for (let puzzle = 0; puzzle < puzzles; puzzle++) {
      options.signal?.throwIfAborted();
      const own = partOf(latents[update.latent]!, puzzle, puzzles);
      const cells = decode(partOf(logits, puzzle, puzzles), vocabularySize, loss);
      yield {
        puzzle,
        ...update,
        ...cells,
        norm: distance(own),
        move: distance(own, partOf(before, puzzle, puzzles)),
        position: basis ? positionOn(basis, update.latent, own, hiddenSize) : null,
        q: q && { halt: q[2 * puzzle]!, continue: q[2 * puzzle + 1]! },
      };
    }
  }
}

/** The header of a trace of these questions. @throws ConfigError if the truth has another length than the question */
export async function traceHeader(model: Model, question: Question, about: TraceAbout = {}): Promise<TraceHeader> {
  expectQuestion("traceHeader", model, question, about);
  const { task = null, name = null, truth, basis } = about;
  const { updates, source } = model.recursion;
  if (truth && truth.length !== question.inputs.length) {
    throw new ConfigError(`trace: got a truth of ${truth.length} tokens, expected ${question.inputs.length}`);
  }
  return {
    format: "trm-ts trace",
    version: 1,
    task,
    model: { name, hash: await weightsHash(model) },
    config: model.config,
    question: Array.from(question.inputs),
    truth: truth ? Array.from(truth) : null,
    updates,
    T: model.T,
    source: source?.file ?? null,
    explained: basis
      ? Object.fromEntries(Object.entries(basis).map(([latent, { explained }]) => [latent, explained]))
      : null,
  };
}

/** Header and frames in one object. @throws what `trace` and `traceHeader` throw */
export async function recordTrace(
  model: Model,
  question: Question,
  options: TraceOptions & TraceAbout,
): Promise<Trace> {
  expectQuestion("recordTrace", model, question, options);
  const header = await traceHeader(model, question, options);
  const frames: TraceFrame[] = [];
  for await (const frame of trace(model, question, options)) frames.push(frame);
  return { ...header, frames };
}

/** The tensors at one frame, as numbers. */
export interface TraceTensors {
  /** [B, P + L, D] numbers of every latent by name, after the update. */
  readonly latents: Readonly<Record<string, Float32Array>>;
  /** [B, P + L, D] */
  readonly shape: t.Shape;
  /** [B, L, V] what the output head makes of the updated latent. */
  readonly logits: Float32Array;
}

/**
 * The full tensors at a frame, computed again from the start of the trace. The options are those of the trace, except that
 * `steps` is not needed.
 *
 * @throws ConfigError if the trace has no such frame
 */
export async function traceTensors(
  model: Model,
  question: Question,
  at: Pick<TraceFrame, "step" | "cycle" | "update">,
  options: Omit<TraceRun, "steps"> = {},
): Promise<TraceTensors> {
  expectQuestion("traceTensors", model, question, options);
  t.expectObject("traceTensors", "the place", at, ["step"]);
  for await (const frame of updatesOf(model, question, { ...options, steps: at.step })) {
    if (frame.step !== at.step || frame.cycle !== at.cycle || frame.update !== at.update) continue;
    const { shape, latents, logits } = frame;
    return { shape, latents, logits };
  }
  throw new ConfigError(
    `trace: got step ${at.step}, cycle ${at.cycle}, update ${at.update}, expected a frame of the trace`,
  );
}

const partOf = (numbers: Float32Array, part: number, parts: number): Float32Array => {
  const size = numbers.length / parts;
  return numbers.subarray(part * size, (part + 1) * size);
};

/** |a - b|, or |a| without b. */
function distance(a: Float32Array, b?: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - (b ? b[i]! : 0)) ** 2;
  return Math.sqrt(sum);
}

const sixDecimals = (value: number): number => Math.round(value * 1e6) / 1e6;

/** [L, V] logits -> the most probable token of every cell, its probability, and the entropy. */
function decode(
  logits: Float32Array,
  vocabularySize: number,
  loss: t.CrossEntropyName,
): Pick<TraceFrame, "tokens" | "confidence" | "entropy"> {
  const tokens: number[] = [];
  const confidence: number[] = [];
  const entropy: number[] = [];
  for (let at = 0; at < logits.length; at += vocabularySize) {
    const cell = logits.subarray(at, at + vocabularySize);
    let token = 0;
    for (let j = 1; j < vocabularySize; j++) if (cell[j]! > cell[token]!) token = j;
    const weights = Array.from(cell, (x) => weightFunctions[loss](x, cell[token]!));
    const total = weights.reduce((a, b) => a + b);
    tokens.push(token);
    confidence.push(sixDecimals(weights[token]! / total));
    entropy.push(sixDecimals(weights.reduce((sum, w) => (w > 0 ? sum - (w / total) * Math.log(w / total) : sum), 0)));
  }
  return { tokens, confidence, entropy };
}

/** Probabilities are proportional to these. */
const weightFunctions: Record<t.CrossEntropyName, (x: number, largest: number) => number> = {
  softmax: (x, largest) => Math.exp(x - largest),
  stablemax: (x) => (x < 0 ? 1 / (1 - x) : x + 1),
};

/**
 * 64 bits of the weights, the initial latents and the puzzle table, in hexadecimal. It distinguishes models; it is not a
 * cryptographic signature.
 */
async function weightsHash(model: Model): Promise<string> {
  let [low, high] = [0x811c9dc5, 0x9e3779b9];
  const tensors = [...model.parameters().map(({ value }) => value), ...model.initial.values()];
  if (model.puzzleEmbedding) tensors.push(model.puzzleEmbedding.table);
  for (const tensor of tensors) {
    const { buffer, byteOffset, length } = (await tensor.data()) as Float32Array;
    for (const word of new Uint32Array(buffer, byteOffset, length)) {
      low = Math.imul(low ^ word, 0x01000193);
      high = Math.imul(((high << 5) | (high >>> 27)) ^ word, 0x85ebca6b);
    }
  }
  return [low, high].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}
