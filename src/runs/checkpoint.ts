// The checkpoint format: four files that together hold the whole state of a training, so that a resumed training continues
// bit for bit. This module works in memory; checkpoint-folder.node.ts reads and writes the files on a disk.
//
//   weights.safetensors   weights under the official code's names
//   ema.safetensors       moving average of the weights (absent without EMA)
//   training.safetensors  moments of the optimizer, and the carry: latents, puzzle and labels of every slot
//   checkpoint.json       everything else: step, random states, position in the data, configuration, task, backend, the
//                         fingerprint of the data set; in a folder also the checksums of all files

import * as z from "zod/mini";
import {
  CheckpointError,
  parseSafetensors,
  type SafetensorsFile,
  serializeSafetensors,
  toInt32,
  type WritableTensor,
} from "../formats/index.ts";
import { taskChoiceSchema } from "../puzzles/index.ts";
import * as t from "../tensor/index.ts";
import {
  type Config,
  flattenConfig,
  officialStateName,
  parseConfig,
  randomStateSchema,
  Training,
} from "../trm/index.ts";
import { fingerprintSchema } from "./data-fingerprint.ts";
import { checkpointFormat, expectEnoughBytes, parseAs, parseJson } from "./model-files.ts";
import { entryOf, exportWeights, finiteFloats, weightsFrom } from "./weights.ts";

export const sideFile = "checkpoint.json";
export const weightsFile = "weights.safetensors";
export const averageFile = "ema.safetensors";
export const trainingFile = "training.safetensors";

/**
 * The files of a checkpoint by name: checkpoint.json (for `parseSide`), weights.safetensors, training.safetensors and, with an average,
 * ema.safetensors.
 */
export type CheckpointFiles = ReadonlyMap<string, Uint8Array>;

const count = z.number().check(z.int(), z.minimum(0));
const share = z.number().check(z.minimum(0), z.maximum(1));

const sideSchema = z.object({
  format: z.literal(checkpointFormat),
  version: z.literal(1),
  madeBy: z.string(),
  task: taskChoiceSchema,
  /** Backend that computed the most recent steps. */
  backend: z.object({ name: z.string(), build: z.string() }),
  step: count,
  /** Data set of the training. Absent in checkpoints written before fingerprints existed. */
  data: z.optional(fingerprintSchema),
  /** Training time so far, including evaluations. */
  seconds: z.number().check(z.minimum(0)),
  optimizerSteps: count,
  random: randomStateSchema,
  /** State of the batch source, in a form that the source defines. */
  source: z.unknown(),
  carry: z.object({ steps: z.array(count), halted: z.array(z.boolean()) }),
  config: z.record(z.string(), z.unknown()),
  /**
   * Accuracy of the evaluated weights on the watched puzzles, after the last supervision step. Absent if this step was not
   * evaluated, and in checkpoints of earlier versions.
   */
  evaluation: z.optional(z.object({ puzzles: count, exact: share, cell: share })),
});

/** What makes one checkpoint better than another. */
export type CheckpointEvaluation = NonNullable<z.output<typeof sideSchema>["evaluation"]>;

/** Whether `one` is at least as good as `other`: by exact accuracy, then by cell accuracy. */
export const isAsGood = (one: CheckpointEvaluation, other: CheckpointEvaluation): boolean =>
  one.exact !== other.exact ? one.exact > other.exact : one.cell >= other.cell;

/** The contents of the JSON side file, with a parsed configuration. */
export interface CheckpointSide extends Omit<z.output<typeof sideSchema>, "config"> {
  readonly config: Config;
}

/** Facts that the checkpoint stores but the training object does not contain. */
export type CheckpointAbout = Pick<CheckpointSide, "task" | "backend" | "seconds" | "madeBy" | "data" | "evaluation">;

/** @throws Error while a supervision step is running */
export function expectBetweenSteps(where: string, training: Training): void {
  if (training.isStepping) throw new Error(`${where}: a supervision step is still running, expected to await it`);
}

/**
 * Packs the whole state of a training. Call it between two steps, and await it before the next one.
 *
 * @throws CheckpointError for facts of another type or out of range; Error while a supervision step is running, or if one is made
 *   before the state is read
 */
export async function packCheckpoint(training: Training, about: CheckpointAbout): Promise<CheckpointFiles> {
  t.expectInstance("packCheckpoint", "the training", training, Training);
  t.expectObject("packCheckpoint", "the facts", about, ["task", "backend", "seconds"]);
  expectBetweenSteps("packCheckpoint", training);
  const { step, optimizer, carry, random, source, config, model, ema } = training;
  const side = {
    format: checkpointFormat,
    version: 1,
    ...about,
    step,
    optimizerSteps: optimizer.steps,
    random: random.state,
    source: source.state,
    carry: { steps: [...carry.steps], halted: carry.halted },
    config: flattenConfig(config),
  } satisfies z.input<typeof sideSchema>;
  parseAs(sideSchema, side, "packCheckpoint"); // Facts that no reader accepts are refused before anything is written.
  const files = new Map<string, Uint8Array>([
    [sideFile, new TextEncoder().encode(`${JSON.stringify(side, null, 2)}\n`)],
    [weightsFile, serializeSafetensors(await exportWeights(model))],
    [trainingFile, serializeSafetensors(await trainingTensors(training))],
  ]);
  if (ema) files.set(averageFile, serializeSafetensors(await exportWeights(ema)));
  if (training.isStepping || training.step !== step) {
    throw new Error(
      "packCheckpoint: a supervision step began while the state was read, expected to await the checkpoint",
    );
  }
  return files;
}

async function trainingTensors({ optimizer, carry, config }: Training): Promise<Map<string, WritableTensor>> {
  const { slots, inputs, labels, puzzleIds } = carry;
  const shape = [slots, config.model.sequenceLength];
  const tensors = new Map<string, WritableTensor>([
    ["carry/inputs", { shape, data: inputs.slice() }],
    ["carry/labels", { shape, data: labels.slice() }],
    ["carry/puzzle_ids", { shape: [slots], data: puzzleIds.slice() }],
  ]);
  const floats = async (name: string, tensor: t.Tensor): Promise<void> => {
    tensors.set(name, { shape: tensor.shape, data: (await tensor.data()) as Float32Array });
  };
  for (const [name, { value }] of Object.entries(carry.latents)) await floats(carryName(name), value);
  for (const [name, tensor] of optimizer.moments()) await floats(`optimizer/${name}`, tensor);
  return tensors;
}

const carryName = (latent: string): string => `carry/${officialStateName(latent).carry}`;

/** Parses the side file. @param where  name of the file for errors. @throws CheckpointError */
export function parseSide(bytes: Uint8Array, where: string): CheckpointSide {
  const { config, ...rest } = parseAs(sideSchema, parseJson(bytes, where), where);
  const read = parseConfig(config, where);
  const { steps, halted } = rest.carry;
  if (steps.length !== read.training.batchSize || halted.length !== read.training.batchSize) {
    throw new CheckpointError(
      `${where}: carry: ${steps.length} steps and ${halted.length} flags, expected batchSize = ${read.training.batchSize}`,
    );
  }
  return { ...rest, config: read };
}

/** Names of the files of a checkpoint beside the JSON side file. */
export const tensorFiles = ({ config }: CheckpointSide): string[] =>
  config.training.emaRate > 0 ? [weightsFile, trainingFile, averageFile] : [weightsFile, trainingFile];

/** An untrusted configuration must not make a training allocate more than its weights. @throws CheckpointError */
export function expectEnoughWeights({ config }: CheckpointSide, files: CheckpointFiles, where: string): void {
  expectEnoughBytes(config, files.get(weightsFile) ?? new Uint8Array(), `${where}/${weightsFile}`);
}

/** Name of the file with the weights for evaluation: the averaged weights with EMA, else the weights. */
export const evaluatedFile = ({ config }: CheckpointSide): string =>
  config.training.emaRate > 0 ? averageFile : weightsFile;

/**
 * Restores the state of a checkpoint in a new training of the same configuration. Everything is validated before the training is
 * changed.
 *
 * @param where  name of the checkpoint for errors
 * @throws CheckpointError
 */
export function restoreTraining(training: Training, side: CheckpointSide, files: CheckpointFiles, where: string): void {
  t.expectInstance("restoreTraining", "the training", training, Training);
  t.expectObject("restoreTraining", "the side file", side, ["step", "carry"]);
  t.expectInstance("restoreTraining", "the files", files, Map);
  t.expectString("restoreTraining", "where", where);
  const read = (name: string): SafetensorsFile => {
    const bytes = files.get(name);
    if (!bytes) throw new CheckpointError(`${where}: no ${name}`);
    return parseSafetensors(bytes, `${where}/${name}`);
  };
  const { model, ema } = training;
  const weights = weightsFrom(model, read(weightsFile), `${where}/${weightsFile}`);
  if (ema) weights.push(...weightsFrom(ema, read(averageFile), `${where}/${averageFile}`));
  const rest = new TensorReader(read(trainingFile), `${where}/${trainingFile}`);
  const { optimizer, carry } = training;

  const moments = new Map<string, Float32Array>();
  for (const [name, tensor] of optimizer.moments()) moments.set(name, rest.floats(`optimizer/${name}`, tensor.shape));
  const latents = new Map<string, Float32Array>();
  for (const [name, { value }] of Object.entries(carry.latents)) {
    latents.set(name, rest.floats(carryName(name), value.shape));
  }
  const cells = [carry.slots, training.config.model.sequenceLength];
  const inputs = rest.integers("carry/inputs", cells);
  const labels = rest.integers("carry/labels", cells);
  const puzzleIds = rest.integers("carry/puzzle_ids", [carry.slots]);

  try {
    training.restore({
      step: side.step,
      optimizer: { steps: side.optimizerSteps, moments },
      random: side.random,
      source: side.source,
      carry: { latents, inputs, labels, puzzleIds, ...side.carry },
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // a RangeError reports an invalid position in the training data
    throw new CheckpointError(`${where}: ${error.message}`);
  }
  for (const { tensor, values } of weights) t.assign(tensor, values);
}

class TensorReader {
  constructor(
    private readonly file: SafetensorsFile,
    private readonly where: string,
  ) {}

  floats(name: string, shape: t.Shape): Float32Array {
    return finiteFloats(name, entryOf(this.file, name, shape, this.where), this.where);
  }

  integers(name: string, shape: t.Shape): Int32Array {
    return toInt32(name, entryOf(this.file, name, shape, this.where));
  }
}
