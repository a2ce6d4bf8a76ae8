// The curves of bench:learn: one JSON file per task with the trainings measured so far, to which --resume adds.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";

const pointSchema = z.object({
  step: z.number(),
  seconds: z.number(),
  exact: z.tuple([z.number(), z.number()]).readonly(),
});
const runSchema = z.object({
  seed: z.number(),
  date: z.string(),
  load: z.string(),
  machine: z.record(z.string(), z.string()),
  ours: z.array(pointSchema).readonly(),
  peer: z.array(pointSchema).readonly().nullable(),
});
const fileSchema = z.object({ settings: z.record(z.string(), z.unknown()), runs: z.array(runSchema) });

/** One seed: its curves, and where and when they were measured. `peer` is null if PyTorch was not run. */
export type Run = Readonly<z.output<typeof runSchema>>;

type Settings = Readonly<Record<string, unknown>>;

/**
 * The trainings in a file, by seed; none if there is no file.
 *
 * @throws Error if the file is damaged or was measured with other settings
 */
export function readRuns(path: string, settings: Settings): Run[] {
  if (!existsSync(path)) return [];
  const file = parsed(path);
  const [was, is] = [file.settings, settings].map((given) => JSON.stringify(sorted(given)));
  if (was !== is) throw new Error(`--resume: ${path} was measured with --set ${was}, expected the same, got ${is}`);
  return file.runs.sort((a, b) => a.seed - b.seed);
}

/** Replaces the file in one step. */
export function writeRuns(path: string, settings: Settings, runs: readonly Run[]): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, `${JSON.stringify({ settings, runs }, null, 1)}\n`);
  renameSync(`${path}.new`, path);
}

function parsed(path: string): z.output<typeof fileSchema> {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    throw new Error(`--resume: ${path} is not a file of bench:learn, expected {settings, runs}`, { cause: error });
  }
}

const sorted = (settings: Settings): Settings =>
  Object.fromEntries(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
