// Builds the official ARC data set from the JSON files of ARC-AGI-1, ARC-AGI-2 and ConceptARC, as the official builder does.
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { FileSet, readBytes } from "../../formats/index.node.ts";
import { DatasetError, decodeText, quoted } from "../../formats/index.ts";
import { Random } from "../../tensor/index.ts";
import { ConfigError } from "../../trm/index.ts";
import { type BuildProgress, type BuildReport, checkCount, reportOf } from "../build-report.ts";
import { checkSize } from "../check-size.node.ts";
import type { Grid } from "../dihedral.ts";
import { writeTask } from "../official-layout/dataset.node.ts";
import { SplitWriter, writeNames } from "../official-layout/layout.node.ts";
import { splitMetadata } from "../official-layout/layout.ts";
import { SplitBuilder } from "../official-layout/split-builder.ts";
import { AUGMENTATIONS } from "./augment.ts";
import { type ArcSubset, buildArc } from "./build.ts";
import { ARC_SIDE } from "./grid.ts";
import { arcTaskOfSide } from "./task.ts";
import { type ArcTask, parseArcChallenges, parseArcTask } from "./tasks.ts";

export interface ArcSourceOptions {
  /** PREFIX_SUBSET_challenges.json (and ..._solutions.json), or the folders PREFIX/SUBSET with one JSON file per task. */
  readonly prefix: string;
  readonly subsets: readonly string[];
  /** The subset whose test pairs become the test split. */
  readonly testSet: string;
  readonly out: string;
  /** Rows and columns of the canvas; tasks with larger grids are left out. Default 30, as published, which holds every task. */
  readonly side?: number | undefined;
  /** Number of augmentations per task. Default 1000, as in the official builder. */
  readonly augment?: number | undefined;
  /** Default 42, as in the official builder. */
  readonly seed?: number | undefined;
  readonly onProgress?: BuildProgress | undefined;
}

/** @throws DatasetError for a missing or broken file; ConfigError for an invalid option; FileError */
export async function buildArcFiles(options: ArcSourceOptions): Promise<BuildReport> {
  const { prefix, subsets: names, testSet, out, side = ARC_SIDE, augment = 1000, seed = 42 } = options;
  const task = arcTaskOfSide(side);
  checkCount("augment", augment);
  if (augment > AUGMENTATIONS) {
    throw new ConfigError(`augment ${augment}, expected at most ${AUGMENTATIONS} (transforms and colours of a task)`);
  }
  if (!names.includes(testSet)) {
    throw new ConfigError(`test set ${testSet}, expected one of the subsets ${names.join(", ")}`);
  }
  const given = names.map((name) => loadArcSubset(prefix, name));
  const subsets = given.map((subset) => tasksThatFit(subset, side));
  const pairs = subsets
    .flatMap(({ tasks }) => [...tasks.values()])
    .reduce((sum, task) => sum + task.get("train")!.length, 0);
  checkSize(`augment ${augment}`, { examples: pairs * (augment + 1), cells: task.sequenceLength }, out);
  const files = new FileSet();
  try {
    const writers = { train: new SplitWriter(files, out, "train"), test: new SplitWriter(files, out, "test") };
    const builders = { train: new SplitBuilder(writers.train), test: new SplitBuilder(writers.test) };
    const built = await buildArc({
      subsets,
      side,
      testSet,
      augment,
      random: new Random(seed),
      builders,
      onProgress: (done, total) => options.onProgress?.("augmenting tasks", done / total),
    });
    if (built.testPuzzles.size === 0) {
      const fitting = side === ARC_SIDE ? "" : ` whose grids fit ${side}x${side}`;
      throw new DatasetError(`the test set ${testSet} has no tasks${fitting}, expected at least one`);
    }
    writeNames(files, out, built.identifiers, built.testPuzzles);
    writeTask(files, out, task);
    const identifierCount = built.identifiers.length;
    const { vocabularySize, sequenceLength } = task;
    const shape = { vocabularySize, sequenceLength, identifierCount };
    for (const split of ["train", "test"] as const) {
      writers[split].end(builders[split], splitMetadata(builders[split], shape));
    }
    files.finish();
    return {
      splits: (["train", "test"] as const).map((name) => reportOf(name, builders[name])),
      notes: [
        ...subsets.flatMap(({ name, tasks }, index) => leftOut(name, given[index]!.tasks.size - tasks.size, side)),
        ...built.short.map(
          ({ name, found }) => `task ${name}: found only ${found} different augmentations of ${augment}`,
        ),
        ...unknownNotes(subsets, testSet),
        ...leaks(subsets, testSet),
      ],
    };
  } catch (error) {
    files.abandon();
    throw error;
  }
}

/** Reads one subset of tasks. @throws DatasetError, FileError */
export function loadArcSubset(prefix: string, name: string): ArcSubset {
  const challenges = `${prefix}_${name}_challenges.json`;
  const folder = join(prefix, name);
  if (existsSync(challenges)) {
    const solutions = `${prefix}_${name}_solutions.json`;
    const read = (file: string) => ({ file, text: decodeText(readBytes(file), file) });
    const tasks = parseArcChallenges(read(challenges), existsSync(solutions) ? read(solutions) : undefined);
    return { name, tasks, fileOf: () => challenges };
  }
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new DatasetError(`neither ${challenges} nor a folder ${folder} exists`);
  }
  const tasks = new Map<string, ArcTask>();
  const files = new Map<string, string>();
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(isTaskFile).sort()) {
    const path = join(folder, file);
    const task = basename(file, ".json");
    if (tasks.has(task)) throw new DatasetError(`a second task of the name ${task}`, { file: path });
    tasks.set(task, parseArcTask(decodeText(readBytes(path), path), path));
    files.set(task, path);
  }
  if (tasks.size === 0) throw new DatasetError("no .json files", { file: folder });
  return { name, tasks, fileOf: (task) => files.get(task)! };
}

/** The tasks of a subset whose grids all fit the canvas. */
function tasksThatFit(subset: ArcSubset, side: number): ArcSubset {
  const fits = ({ rows, columns }: Grid): boolean => rows <= side && columns <= side;
  const fitting = [...subset.tasks].filter(([, task]) =>
    [...task.values()].flat().every(({ input, output }) => fits(input) && (output === undefined || fits(output))),
  );
  return { ...subset, tasks: new Map(fitting) };
}

/** A note about the tasks that do not fit the canvas. */
function leftOut(name: string, count: number, side: number): string[] {
  if (count === 0) return [];
  return [
    `${name}: ${count} ${count === 1 ? "task was" : "tasks were"} left out because a grid does not fit ${side}x${side}`,
  ];
}

/** Hidden files are skipped; macOS adds one named "._x.json" to every x.json in an archive. */
const isTaskFile = (file: string): boolean => file.endsWith(".json") && !basename(file).startsWith(".");

/** Notes about test pairs whose answer is unknown. */
function unknownNotes(subsets: readonly ArcSubset[], testSet: string): string[] {
  return subsets.flatMap(({ name, tasks }) => {
    const pairs = [...tasks.values()].flatMap((task) => task.get("test")!);
    const unknown = pairs.filter(({ output }) => output === undefined).length;
    if (unknown === 0) return [];
    const effect = name === testSet ? "they cannot be scored" : "they are not trained on";
    return [`${name}: the answers of ${unknown} of ${pairs.length} test pairs are unknown; ${effect}`];
  });
}

/** Notes about test tasks that occur in another subset too, where their test pairs are trained on. */
function leaks(subsets: readonly ArcSubset[], testSet: string): string[] {
  const tests = subsets.find(({ name }) => name === testSet)!.tasks;
  return subsets
    .filter(({ name }) => name !== testSet)
    .flatMap(({ name, tasks }) => [...tasks.keys()].filter((task) => tests.has(task)).map((task) => ({ name, task })))
    .map(({ name, task }) => `task ${quoted(task)} of the test set is in ${name} too: its test pairs are trained on`);
}
