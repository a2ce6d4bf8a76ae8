// Converts examples in memory to a split of the official layout, and back. `encodeSplit` then gives the files. A group is a puzzle
// followed by its augmented copies; every puzzle has the blank identifier.
import { DatasetError } from "../../formats/index.ts";
import { expectInstance, expectObject, expectWhole, Random } from "../../tensor/index.ts";
import { type Examples, expectExamples, type Task, type TokenPair } from "../../trm/index.ts";
import { checkTokens, expectSplit, type PuzzleSplit, splitMetadata } from "./layout.ts";
import { MemorySink, SplitBuilder } from "./split-builder.ts";

/** The names of the identifiers of such a data set, for identifiers.json. */
export const identifierNames: readonly string[] = ["<blank>"];

/**
 * Puts examples into the official layout, with `copies` augmentations of every puzzle.
 *
 * @param copies number of random images of every puzzle, all different; fewer if there are not as many
 * @throws DatasetError for a vocabulary of more than 256 tokens, because a token is one byte, and for a token outside the vocabulary
 */
export function toSplit(examples: Examples, task: Task, copies = 0, random = new Random(0)): PuzzleSplit {
  expectExamples("toSplit", examples);
  expectObject("toSplit", "the task", task, ["sequenceLength", "vocabularySize", "augment"]);
  expectWhole("toSplit", "the number of copies", copies, 0);
  expectInstance("toSplit", "random", random, Random);
  const steps = splitInSteps(examples, task, copies, random);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The work of `toSplit`, which may take long with many copies. After every example it yields the share that is done, 0 to 1. */
export function* splitInSteps(
  examples: Examples,
  task: Task,
  copies: number,
  random: Random,
): Generator<number, PuzzleSplit> {
  const { vocabularySize, sequenceLength } = task;
  if (vocabularySize > 256) throw new DatasetError(`toSplit: got ${vocabularySize} tokens, expected at most 256`);
  const { count, length, inputs, labels } = examples;
  const sink = new MemorySink();
  const builder = new SplitBuilder(sink);
  for (let i = 0; i < count; i++) {
    const question = inputs.slice(i * length, (i + 1) * length);
    const answer = labels.slice(i * length, (i + 1) * length);
    let added = 0;
    for (const image of images(question, answer, task, copies, random)) {
      const stored = storedLabels(image.answer);
      checkTokens(image.question, task, "toSplit: inputs", i);
      checkTokens(stored, task, "toSplit: labels", i);
      builder.addExample(Uint8Array.from(image.question), Uint8Array.from(stored));
      builder.endPuzzle(0);
      yield (i + ++added / (copies + 1)) / count;
    }
    builder.endGroup();
  }
  const metadata = splitMetadata(builder, { vocabularySize, sequenceLength, identifierCount: 1 });
  return sink.finish(builder, { ...metadata, puzzleCount: count }); // groups, as in the official Sudoku builder
}

/** Labels as the layout stores them: those that are ignored are 0, not negative. */
export const storedLabels = (labels: Int32Array): Int32Array => labels.map((label) => Math.max(0, label));

/** After this many draws in a row without a new image, a puzzle is assumed to have no more. */
const MAX_FRUITLESS = 50;

/** A puzzle and up to `count` random images of it, all different. */
function* images(
  question: Int32Array,
  answer: Int32Array,
  task: Task,
  count: number,
  random: Random,
): Generator<TokenPair> {
  yield { question, answer };
  const known = new Set([question.join()]);
  for (let fruitless = 0; known.size <= count && fruitless < MAX_FRUITLESS; fruitless++) {
    const image = task.augment(question, answer, random);
    if (known.has(image.question.join())) continue;
    known.add(image.question.join());
    yield image;
    fruitless = 0;
  }
}

/** The examples of the first puzzle of every group, which leaves augmented copies out. */
export function toExamples(split: PuzzleSplit): Examples {
  expectSplit("toExamples", split);
  const { sequenceLength: length, ignoreLabel } = split.metadata;
  const rows: number[] = [];
  for (let group = 0; group + 1 < split.groupIndices.length; group++) {
    const puzzle = split.groupIndices[group]!;
    for (let row = split.puzzleIndices[puzzle]!; row < split.puzzleIndices[puzzle + 1]!; row++) rows.push(row);
  }
  const pick = (tokens: Uint8Array | Int32Array): Int32Array => {
    const picked = new Int32Array(rows.length * length);
    rows.forEach((row, i) => {
      picked.set(tokens.subarray(row * length, (row + 1) * length), i * length);
    });
    return picked;
  };
  const examples = { count: rows.length, length, inputs: pick(split.inputs), labels: pick(split.labels) };
  return ignoreLabel === 0 ? examples : { ...examples, ignoreLabel };
}
