// The folder of an ablation: ablation.json describes the comparison, every finished cell is one file, and an unfinished cell is a
// checkpoint, so that an interrupted ablation can continue.
import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { isTemporaryName, makeFolders, readBytes, replaceFile } from "../../formats/index.node.ts";
import { CheckpointError } from "../../formats/index.ts";
import { taskChoiceSchema } from "../../puzzles/index.ts";
import type { CheckpointFiles } from "../checkpoint.ts";
import { type Checkpoint, readCheckpoint, saveCheckpoint, stepOfFolder } from "../checkpoint-folder.node.ts";
import { type FolderLock, lockFile, lockFolder } from "../folder-lock.node.ts";
import { parseAs, parseJson } from "../model-files.ts";
import { initSchema, OccupiedError } from "../run-folder.node.ts";
import { type AblationCell, cellSchema } from "./cell.ts";
import { everyRow } from "./rows.ts";

const planFile = "ablation.json";

/** Far more than any comparison needs. The list of missing cells has an entry for every one. */
export const maxSeeds = 1000;

const planSchema = z.object({
  format: z.literal("trm-ts ablation"),
  version: z.literal(1),
  task: taskChoiceSchema,
  /** The weights from which every cell starts. Absent if they are random. */
  init: z.optional(initSchema),
  /** The base configuration as a flat record. */
  base: z.record(z.string(), z.unknown()),
  /** Numbers of generated puzzles: for training, and unseen. */
  puzzles: z.object({
    train: z.number().check(z.int(), z.minimum(1)),
    unseen: z.number().check(z.int(), z.minimum(1)),
  }),
  /** What determined the budget: minutes of the row trm on the machine of the study, or its training steps. */
  minutes: z.optional(z.number().check(z.positive())),
  steps: z.optional(z.number().check(z.int(), z.minimum(1))),
  /** Floating-point operations of training per cell. */
  budget: z.number().check(z.positive()),
  /** The keys of the rows in the table. Absent, as the seeds, in a folder that was written before they were stored. */
  rows: z.optional(z.array(z.enum(everyRow.map(({ key }) => key)))),
  /** Every row is trained with the seeds 1 to this number. */
  seeds: z.optional(z.number().check(z.int(), z.minimum(1), z.maximum(maxSeeds))),
});
/** What an ablation compares: its rows and seeds, and the settings that all of its cells share. */
export type AblationPlan = Omit<z.output<typeof planSchema>, "format" | "version">;

export const isAblation = (folder: string): boolean => existsSync(join(folder, planFile));

/**
 * Locks the folder of an ablation against other processes. A new folder is created, and removed again if it is still empty when the
 * lock is released.
 *
 * @throws OccupiedError for a folder with other contents; LockError while another process writes to it
 */
export function lockAblation(folder: string): FolderLock {
  const isNew = !existsSync(folder);
  const isOurs = (name: string): boolean => name === lockFile || isTemporaryName(name);
  if (!isNew && !isAblation(folder) && !readdirSync(folder).every(isOurs)) {
    throw new OccupiedError(`${folder} exists and is not an ablation: choose another --out`);
  }
  makeFolders(folder);
  const lock = lockFolder(folder);
  const release = (): void => {
    lock.release();
    if (isNew && existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
  };
  return { release };
}

/** @throws CheckpointError */
export function readPlan(folder: string): AblationPlan {
  const file = join(folder, planFile);
  if (!existsSync(file))
    throw new CheckpointError(`${folder}: contains no ${planFile}, expected the folder of an ablation`);
  return parse(planSchema, file);
}

export function writePlan(folder: string, plan: AblationPlan): void {
  makeFolders(folder);
  writeJson(join(folder, planFile), { format: "trm-ts ablation", version: 1, ...plan });
}

const cellFile = (row: string, seed: number): string => `cell-${row}-seed${seed}.json`;

/** Reads the finished cells. @throws CheckpointError */
export const readCells = (folder: string): AblationCell[] =>
  readdirSync(folder)
    .filter((name) => /^cell-.*\.json$/.test(name))
    .sort()
    .map((name) => parse(cellSchema, join(folder, name)));

/** Writes a finished cell and removes its checkpoint. */
export function writeCell(folder: string, cell: AblationCell): void {
  writeJson(join(folder, cellFile(cell.row, cell.seed)), cell);
  rmSync(unfinishedFolder(folder, cell.row, cell.seed), { recursive: true, force: true });
}

const unfinishedFolder = (folder: string, row: string, seed: number): string =>
  join(folder, `unfinished-${row}-seed${seed}`);

/** Saves the training of a cell that stops after `step`. */
export function saveUnfinished(folder: string, row: string, seed: number, step: number, files: CheckpointFiles): void {
  const path = unfinishedFolder(folder, row, seed);
  makeFolders(path);
  saveCheckpoint(path, step, files, { keep: 1 });
}

/** Reads the checkpoint of an unfinished cell; undefined if there is none. @throws CheckpointError */
export function readUnfinished(folder: string, row: string, seed: number): Checkpoint | undefined {
  const path = unfinishedFolder(folder, row, seed);
  const hasCheckpoint = existsSync(path) && readdirSync(path).some((name) => stepOfFolder(name) !== undefined);
  return hasCheckpoint ? readCheckpoint(path) : undefined;
}

const writeJson = (file: string, value: unknown): void =>
  replaceFile(file, Buffer.from(`${JSON.stringify(value, null, 2)}\n`));

const parse = <S extends z.ZodMiniType>(schema: S, file: string): z.output<S> =>
  parseAs(schema, parseJson(readBytes(file), file), file);
