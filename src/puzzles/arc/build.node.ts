/** Builds the official ARC data set from the JSON of ARC-AGI-1, ARC-AGI-2 and ConceptARC, as the official builder does. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { FileSet, readBytes } from "../../formats/index.node.ts";
import { DatasetError, decodeText, quoted } from "../../formats/index.ts";
import { Random } from "../../tensor/index.ts";
import { ConfigError } from "../../trm/index.ts";
import {
  ARC_LENGTH,
  ARC_VOCABULARY,
  type ArcSubset,
  type ArcTask,
  buildArc,
  parseArcChallenges,
  parseArcTask,
} from "../arc.ts";
import { type BuildProgress, type BuildReport, checkCount, reportOf } from "../build-report.ts";
import { SplitWriter, writeNames } from "../official-layout/layout.node.ts";
import { splitMetadata } from "../official-layout/layout.ts";
import { SplitBuilder } from "../official-layout/split-builder.ts";

export interface ArcSourceOptions {
  /** PREFIX_SUBSET_challenges.json (and ..._solutions.json), or the folders PREFIX/SUBSET with one JSON per task. */
  readonly prefix: string;
  readonly subsets: readonly string[];
  /** The subset whose test pairs become the test split. */
  readonly testSet: string;
  readonly out: string;
  /** Augmentations per task. Default 1000, as the official builder. */
  readonly augment?: number | undefined;
  /** Default 42, as the official builder. */
  readonly seed?: number | undefined;
  readonly onProgress?: BuildProgress | undefined;
}

/** @throws DatasetError for a missing or broken file; ConfigError if the test subset is not among the subsets. */
export function buildArcFiles(options: ArcSourceOptions): BuildReport {
  const { prefix, subsets, testSet, out, augment = 1000, seed = 42 } = options;
  checkCount("augment", augment);
  if (!subsets.includes(testSet)) {
    throw new ConfigError(`test set ${testSet}, expected one of the subsets ${subsets.join(", ")}`);
  }
  const loaded = subsets.map((name) => loadArcSubset(prefix, name));
  const files = new FileSet();
  try {
    const writers = { train: new SplitWriter(files, out, "train"), test: new SplitWriter(files, out, "test") };
    const builders = { train: new SplitBuilder(writers.train), test: new SplitBuilder(writers.test) };
    const built = buildArc({
      ...{ subsets: loaded, testSet, augment, random: new Random(seed), builders },
      onProgress: (done, total) => options.onProgress?.("augmenting tasks", done / total),
    });
    writeNames(files, out, built.identifiers, built.testPuzzles);
    const identifierCount = built.identifiers.length;
    const shape = { vocabularySize: ARC_VOCABULARY, sequenceLength: ARC_LENGTH, identifierCount };
    for (const split of ["train", "test"] as const) {
      writers[split].end(builders[split], splitMetadata(builders[split], shape));
    }
    files.finish();
    return {
      splits: (["train", "test"] as const).map((name) => reportOf(name, builders[name])),
      notes: [
        ...built.short.map(
          ({ name, found }) => `task ${name}: only ${found} different augmentations of ${augment} found`,
        ),
        ...leaks(loaded, testSet),
      ],
    };
  } catch (error) {
    files.abandon();
    throw error;
  }
}

/** One subset of tasks from disk. @throws DatasetError */
export function loadArcSubset(prefix: string, name: string): ArcSubset {
  const challenges = `${prefix}_${name}_challenges.json`;
  const folder = join(prefix, name);
  if (existsSync(challenges)) {
    const solutions = `${prefix}_${name}_solutions.json`;
    const read = (file: string) => ({ file, text: decodeText(readBytes(file), file) });
    return { name, tasks: parseArcChallenges(read(challenges), existsSync(solutions) ? read(solutions) : undefined) };
  }
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new DatasetError(`neither ${challenges} nor a folder ${folder} is there`);
  }
  const tasks = new Map<string, ArcTask>();
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".json"));
  for (const file of files.sort()) {
    const path = join(folder, file);
    const task = basename(file, ".json");
    if (tasks.has(task)) throw new DatasetError(`a second task of the name ${task}`, { file: path });
    tasks.set(task, parseArcTask(decodeText(readBytes(path), path), path));
  }
  if (tasks.size === 0) throw new DatasetError("no .json files", { file: folder });
  return { name, tasks };
}

/** Test tasks that another subset has as well, whose test pairs are trained on there. */
function leaks(subsets: readonly ArcSubset[], testSet: string): string[] {
  const tests = subsets.find(({ name }) => name === testSet)!.tasks;
  return subsets
    .filter(({ name }) => name !== testSet)
    .flatMap(({ name, tasks }) => [...tasks.keys()].filter((task) => tests.has(task)).map((task) => ({ name, task })))
    .map(({ name, task }) => `task ${quoted(task)} of the test set is in ${name} too: its test pairs are trained on`);
}
