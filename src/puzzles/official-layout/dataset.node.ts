// A data set in the official layout as one object, and how to write one from examples. Beside the official files, task.json keeps the
// symbols of a grid task or the canvas of ARC; the official code does not read it.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { FileSet, readBytes } from "../../formats/index.node.ts";
import { DatasetError, decodeText, parseJson } from "../../formats/index.ts";
import { expectObject, expectString, expectWhole, Random } from "../../tensor/index.ts";
import { type Examples, expectExamples, inEnglish, issueText, type Task } from "../../trm/index.ts";
import { choiceOf, type TaskChoice, taskChoiceSchema, taskOf, taskOfData } from "../named-task.ts";
import { hasTestSplit, openDataSplit, readDataMetadata } from "./data-folder.node.ts";
import { identifierNames, storedLabels, toSplit } from "./examples.ts";
import { readIdentifiers, writeNames } from "./layout.node.ts";
import { checkTokens, encodeSplit, IDENTIFIERS_JSON, type SplitName, splitFile } from "./layout.ts";
import type { ExampleSource } from "./split-batches.ts";

const TASK_JSON = "task.json";

/** A data set on the disk, opened. */
export interface Dataset {
  readonly folder: string;
  /**
   * Reads and draws the puzzles. The symbols of a grid and the canvas of ARC are those of task.json; without that file the task is
   * recognised by its sizes.
   */
  readonly task: Task;
  /** The training split, which stays on the disk: `new SplitBatches(train, { seed })` draws batches from it. */
  readonly train: ExampleSource;
  /** The test split, which `evaluate` takes; null if there is none. `pickExamples(test, 100)` reads examples into memory. */
  readonly test: ExampleSource | null;
  /** The names of the puzzle ids. */
  readonly identifiers: readonly string[];
  /** Closes the files. */
  close(): void;
}

/** Opens a data set in the official layout, ours or an official one. @throws DatasetError, FileError */
export function openDataset(folder: string): Dataset {
  expectString("openDataset", "the folder", folder);
  const task = taskOf(readDataTask(folder));
  const identifiers = existsSync(join(folder, IDENTIFIERS_JSON)) ? readIdentifiers(folder) : identifierNames;
  const train = openDataSplit(folder, "train");
  try {
    const test = hasTestSplit(folder) ? openDataSplit(folder, "test") : null;
    return {
      folder,
      task,
      train,
      test,
      identifiers,
      close() {
        train.close();
        test?.close();
      },
    };
  } catch (error) {
    train.close();
    throw error;
  }
}

/** The task of a data set. @throws DatasetError, FileError */
export function readDataTask(folder: string): TaskChoice {
  const metadata = readDataMetadata(folder);
  const file = join(folder, TASK_JSON);
  if (!existsSync(file)) return taskOfData(metadata);
  const parsed = taskChoiceSchema.safeParse(parseJson(decodeText(readBytes(file), file), file), inEnglish);
  if (!parsed.success) throw new DatasetError(issueText(parsed.error), { file });
  const { sequenceLength, vocabularySize } = taskIn(parsed.data, file);
  if (sequenceLength !== metadata.sequenceLength || vocabularySize !== metadata.vocabularySize) {
    throw new DatasetError(
      `${sequenceLength} cells and ${vocabularySize} tokens, expected ${metadata.sequenceLength} and ${metadata.vocabularySize} as in the data`,
      { file },
    );
  }
  const { module: _, ...choice } = parsed.data; // data cannot name a program to run
  return choice;
}

/**
 * Writes task.json, unless the task is recognised by the sizes of its data. The file of an earlier data set in the folder is replaced.
 * @throws FileError
 */
export function writeTask(files: FileSet, folder: string, task: Task): void {
  const path = join(folder, TASK_JSON);
  const text = JSON.stringify(choiceOf(task));
  if (text !== JSON.stringify(taskOfData(task)) || existsSync(path)) files.write(path, `${text}\n`);
}

/** @throws DatasetError for an invalid definition */
function taskIn(choice: TaskChoice, file: string): Task {
  try {
    return taskOf(choice);
  } catch (error) {
    throw new DatasetError((error as Error).message, { file });
  }
}

/** What `writeDataset` writes. */
export interface DatasetContents {
  readonly task: Task;
  readonly train: Examples;
  readonly test?: Examples | undefined;
  /** Random images of every training puzzle under the symmetries of the task, stored as its augmented copies. Default 0. */
  readonly copies?: number | undefined;
  /** Seed of the copies. Default 0. */
  readonly seed?: number | undefined;
}

/**
 * Writes examples as a data set for `trm train --data`, `openDataset` and the official code. The files appear together; those of an
 * earlier data set in the folder are replaced.
 *
 * @throws DatasetError for examples that the layout cannot hold, or if a test split would be left over; FileError
 */
export function writeDataset(folder: string, contents: DatasetContents): void {
  expectString("writeDataset", "the folder", folder);
  expectObject("writeDataset", "the contents", contents, ["task", "train"]);
  const { task, train, test, copies = 0, seed = 0 } = contents;
  expectObject("writeDataset", "the task", task, ["name", "sequenceLength", "vocabularySize", "augment"]);
  expectExamples("writeDataset", train);
  if (test) expectExamples("writeDataset", test);
  expectWhole("writeDataset", "the number of copies", copies, 0);
  expectWhole("writeDataset", "the seed", seed, Number.MIN_SAFE_INTEGER);
  if (!test && hasTestSplit(folder)) {
    throw new DatasetError("exists already, expected test examples to replace it", { file: join(folder, "test") });
  }
  const files = new FileSet();
  const random = new Random(seed);
  const write = (name: SplitName, examples: Examples, images: number): void => {
    checkExamples(examples, task, join(folder, name));
    for (const [file, bytes] of encodeSplit(toSplit(examples, task, images, random))) {
      files.write(join(folder, name, file), bytes);
    }
  };
  try {
    write("train", train, copies);
    if (test) write("test", test, 0);
    writeNames(files, folder, identifierNames);
    writeTask(files, folder, task);
    files.finish();
  } catch (error) {
    files.abandon();
    throw error;
  }
}

/** @throws DatasetError for examples that `toSplit` cannot represent */
function checkExamples(examples: Examples, task: Task, file: string): void {
  const { count, length, inputs, labels, puzzleIds, ignoreLabel = 0 } = examples;
  const refuse = (problem: string): never => {
    throw new DatasetError(problem, { file });
  };
  if (count === 0) refuse("got no examples, expected at least one");
  if (length !== task.sequenceLength)
    refuse(`got examples of ${length} cells, ${task.name} has ${task.sequenceLength}`);
  if (task.vocabularySize > 256) refuse(`got ${task.vocabularySize} tokens, expected at most 256`);
  if (puzzleIds?.some((id) => id !== 0)) refuse("got puzzle ids, expected examples without");
  if (ignoreLabel !== 0) refuse(`got ignoreLabel ${ignoreLabel}, expected 0`);
  checkTokens(inputs, task, join(file, splitFile("inputs")));
  checkTokens(storedLabels(labels), task, join(file, splitFile("labels")));
}
