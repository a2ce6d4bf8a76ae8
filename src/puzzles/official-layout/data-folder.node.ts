// The folder of a data set as a run uses it: checks that it fits the model, and determines parts of the configuration.
import { join } from "node:path";
import { readBytes } from "../../formats/index.node.ts";
import { DatasetError, decodeText } from "../../formats/index.ts";
import type { ModelConfig } from "../../trm/index.ts";
import { hasSplit, openSplit } from "./layout.node.ts";
import { DATASET_JSON, parseMetadata, type SplitMetadata, type SplitName } from "./layout.ts";
import type { ExampleSource } from "./split-batches.ts";

/** The settings of a model that its data set determines. */
export const dataSettings = ({ vocabularySize, sequenceLength, identifierCount }: SplitMetadata) => ({
  vocabularySize,
  sequenceLength,
  puzzleIds: identifierCount,
});

export const hasTestSplit = (dir: string): boolean => hasSplit(dir, "test");

/** Reads the metadata of a data set. @throws DatasetError, FileError */
export function readDataMetadata(dir: string): SplitMetadata {
  checkIsThere(dir, "train");
  const file = join(dir, "train", DATASET_JSON);
  return parseMetadata(decodeText(readBytes(file), file), file);
}

/**
 * Opens a split of a data set, which stays on disk.
 * @param model if given, puzzles of another size or vocabulary are refused
 * @throws DatasetError, FileError
 */
export function openDataSplit(dir: string, split: SplitName, model?: ModelConfig): ExampleSource {
  checkIsThere(dir, split);
  const source = openSplit(dir, split);
  const problem = model && misfit(source.metadata, model);
  if (problem === undefined) return source;
  source.close();
  throw new DatasetError(problem, { file: join(dir, split) });
}

function checkIsThere(dir: string, split: SplitName): void {
  if (!hasSplit(dir, split)) {
    throw new DatasetError(`no ${split}/${DATASET_JSON}, expected a data set as trm data writes it`, {
      file: dir,
    });
  }
}

function misfit(metadata: SplitMetadata, model: ModelConfig): string | undefined {
  const { vocabularySize, sequenceLength, puzzleIds } = dataSettings(metadata);
  if (sequenceLength !== model.sequenceLength || vocabularySize !== model.vocabularySize) {
    return `puzzles of ${sequenceLength} cells and ${vocabularySize} tokens, expected ${model.sequenceLength} and ${model.vocabularySize} as in the model`;
  }
  if (model.puzzleEmbeddingSize > 0 && puzzleIds > model.puzzleIds) {
    return `${puzzleIds} puzzle identifiers, expected at most the ${model.puzzleIds} of the model`;
  }
  return undefined;
}
