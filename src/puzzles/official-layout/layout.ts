// The official layout of a puzzle data set: the names of the files and their content, as bytes. layout.node.ts reads and writes disks.
//
//     identifiers.json                     the name of every puzzle identifier; identifier 0 is "<blank>"
//     test_puzzles.json                    only for ARC: the test tasks with their answers
//     train/dataset.json, test/dataset.json
//     train/all__inputs.npy, ...labels     [examples, L] tokens
//     train/all__puzzle_identifiers.npy    [puzzles]
//     train/all__puzzle_indices.npy        [puzzles + 1] puzzle p has the examples from [p] to [p + 1]
//     train/all__group_indices.npy         [groups + 1]  group g has the puzzles from [g] to [g + 1]
//
// A group is one puzzle with all its augmentations.
import * as z from "zod/mini";
import {
  DatasetError,
  decodeText,
  npyToInt32,
  parseJson,
  parseNpy,
  pythonFloat,
  pythonJson,
  quoted,
  serializeNpy,
  shortened,
} from "../../formats/index.ts";
import { expectFunction, expectInstance, expectObject, expectString, expectTokens } from "../../tensor/index.ts";
import { inEnglish, issueText } from "../../trm/index.ts";

export type SplitName = "train" | "test";

/** The content of dataset.json. */
export interface SplitMetadata {
  readonly padToken: number;
  /** Labels of this value are ignored; with null, no label is. */
  readonly ignoreLabel: number | null;
  readonly blankIdentifier: number;
  readonly vocabularySize: number;
  readonly sequenceLength: number;
  /** Number of puzzle identifiers, the blank one included. */
  readonly identifierCount: number;
  readonly groupCount: number;
  readonly meanPuzzleExamples: number;
  /** As the official builders count: the groups for Sudoku and mazes, the puzzles for ARC. */
  readonly puzzleCount: number;
  readonly sets: readonly string[];
}

/** The metadata that our data sets share with the official ones: padding 0, which is ignored as a label, and blank identifier 0. */
export function splitMetadata(
  counts: { readonly exampleCount: number; readonly puzzleCount: number; readonly groupCount: number },
  shape: Pick<SplitMetadata, "vocabularySize" | "sequenceLength" | "identifierCount">,
): SplitMetadata {
  const { exampleCount, puzzleCount, groupCount } = counts;
  return {
    padToken: 0,
    ignoreLabel: 0,
    blankIdentifier: 0,
    ...shape,
    groupCount,
    meanPuzzleExamples: puzzleCount === 0 ? 0 : exampleCount / puzzleCount,
    puzzleCount,
    sets: [SET],
  };
}

/** Assigns examples to puzzles and puzzles to groups. */
export interface SplitIndex {
  readonly puzzleIdentifiers: Int32Array;
  readonly puzzleIndices: Int32Array;
  readonly groupIndices: Int32Array;
}

/** One split in memory. */
export interface PuzzleSplit extends SplitIndex {
  readonly metadata: SplitMetadata;
  /** [examples, L] */
  readonly inputs: Uint8Array | Int32Array;
  /** [examples, L] */
  readonly labels: Uint8Array | Int32Array;
}

/** The only set that the official builders write. */
const SET = "all";
export const DATASET_JSON = "dataset.json";
export const IDENTIFIERS_JSON = "identifiers.json";
export const TEST_PUZZLES_JSON = "test_puzzles.json";

export type SplitField = "inputs" | "labels" | "puzzle_identifiers" | "puzzle_indices" | "group_indices";

export function splitFile(field: SplitField): string {
  return `${SET}__${field}.npy`;
}

/** The official names, in the order in which the official code writes them. */
const metadataSchema = z.object({
  pad_id: z.int().check(z.nonnegative()),
  ignore_label_id: z.nullable(z.int()),
  blank_identifier_id: z.int().check(z.nonnegative()),
  vocab_size: z.int().check(z.minimum(1)),
  seq_len: z.int().check(z.minimum(1)),
  num_puzzle_identifiers: z.int().check(z.minimum(1)),
  total_groups: z.int().check(z.nonnegative()),
  mean_puzzle_examples: z.number().check(z.nonnegative()),
  total_puzzles: z.int().check(z.nonnegative()),
  sets: z.array(z.string()),
});

/** Writes dataset.json as the official builders do, byte for byte. */
export function formatMetadata(metadata: SplitMetadata): string {
  const fields: [keyof z.infer<typeof metadataSchema>, string][] = [
    ["pad_id", pythonJson(metadata.padToken)],
    ["ignore_label_id", pythonJson(metadata.ignoreLabel)],
    ["blank_identifier_id", pythonJson(metadata.blankIdentifier)],
    ["vocab_size", pythonJson(metadata.vocabularySize)],
    ["seq_len", pythonJson(metadata.sequenceLength)],
    ["num_puzzle_identifiers", pythonJson(metadata.identifierCount)],
    ["total_groups", pythonJson(metadata.groupCount)],
    ["mean_puzzle_examples", pythonFloat(metadata.meanPuzzleExamples)],
    ["total_puzzles", pythonJson(metadata.puzzleCount)],
    ["sets", pythonJson(metadata.sets)],
  ];
  return `{${fields.map(([name, value]) => `"${name}": ${value}`).join(", ")}}`;
}

/** @throws DatasetError unless the text is a dataset.json with the only set "all" */
export function parseMetadata(text: string, where: string): SplitMetadata {
  const parsed = metadataSchema.safeParse(parseJson(text, where), inEnglish);
  if (!parsed.success) throw new DatasetError(shortened(issueText(parsed.error), 180), { file: where });
  const fields = parsed.data;
  if (fields.sets.length !== 1 || fields.sets[0] !== SET) {
    throw new DatasetError(`sets ${quoted(fields.sets)}, expected ["${SET}"]`, { file: where });
  }
  return {
    padToken: fields.pad_id,
    ignoreLabel: fields.ignore_label_id,
    blankIdentifier: fields.blank_identifier_id,
    vocabularySize: fields.vocab_size,
    sequenceLength: fields.seq_len,
    identifierCount: fields.num_puzzle_identifiers,
    groupCount: fields.total_groups,
    meanPuzzleExamples: fields.mean_puzzle_examples,
    puzzleCount: fields.total_puzzles,
    sets: fields.sets,
  };
}

/** Parses identifiers.json. @throws DatasetError */
export function parseIdentifiers(text: string, where: string = IDENTIFIERS_JSON): string[] {
  const names = parseJson(text, where);
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string")) {
    throw new DatasetError("expected a JSON array of names", { file: where });
  }
  return names;
}

/** @throws ArgumentError unless the value has the fields of a split, as arrays of numbers of the right types */
export function expectSplit(where: string, split: PuzzleSplit): void {
  const indices = ["puzzleIdentifiers", "puzzleIndices", "groupIndices"] as const;
  expectObject(where, "the split", split, ["metadata", "inputs", "labels", ...indices]);
  expectObject(where, "the metadata of the split", split.metadata, ["sequenceLength", "vocabularySize", "sets"]);
  for (const field of indices) expectTokens(where, field, split[field]);
  for (const field of ["inputs", "labels"] as const) {
    if (!(split[field] instanceof Uint8Array)) expectTokens(where, field, split[field]);
  }
}

/** The files of one split, by their names in its folder. @throws ArgumentError unless it is given a split */
export function encodeSplit(split: PuzzleSplit): Map<string, Uint8Array> {
  expectSplit("encodeSplit", split);
  const { sequenceLength } = split.metadata;
  const rows = split.inputs.length / sequenceLength;
  return new Map([
    [DATASET_JSON, new TextEncoder().encode(formatMetadata(split.metadata))],
    [splitFile("inputs"), serializeNpy(split.inputs, [rows, sequenceLength])],
    [splitFile("labels"), serializeNpy(split.labels, [rows, sequenceLength])],
    ...encodeIndex(split),
  ]);
}

/** The files of the index, one after the other, because all of them together may occupy gigabytes. */
export function* encodeIndex(index: SplitIndex): Generator<[name: string, bytes: Uint8Array]> {
  yield [splitFile("puzzle_identifiers"), serializeNpy(index.puzzleIdentifiers, [index.puzzleIdentifiers.length])];
  yield [splitFile("puzzle_indices"), serializeNpy(index.puzzleIndices, [index.puzzleIndices.length])];
  yield [splitFile("group_indices"), serializeNpy(index.groupIndices, [index.groupIndices.length])];
}

/**
 * Decodes one split from its files.
 * @param read returns a file of the folder of the split, or throws
 * @param where name of the folder for errors
 * @throws DatasetError if a file is broken or the files do not match
 */
export function decodeSplit(read: (name: string) => Uint8Array, where: string): PuzzleSplit {
  expectFunction("decodeSplit", "read", read);
  expectString("decodeSplit", "where", where);
  const bytesOf = (name: string): Uint8Array => {
    const bytes = read(name);
    expectInstance("decodeSplit", `the contents of ${name}`, bytes, Uint8Array);
    return bytes;
  };
  const metadata = parseMetadata(
    decodeText(bytesOf(DATASET_JSON), `${where}/${DATASET_JSON}`),
    `${where}/${DATASET_JSON}`,
  );
  const array = (field: SplitField) => {
    const file = `${where}/${splitFile(field)}`;
    return { file, ...parseNpy(bytesOf(splitFile(field)), file) };
  };
  const tokens = (field: "inputs" | "labels") => {
    const { file, shape, data, dtype } = array(field);
    checkTokenShape(shape, metadata, file);
    const values = data instanceof Uint8Array ? data : npyToInt32({ shape, data, dtype }, file);
    checkTokens(values, field === "inputs" ? { ...metadata, ignoreLabel: null } : metadata, file);
    return values;
  };
  const column = (field: SplitField) => {
    const { file, ...rest } = array(field);
    if (rest.shape.length !== 1) throw new DatasetError(`${rest.shape.length} axes, expected one`, { file });
    return npyToInt32(rest, file);
  };
  const split: PuzzleSplit = {
    metadata,
    inputs: tokens("inputs"),
    labels: tokens("labels"),
    puzzleIdentifiers: column("puzzle_identifiers"),
    puzzleIndices: column("puzzle_indices"),
    groupIndices: column("group_indices"),
  };
  if (split.inputs.length !== split.labels.length) {
    throw new DatasetError("inputs and labels have different numbers of examples", { file: where });
  }
  checkIndex(split, metadata, split.inputs.length / metadata.sequenceLength, where);
  return split;
}

export function checkTokenShape(shape: readonly number[], { sequenceLength }: SplitMetadata, file: string): void {
  if (shape.length !== 2 || shape[1] !== sequenceLength) {
    throw new DatasetError(`shape [${shape.join(", ")}], expected [examples, ${sequenceLength}]`, { file });
  }
}

/** What `checkTokens` compares tokens with. A task has no label that is ignored outside its vocabulary. */
type TokenRange = Pick<SplitMetadata, "vocabularySize" | "sequenceLength"> & { readonly ignoreLabel?: number | null };

/** @throws DatasetError for a token that is neither in the vocabulary nor the label that is ignored */
export function checkTokens(
  tokens: ArrayLike<number>,
  { vocabularySize, sequenceLength, ignoreLabel }: TokenRange,
  file: string,
  firstExample = 0,
): void {
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!;
    if ((token >= 0 && token < vocabularySize) || token === ignoreLabel) continue;
    const example = firstExample + Math.floor(at / sequenceLength);
    throw new DatasetError(`token ${token} in example ${example}, expected 0 to ${vocabularySize - 1}`, { file });
  }
}

/** @throws DatasetError unless the groups cover all puzzles, the puzzles cover all examples, and all identifiers exist */
function checkIndex(index: SplitIndex, metadata: SplitMetadata, examples: number, where: string): void {
  const { puzzleIdentifiers, puzzleIndices, groupIndices } = index;
  checkBoundaries(puzzleIndices, examples, `${where}/${splitFile("puzzle_indices")}`, "examples");
  checkBoundaries(groupIndices, puzzleIndices.length - 1, `${where}/${splitFile("group_indices")}`, "puzzles");
  const file = `${where}/${splitFile("puzzle_identifiers")}`;
  if (puzzleIdentifiers.length !== puzzleIndices.length - 1) {
    throw new DatasetError(`${puzzleIdentifiers.length} puzzles, expected ${puzzleIndices.length - 1}`, { file });
  }
  const wrong = puzzleIdentifiers.findIndex((id) => id < 0 || id >= metadata.identifierCount);
  if (wrong >= 0) {
    throw new DatasetError(
      `identifier ${puzzleIdentifiers[wrong]} of puzzle ${wrong}, expected 0 to ${metadata.identifierCount - 1}`,
      { file },
    );
  }
}

/** Checks that boundaries rise strictly from 0 to the total. @throws DatasetError */
export function checkBoundaries(boundaries: ArrayLike<number>, total: number, file: string, of: string): void {
  const problem = boundaryProblem(boundaries.length, total, of);
  if (boundaries.length === 0) throw new DatasetError("the column is empty, expected at least the number 0", { file });
  for (let at = 0; at < boundaries.length; at++) {
    const found = problem(boundaries[at]!, at);
    if (found !== undefined) throw new DatasetError(found, { file });
  }
}

/** The same check for a column that is read piece by piece. The result is called with every number, in order. */
export function boundaryProblem(length: number, total: number, of: string) {
  let previous = -1;
  return (value: number, at: number): string | undefined => {
    if (at === 0 ? value !== 0 : value <= previous) {
      return `${value} at ${at}, expected ${at === 0 ? "0" : `at least ${previous + 1}`}`;
    }
    previous = value;
    return at === length - 1 && value !== total
      ? `the column ends at ${value}, expected ${total} (all ${of})`
      : undefined;
  };
}
