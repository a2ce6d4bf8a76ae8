/**
 * Turns ARC tasks into the official data set: training pairs of every subset go to train, test pairs of the test subset
 * to test, test pairs of other subsets to train as well.
 *
 * Every task is a group: the task itself, then different augmentations of it, the same ones in train and test. In train
 * the pairs are moved to random places of the canvas, all but one pair of every puzzle; in test all stay at the top left.
 */

import { DatasetError, quoted } from "../../formats/index.ts";
import type { Random } from "../../tensor/index.ts";
import type { SplitName } from "../official-layout/layout.ts";
import type { SplitBuilder } from "../official-layout/split-builder.ts";
import { augmentedName, augmentGrid, randomAugmentation } from "./augment.ts";
import { ARC_SIDE, gridKey, gridToTokens } from "./grid.ts";
import type { ArcPair, ArcTask, ArcTasks } from "./tasks.ts";

/** Draws per wanted augmentation before a task goes without the rest (small tasks have few different ones). */
const DRAWS_PER_AUGMENTATION = 5;

const BLANK = "<blank>";

export interface ArcSubset {
  readonly name: string;
  readonly tasks: ArcTasks;
}

export interface ArcBuildOptions {
  readonly subsets: readonly ArcSubset[];
  /** The subset whose test pairs are not trained on. */
  readonly testSet: string;
  /** Augmentations per task. */
  readonly augment: number;
  readonly random: Random;
  readonly builders: Readonly<Record<SplitName, SplitBuilder>>;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface ArcBuild {
  /** Names by identifier; 0 is "<blank>". */
  readonly identifiers: readonly string[];
  readonly testPuzzles: ArcTasks;
  /** Tasks that have fewer different augmentations than asked. */
  readonly short: readonly { readonly name: string; readonly found: number }[];
}

/** Feeds the builders. @throws DatasetError if a task of the test subset has no pair for one of the splits. */
export function buildArc(options: ArcBuildOptions): ArcBuild {
  const { subsets, testSet, augment, random, builders, onProgress } = options;
  const identifiers = new Map<string, number>();
  const testPuzzles = new Map<string, ArcTask>();
  const short: { name: string; found: number }[] = [];
  const total = subsets.reduce((sum, { tasks }) => sum + tasks.size, 0);
  let done = 0;
  for (const subset of subsets) {
    for (const [name, task] of subset.tasks) {
      const splits = assign(task, subset.name === testSet);
      for (const [split, pairs] of splits) {
        if (pairs.length === 0) throw new DatasetError(`task ${quoted(name)}: no pairs for the ${split} split`);
      }
      if (subset.name === testSet) testPuzzles.set(name, task);
      const puzzles = augmentations(name, splits, augment, random);
      if (puzzles.length <= augment) short.push({ name, found: puzzles.length - 1 });
      for (const puzzle of puzzles) {
        if (!identifiers.has(puzzle.name)) identifiers.set(puzzle.name, identifiers.size + 1);
        for (const [split, pairs] of puzzle.splits) {
          addPuzzle(builders[split], pairs, split === "train", random);
          builders[split].endPuzzle(identifiers.get(puzzle.name)!);
        }
      }
      for (const split of splits.keys()) builders[split].endGroup();
      onProgress?.(++done, total);
    }
  }
  return { identifiers: [BLANK, ...identifiers.keys()], testPuzzles, short };
}

type SplitPairs = ReadonlyMap<SplitName, readonly ArcPair[]>;

interface NamedPuzzle {
  readonly name: string;
  readonly splits: SplitPairs;
}

function assign(task: ArcTask, isTestSet: boolean): SplitPairs {
  if (isTestSet) return task;
  return new Map([["train", [...task.values()].flat()]]);
}

/** The task itself, then different augmentations of it. */
function augmentations(name: string, splits: SplitPairs, wanted: number, random: Random): NamedPuzzle[] {
  const puzzles: NamedPuzzle[] = [{ name, splits }];
  const known = new Set([puzzleKey(splits)]);
  for (let draw = 0; draw < DRAWS_PER_AUGMENTATION * wanted && puzzles.length <= wanted; draw++) {
    const augmentation = randomAugmentation(random);
    const turn = ({ input, output }: ArcPair) => ({
      input: augmentGrid(augmentation, input),
      output: augmentGrid(augmentation, output),
    });
    const turned = new Map([...splits].map(([split, pairs]) => [split, pairs.map(turn)]));
    const key = puzzleKey(turned);
    if (known.has(key)) continue;
    known.add(key);
    puzzles.push({ name: augmentedName(name, augmentation), splits: turned });
  }
  return puzzles;
}

/** Equal for tasks with the same pairs, in whatever order and split. */
function puzzleKey(splits: SplitPairs): string {
  const pairs = [...splits.values()].flat().map(({ input, output }) => `${gridKey(input)}|${gridKey(output)}`);
  return pairs.sort().join(" ");
}

function addPuzzle(builder: SplitBuilder, pairs: readonly ArcPair[], move: boolean, random: Random): void {
  const unmoved = random.integer(pairs.length);
  pairs.forEach(({ input, output }, index) => {
    const moved = move && index !== unmoved;
    const top = moved ? random.integer(ARC_SIDE - Math.max(input.rows, output.rows) + 1) : 0;
    const left = moved ? random.integer(ARC_SIDE - Math.max(input.columns, output.columns) + 1) : 0;
    builder.addExample(gridToTokens(input, top, left), gridToTokens(output, top, left));
  });
}
