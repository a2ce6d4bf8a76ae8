/**
 * A model on the test split of an ARC data set: predictions of all augmented copies, voted as the official evaluator does; and,
 * to tell what the voting and the puzzle rows are worth, the score of the un-augmented copies alone, and of both with the
 * blank puzzle id in place of every puzzle's own.
 */
import { ConfigError, type Model, predictions } from "../../trm/index.ts";
import { ARC_LENGTH, type ArcScores, ArcVotes, OFFICIAL_KS, parseAugmentedName } from "../arc.ts";
import { openDataSplit } from "../official-layout/data-folder.node.ts";
import { ArcPredictionWriter, readArcNames, writeArcScores } from "./score.node.ts";

export interface ArcEvaluationOptions {
  /** Data set folder. */
  readonly data: string;
  /** Folder for the predictions, scores.json and submission.json. */
  readonly out: string;
  /** Supervision steps. */
  readonly nSup: number;
  readonly batchSize: number;
  readonly ks?: readonly number[] | undefined;
  readonly attempts?: number | undefined;
  readonly onProgress?: ((done: number, total: number) => void | Promise<void>) | undefined;
}

type PassAtK = ArcScores["scores"];

export interface ArcEvaluation {
  readonly predictions: number;
  /** Votes of all copies: the official score. */
  readonly voted: PassAtK;
  /** The un-augmented copy of every puzzle alone. */
  readonly singlePass: PassAtK;
  /** Both with puzzle id 0 for every puzzle; null for a model without puzzle rows, to which ids mean nothing. */
  readonly blankId: { readonly voted: PassAtK; readonly singlePass: PassAtK } | null;
}

/** @throws DatasetError for another data set; ConfigError if the model is for other puzzles. */
export async function evaluateArc(model: Model, options: ArcEvaluationOptions): Promise<ArcEvaluation> {
  const { data, out, nSup, batchSize, ks = OFFICIAL_KS, attempts = 2, onProgress } = options;
  const names = readArcNames(data);
  const source = openDataSplit(data, "test", model.config);
  const hasRows = model.puzzleEmbedding !== null;
  const rounds = hasRows ? 2 : 1;
  const { count } = source;
  let done = 0;

  const round = async (isBlank: boolean, writer: ArcPredictionWriter | null) => {
    const [voted, singlePass] = [new ArcVotes(names), new ArcVotes(names)];
    for (const { inputs, puzzleIds } of source.batches(batchSize)) {
      const asked = isBlank ? puzzleIds.map(() => names.blankIdentifier) : puzzleIds;
      const { tokens, qHalt } = await lastAnswer(model, inputs, asked, nSup);
      puzzleIds.forEach((id, slot) => {
        const row = (all: Int32Array) => all.subarray(slot * ARC_LENGTH, (slot + 1) * ARC_LENGTH);
        voted.add(id, row(inputs), row(tokens), qHalt[slot]!);
        if (parseAugmentedName(names.identifiers[id] ?? "").augmentation === undefined) {
          singlePass.add(id, row(inputs), row(tokens), qHalt[slot]!);
        }
        writer?.add(id, row(inputs), row(tokens), qHalt[slot]!);
      });
      done += puzzleIds.length;
      await onProgress?.(done, rounds * count);
    }
    return { voted: voted.result(ks, attempts), singlePass: singlePass.result(ks, attempts) };
  };

  const writer = new ArcPredictionWriter(out);
  try {
    const own = await round(false, writer);
    writer.finish();
    writeArcScores(out, own.voted);
    const blank = hasRows ? await round(true, null) : null;
    return {
      predictions: count,
      voted: own.voted.scores,
      singlePass: own.singlePass.scores,
      blankId: blank && { voted: blank.voted.scores, singlePass: blank.singlePass.scores },
    };
  } catch (error) {
    writer.abandon();
    throw error;
  } finally {
    source.close();
  }
}

async function lastAnswer(model: Model, inputs: Int32Array, puzzleIds: Int32Array, nSup: number) {
  for await (const { step, tokens, qHalt } of predictions(model, { inputs, puzzleIds }, nSup)) {
    if (step === nSup) return { tokens, qHalt };
  }
  throw new ConfigError(`${nSup} supervision steps, expected at least 1`);
}
