// Evaluates a model on the test split of an ARC data set: it predicts all augmented copies, which vote as in the official evaluator.
// To show what the votes and the puzzle rows contribute, the same is scored for the copies that are not augmented alone, and both
// again with the blank puzzle id in place of all others.
import {
  answersOf,
  ConfigError,
  type Model,
  predictions,
  predictRollouts,
  type Question,
  type RolloutOptions,
  type RolloutSelection,
  type RolloutSettings,
  selectRollout,
} from "../../trm/index.ts";
import { openDataSplit } from "../official-layout/data-folder.node.ts";
import { parseAugmentedName } from "./augment.ts";
import { ArcPredictionWriter, readArcNames, writeArcScores } from "./score.node.ts";
import { type ArcScores, ArcVotes, OFFICIAL_KS } from "./vote.ts";

export interface ArcEvaluationOptions {
  /** Folder of the data set. */
  readonly data: string;
  /** Folder for the predictions, scores.json and submission.json. */
  readonly out: string;
  /** Number of supervision steps. */
  readonly nSup: number;
  readonly batchSize: number;
  readonly ks?: readonly number[] | undefined;
  readonly attempts?: number | undefined;
  /** Answers every copy by rollouts, and lets the selected answer vote. */
  readonly rollouts?: ArcRollouts | undefined;
  /** May throw to stop. No file is left then, except in the second round (blank puzzle ids), before which all files are complete. */
  readonly onProgress?: ((done: number, total: number) => void | Promise<void>) | undefined;
}

type ArcRollouts = RolloutSettings & { readonly select: RolloutSelection };

type PassAtK = ArcScores["scores"];

export interface ArcEvaluation {
  readonly predictions: number;
  /** The test pairs whose answers are unknown, and which no score includes. */
  readonly pairs: ArcScores["pairs"];
  /** All copies vote: the official score. */
  readonly voted: PassAtK;
  /** The copy of every puzzle that is not augmented, alone. */
  readonly singlePass: PassAtK;
  /** Both with puzzle id 0 for every puzzle; null for a model without puzzle rows, to which ids mean nothing. */
  readonly blankId: { readonly voted: PassAtK; readonly singlePass: PassAtK } | null;
}

// DEVIATION: ARC votes — the official code lets the predictions of all evaluations of a run vote together; here those of one vote,
// and `trm arc-score` joins the predictions of several.
/** @throws DatasetError for another data set; ConfigError if the model does not fit it; FileError */
export async function evaluateArc(model: Model, options: ArcEvaluationOptions): Promise<ArcEvaluation> {
  const { data, out, nSup, batchSize, ks = OFFICIAL_KS, attempts = 2, rollouts, onProgress } = options;
  const names = readArcNames(data);
  const source = openDataSplit(data, "test", model.config);
  const { sequenceLength } = names;
  const hasRows = model.puzzleEmbedding !== null;
  const rounds = hasRows ? 2 : 1;
  const { count } = source;
  let done = 0;

  const round = async (isBlank: boolean, writer: ArcPredictionWriter | null) => {
    const voted = new ArcVotes(names);
    const singlePass = new ArcVotes(names);
    let firstPuzzle = 0;
    for (const { inputs, puzzleIds } of source.batches(batchSize)) {
      const modelIds = isBlank ? puzzleIds.map(() => names.blankIdentifier) : puzzleIds;
      const onStep = () => onProgress?.(done, rounds * count);
      const question = { inputs, puzzleIds: modelIds };
      const { tokens, qHalt } = rollouts
        ? await selectedAnswer(model, question, { ...rollouts, steps: nSup, firstPuzzle, onStep })
        : await lastAnswer(model, question, { nSup, firstPuzzle, onStep });
      firstPuzzle += puzzleIds.length;
      puzzleIds.forEach((id, slot) => {
        const row = (all: Int32Array) => all.subarray(slot * sequenceLength, (slot + 1) * sequenceLength);
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

  const writer = new ArcPredictionWriter(out, sequenceLength);
  try {
    const own = await round(false, writer);
    writer.finish();
    writeArcScores(out, own.voted);
    const blank = hasRows ? await round(true, null) : null;
    return {
      predictions: count,
      pairs: own.voted.pairs,
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

/** The answer of every copy that the rollouts select, with its q. */
async function selectedAnswer(model: Model, question: Question, options: RolloutOptions & ArcRollouts) {
  const made = await predictRollouts(model, question, options);
  const { tokens, qHalt } = structuredClone(made[0]!);
  const { sequenceLength } = model.config;
  qHalt.forEach((_, slot) => {
    const answers = answersOf(made, slot, sequenceLength);
    const chosen = answers[selectRollout(answers, options.select)]!;
    tokens.set(chosen.tokens, slot * sequenceLength);
    qHalt[slot] = chosen.q;
  });
  return { tokens, qHalt };
}

interface LastAnswerOptions {
  readonly nSup: number;
  /** Number of the first puzzle of the batch, from which random starts and path noise are drawn. */
  readonly firstPuzzle: number;
  /** Awaited after every supervision step, because a batch of a large model takes minutes. */
  readonly onStep: () => void | Promise<void>;
}

async function lastAnswer(model: Model, question: Question, { nSup, firstPuzzle, onStep }: LastAnswerOptions) {
  for await (const { step, tokens, qHalt } of predictions(model, question, nSup, { firstPuzzle })) {
    if (step === nSup) return { tokens, qHalt };
    await onStep();
  }
  throw new ConfigError(`${nSup} supervision steps, expected at least 1`);
}
