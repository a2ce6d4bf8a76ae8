// Builds the official data set from ARC tasks: training pairs of every subset go to train, test pairs of the test subset to test, and
// test pairs of the other subsets to train as well.
//
// Every task is a group: the task itself, then different augmentations of it, which are the same in train and test. In train, all
// pairs of a puzzle except one are moved to random places of the canvas; in test, all stay at the top left.
import { DatasetError, quoted } from "../../formats/index.ts";
import type { Random } from "../../tensor/index.ts";
import type { Grid } from "../dihedral.ts";
import type { SplitName } from "../official-layout/layout.ts";
import type { SplitBuilder } from "../official-layout/split-builder.ts";
import { augmentedName, augmentGrid, parseAugmentedName, randomAugmentation } from "./augment.ts";
import { gridKey, gridToTokens } from "./grid.ts";
import type { ArcPair, ArcTask, ArcTasks } from "./tasks.ts";

/** Draws per augmentation after which a task is left with fewer (small tasks have few different ones). */
const DRAWS_PER_AUGMENTATION = 5;

const BLANK = "<blank>";

export interface ArcSubset {
  readonly name: string;
  readonly tasks: ArcTasks;
  /** The file that holds a task, for errors. */
  readonly fileOf: (task: string) => string;
}

export interface ArcBuildOptions {
  /** Their grids fit the canvas. */
  readonly subsets: readonly ArcSubset[];
  /** Rows and columns of the canvas. */
  readonly side: number;
  /** The subset whose test pairs are not trained on. */
  readonly testSet: string;
  /** Number of augmentations per task. */
  readonly augment: number;
  readonly random: Random;
  readonly builders: Readonly<Record<SplitName, SplitBuilder>>;
  /** Called after every task; may throw to stop. */
  readonly onProgress?: ((done: number, total: number) => void | Promise<void>) | undefined;
}

export interface ArcBuild {
  /** Names by identifier; 0 is "<blank>". */
  readonly identifiers: readonly string[];
  readonly testPuzzles: ArcTasks;
  /** Tasks with fewer different augmentations than requested. */
  readonly short: readonly { readonly name: string; readonly found: number }[];
}

/** Adds all tasks to the builders. @throws DatasetError if a task of the test subset has no pair for one of the splits */
export async function buildArc(options: ArcBuildOptions): Promise<ArcBuild> {
  const { subsets, side, testSet, augment, random, builders, onProgress } = options;
  const identifiers = new Map<string, number>();
  const testPuzzles = new Map<string, ArcTask>();
  const short: { name: string; found: number }[] = [];
  const total = subsets.reduce((sum, { tasks }) => sum + tasks.size, 0);
  let done = 0;
  for (const subset of subsets) {
    for (const [name, task] of subset.tasks) {
      if (parseAugmentedName(name).augmentation !== undefined) {
        throw new DatasetError(`task ${quoted(name)}: got the name of an augmented copy, expected one without "|||"`, {
          file: subset.fileOf(name),
        });
      }
      const splits = pairsOfSplits(task, subset.name === testSet);
      for (const [split, pairs] of splits) {
        if (pairs.length > 0) continue;
        throw new DatasetError(`task ${quoted(name)}: no pairs for the ${split} split, expected at least one`, {
          file: subset.fileOf(name),
        });
      }
      if (subset.name === testSet) testPuzzles.set(name, task);
      const puzzles = augmentations(name, splits, augment, random);
      if (puzzles.length <= augment) short.push({ name, found: puzzles.length - 1 });
      for (const puzzle of puzzles) {
        if (!identifiers.has(puzzle.name)) identifiers.set(puzzle.name, identifiers.size + 1);
        for (const [split, pairs] of puzzle.splits) {
          addPuzzle(builders[split], pairs, { side, isMoved: split === "train" }, random);
          builders[split].endPuzzle(identifiers.get(puzzle.name)!);
        }
      }
      for (const split of splits.keys()) builders[split].endGroup();
      await onProgress?.(++done, total);
    }
  }
  return { identifiers: [BLANK, ...identifiers.keys()], testPuzzles, short };
}

type SplitPairs = ReadonlyMap<SplitName, readonly ArcPair[]>;

interface NamedPuzzle {
  readonly name: string;
  readonly splits: SplitPairs;
}

/** Pairs without an answer are never trained on. */
function pairsOfSplits(task: ArcTask, isTestSet: boolean): SplitPairs {
  if (isTestSet) return task;
  return new Map([["train", [...task.values()].flat().filter(({ output }) => output !== undefined)]]);
}

/** The task itself, then different augmentations of it. */
function augmentations(name: string, splits: SplitPairs, count: number, random: Random): NamedPuzzle[] {
  const puzzles: NamedPuzzle[] = [{ name, splits }];
  const known = new Set([puzzleKey(splits)]);
  for (let draw = 0; draw < DRAWS_PER_AUGMENTATION * count && puzzles.length <= count; draw++) {
    const augmentation = randomAugmentation(random);
    const augmented = ({ input, output }: ArcPair): ArcPair => ({
      input: augmentGrid(augmentation, input),
      output: output && augmentGrid(augmentation, output),
    });
    const image = new Map([...splits].map(([split, pairs]) => [split, pairs.map(augmented)]));
    const key = puzzleKey(image);
    if (known.has(key)) continue;
    known.add(key);
    puzzles.push({ name: augmentedName(name, augmentation), splits: image });
  }
  return puzzles;
}

/** Equal for tasks with the same pairs in any order and any split. */
function puzzleKey(splits: SplitPairs): string {
  const pairs = [...splits.values()]
    .flat()
    .map(({ input, output }) => `${gridKey(input)}|${output ? gridKey(output) : "?"}`);
  return pairs.sort().join(" ");
}

interface Canvas {
  readonly side: number;
  /** Whether all pairs except one move to random places. */
  readonly isMoved: boolean;
}

function addPuzzle(builder: SplitBuilder, pairs: readonly ArcPair[], { side, isMoved }: Canvas, random: Random): void {
  const unmoved = random.integer(pairs.length);
  pairs.forEach(({ input, output }, index) => {
    const moves = isMoved && index !== unmoved;
    const rows = Math.max(input.rows, output?.rows ?? 0);
    const columns = Math.max(input.columns, output?.columns ?? 0);
    const top = moves ? random.integer(side - rows + 1) : 0;
    const left = moves ? random.integer(side - columns + 1) : 0;
    const tokens = (grid: Grid) => gridToTokens(grid, { side, top, left });
    // The labels of an unknown answer are padding, which counts neither for the loss nor for the accuracy.
    builder.addExample(tokens(input), output ? tokens(output) : new Uint8Array(side * side));
  });
}
