/**
 * Export of a run in the form of the official code:
 *
 *     model.safetensors, ema.safetensors   weights and their average, under the official names
 *     config.yaml                          configuration, under the official keys
 *     model.pt                             weights for `load_checkpoint` of the unmodified official code
 *     data/                                puzzles in the official layout
 */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { isTemporaryName, makeFolders, removeEmptyFolders, replaceFiles } from "../../formats/index.node.ts";
import {
  CheckpointError,
  parseSafetensors,
  pythonJson,
  serializePt,
  type WritableTensor,
} from "../../formats/index.ts";
import { readDataMetadata } from "../../puzzles/index.node.ts";
import {
  ARC_LENGTH,
  encodeSplit,
  IDENTIFIERS_JSON,
  identifierNames,
  splitInSteps,
  type TaskChoice,
  taskOf,
} from "../../puzzles/index.ts";
import { Random } from "../../tensor/index.ts";
import { ConfigError, type Examples, misfitOf } from "../../trm/index.ts";
import { averageFile, type CheckpointSide, weightsFile } from "../checkpoint.ts";
import { type CheckpointChoice, readCheckpoint } from "../checkpoint-folder.node.ts";
import { fingerprintOfFolder, fingerprintOfSets, verifyData } from "../data-fingerprint.node.ts";
import { epochsOfSteps, examplesPerEpoch } from "../epochs.ts";
import { lockFile, lockFolder } from "../folder-lock.node.ts";
import { OccupiedError, readRun, readSets } from "../run-folder.node.ts";
import { formatOfficialConfig } from "./config-file.ts";
import { type Target, toOfficialConfig } from "./official-config.ts";

const exportedWeights = "model.safetensors";
export const exportedAverage = "ema.safetensors";
export const exportedConfig = "config.yaml";
const exportedPt = "model.pt";
const exportedData = "data";
const exportedNames = [exportedWeights, exportedAverage, exportedPt, exportedData];

export interface ExportOptions {
  readonly run: string;
  readonly out: string;
  readonly target: Target;
  /** Default: the newest checkpoint. */
  readonly checkpoint?: CheckpointChoice;
  /**
   * Random symmetries per training puzzle in the exported data. Default: 20 if the run augments its puzzles, else 0. Not for a run on a
   * data set, to which the export only refers.
   */
  readonly augment?: number | undefined;
  /** Called with the current work and the share of it that is done, 0 to 1. It may throw to stop the export: then nothing is written. */
  readonly onProgress?: ((work: string, share: number) => void | Promise<void>) | undefined;
}

export interface Exported {
  /** Names of the files and folders that were written. */
  readonly files: readonly string[];
  /** Notes for the user. */
  readonly notes: readonly string[];
}

const usualCopies = 20;

const weightFiles = ({ config }: CheckpointSide): string[] =>
  config.training.emaRate > 0 ? [weightsFile, averageFile] : [weightsFile];

/**
 * Exports a run. All checks and all work precede the first write; an earlier export in the folder is replaced at the end.
 *
 * @throws ConfigError for settings that the official code does not support and for `augment` with a data set, OccupiedError for a folder
 *   with other contents, CheckpointError for a run with another task than its checkpoint, or with other puzzles than it was trained on
 */
export async function exportRun(options: ExportOptions): Promise<Exported> {
  const { run, out, target, checkpoint, augment, onProgress } = options;
  const about = readRun(run);
  const { dataFolder } = about;
  if (augment !== undefined && dataFolder !== undefined) {
    throw new ConfigError(
      `${run}: --augment ${augment}, expected none, because the data set ${dataFolder} is not copied`,
    );
  }
  const { side, files, path } = readCheckpoint(run, weightFiles, checkpoint, "--checkpoint best or last");
  const { training, model } = side.config;
  const task = taskOf(about.task);
  const misfit = misfitOf(task, model) ?? differentName(side.task, about.task);
  if (misfit !== undefined) throw new CheckpointError(`${path}: ${misfit}`);
  const copies = augment ?? (about.data.augment ? usualCopies : 0);
  const sets = dataFolder === undefined ? readSets(run) : null;
  const isLoadable = target === "official" && model.puzzleEmbeddingSize > 0;
  const config = toOfficialConfig(side.config, target, {
    data_paths: [dataFolder ?? exportedData],
    data_paths_test: [],
    // The official evaluator of ARC reads canvases of 900 cells.
    evaluators: about.task.name === "arc" && task.sequenceLength === ARC_LENGTH ? [{ name: "arc@ARC" }] : [],
    epochs: epochsOfSteps(
      training.totalSteps,
      sets?.train.count ?? examplesPerEpoch(readDataMetadata(dataFolder!)),
      training.batchSize,
    ),
    eval_interval: null,
    checkpoint_every_eval: true,
    ...(isLoadable ? { load_checkpoint: exportedPt } : {}),
    checkpoint_path: "checkpoints",
    hydra: { output_subdir: null },
    trm_ts: {
      task: about.task,
      augment: about.data.augment,
      ...(dataFolder !== undefined && side.data && { data: side.data }),
    },
  });
  const kept = {
    [`the run ${run}`]: run,
    ...(dataFolder !== undefined && { [`the data set of ${run}`]: dataFolder }),
  };
  expectReplaceable(out, kept);
  const unverified = verifyData({
    path: dataFolder ?? `the puzzles in ${run}`,
    actual: sets ? fingerprintOfSets(sets) : fingerprintOfFolder(dataFolder!),
    expected: side.data ?? about.fingerprint,
    run,
  });

  const weights = files.get(weightsFile)!;
  const average = files.get(averageFile);
  const contents = new Map<string, Uint8Array>([[exportedWeights, weights]]);
  if (average) contents.set(exportedAverage, average);
  if (target === "official") contents.set(exportedPt, serializePt(wrapped(weights, path)));
  let missingCopies = 0;
  if (sets) {
    const random = new Random(training.seed);
    /** @returns the number of examples that were written */
    const addSplit = async (name: string, examples: Examples, images: number): Promise<number> => {
      const steps = splitInSteps(examples, task, images, random);
      let step = steps.next();
      for (; !step.done; step = steps.next()) await onProgress?.(`puzzles of ${name}`, step.value);
      for (const [file, bytes] of encodeSplit(step.value)) contents.set(`${exportedData}/${name}/${file}`, bytes);
      return step.value.labels.length / task.sequenceLength;
    };
    const examples = await addSplit("train", sets.train, copies);
    missingCopies = sets.train.count * (1 + copies) - examples;
    await addSplit("test", sets.unseen, 0);
    await addSplit("watch", sets.watch, 0);
    contents.set(`${exportedData}/${IDENTIFIERS_JSON}`, utf8(pythonJson(identifierNames)));
  }
  contents.set(exportedConfig, utf8(formatOfficialConfig(config, heading(target))));
  writeExport(out, contents, kept);
  const written = new Set([...contents.keys()].map((name) => name.replace(/\/.*/, "/")));
  const ofOfficial = [isLoadable ? "" : withoutTable, training.emaWarmup ? withoutWarmup : ""];
  const ofBoth = [
    unverified ?? "",
    missingCopies > 0 ? withoutCopies(missingCopies) : "",
    training.depthCurriculum ? withoutStages : "",
    training.revealProbability > 0 ? withoutRevealed(training.revealProbability) : "",
  ];
  const notes = target === "official" ? [...ofOfficial, ...ofBoth] : ofBoth;
  return { files: [...written], notes: notes.filter((note) => note !== "") };
}

/** Replaces an earlier export in a folder, which is locked meanwhile. A failure leaves no new folder. @throws OccupiedError, LockError */
function writeExport(
  out: string,
  contents: ReadonlyMap<string, Uint8Array>,
  kept: Readonly<Record<string, string>>,
): void {
  const created = makeFolders(out);
  try {
    const lock = lockFolder(out, "this export");
    try {
      expectReplaceable(out, kept); // again, because the work before takes time
      replaceFiles(out, contents, { names: exportedNames, marker: exportedConfig });
    } finally {
      lock.release();
    }
  } finally {
    removeEmptyFolders(created);
  }
}

/** How the task of a checkpoint differs from that of its run; undefined if the names agree. */
const differentName = (checkpoint: TaskChoice, run: TaskChoice): string | undefined =>
  checkpoint.name === run.name
    ? undefined
    : `the checkpoint is of the task ${checkpoint.name}, the run is of ${run.name}`;

/**
 * Checks that a folder holds nothing but an earlier export, or other files beside one.
 *
 * @param kept  folders that the export must not remove, by what is in them
 * @throws OccupiedError
 */
function expectReplaceable(out: string, kept: Readonly<Record<string, string>>): void {
  if (!existsSync(out)) return;
  const names = statSync(out).isDirectory()
    ? readdirSync(out).filter((name) => name !== lockFile && !isTemporaryName(name))
    : [out];
  const config = join(out, exportedConfig);
  const isExport = names.includes(exportedConfig) && readFileSync(config, "utf8").startsWith(`# ${writtenBy}`);
  if (names.length > 0 && !isExport) {
    throw new OccupiedError(`${out} exists and is not an export of trm: choose another --out`);
  }
  for (const place of exportedNames.map((name) => join(out, name)).filter((path) => existsSync(path))) {
    for (const [what, folder] of Object.entries(kept)) {
      if (!isWithin(folder, place)) continue;
      throw new OccupiedError(`${place} would be replaced, but ${what} is in it: choose another --out`);
    }
  }
}

/** Whether an existing path is a folder or below it, as the paths are written or after following symbolic links. */
const isWithin = (path: string, folder: string): boolean =>
  [resolve, (each: string) => realpathSync(each)].some((absolute) => {
    const way = relative(absolute(folder), absolute(path));
    return way.split(sep)[0] !== ".." && !isAbsolute(way); // absolute: on another drive of Windows
  });

const withoutTable =
  "puzzleEmbeddingSize 0: the official pretrain.py can train such a model but cannot load its weights, because load_checkpoint requires the puzzle table; --for torchrun can";

const withoutWarmup = "emaWarmup true: the official code averages the weights with the constant emaRate";

const withoutCopies = (missing: number): string =>
  `${missing} of the symmetric copies were not written, because the puzzles of this task do not have as many images`;

const withoutStages = "depthCurriculum true: the other code trains with the full T and n in every step";

const withoutRevealed = (probability: number): string =>
  `revealProbability ${probability}: the other code fills in no blanks of its training puzzles`;

const writtenBy = "Written by trm export";

const heading = (target: Target): string =>
  target === "official"
    ? `${writtenBy} for the official code (SamsungSAILMontreal/TinyRecursiveModels): see docs/pytorch.md of trm-ts.`
    : `${writtenBy} for interop/torchrun/train.py of trm-ts, which trains the official classes: see docs/pytorch.md.`;

/** The weights under the names of the official code's compiled model, which the loss head contains. */
function wrapped(weights: Uint8Array, where: string): Map<string, WritableTensor> {
  const { tensors } = parseSafetensors(weights, where);
  return new Map(
    [...tensors].map(([name, { shape, data }]) => [
      `_orig_mod.model.${name}`,
      { shape, data: data as WritableTensor["data"] },
    ]),
  );
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
