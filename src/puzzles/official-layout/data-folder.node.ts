/** A data set folder as a run uses it: does it fit the model, and what does it say of the configuration. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readBytes } from "../../formats/index.node.ts";
import { DatasetError, decodeText } from "../../formats/index.ts";
import type { ModelConfig } from "../../trm/index.ts";
import { openSplit } from "./layout.node.ts";
import { DATASET_JSON, parseMetadata, type SplitMetadata, type SplitName } from "./layout.ts";
import type { ExampleSource } from "./split-batches.ts";

/** What the configuration of a model takes from its data set. */
export const dataSettings = ({ vocabularySize, sequenceLength, identifierCount }: SplitMetadata) => ({
  vocabularySize,
  sequenceLength,
  puzzleIds: identifierCount,
});

export const hasTestSplit = (dir: string): boolean => existsSync(join(dir, "test", DATASET_JSON));

/** What the data set says of its puzzles. @throws DatasetError */
export function readDataMetadata(dir: string): SplitMetadata {
  checkIsThere(dir, "train");
  const file = join(dir, "train", DATASET_JSON);
  return parseMetadata(decodeText(readBytes(file), file), file);
}

/**
 * The examples of a split, left on disk.
 * @param model  refuses puzzles of another form than this model's
 * @throws DatasetError
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
  if (!existsSync(join(dir, split, DATASET_JSON))) {
    throw new DatasetError(`no ${split}/${DATASET_JSON} in it, expected a data set (trm data makes one)`, {
      file: dir,
    });
  }
}

function misfit(metadata: SplitMetadata, model: ModelConfig): string | undefined {
  const { vocabularySize, sequenceLength, puzzleIds } = dataSettings(metadata);
  if (sequenceLength !== model.sequenceLength || vocabularySize !== model.vocabularySize) {
    return `puzzles of ${sequenceLength} cells and ${vocabularySize} tokens, the model is for ${model.sequenceLength} and ${model.vocabularySize}`;
  }
  if (model.puzzleEmbeddingSize > 0 && puzzleIds > model.puzzleIds) {
    return `${puzzleIds} puzzle identifiers, the model has rows for ${model.puzzleIds}`;
  }
  return undefined;
}
