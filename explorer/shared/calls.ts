// The calls that the page makes to a worker. Everything in them is plain data. docs/explorer.md says how to add one.
import type { PositionBasis, TraceFrame } from "trm-ts";
import type { backends, Place, rivals, trainTasks } from "./link.ts";
import type { Board, Machine } from "./models.ts";

export interface ModelFiles {
  readonly name: string;
  readonly config: string;
  readonly weights: ArrayBuffer;
  readonly basis: PositionBasis | null;
}

export interface BackendChoice {
  readonly backend: (typeof backends)[number];
  readonly threads: number;
}

/** A puzzle as tokens. */
export interface Puzzle {
  /** [L] */
  readonly question: readonly number[];
  /** [L] the answer; null if it is not known or not unique. */
  readonly truth: readonly number[] | null;
}

export interface TraceArgs {
  readonly puzzle: Puzzle;
  readonly steps: number;
}

export interface TraceResult {
  /** The answer that the cells are compared with. A maze may have several shortest paths: if the model found one, it is that one. */
  readonly truth: readonly number[] | null;
  readonly machine: Machine;
  readonly milliseconds: number;
}

/** The tensors around one update, with what the tape says about it. */
export interface Inspection {
  /** [P + L, D] the latent after the update */
  readonly values: Float32Array;
  /** [P + L, D] the gradient of the loss with respect to it; null off the tape. */
  readonly gradient: Float32Array | null;
  readonly positions: number;
  readonly width: number;
  /** P, the leading positions that hold no cell. */
  readonly slots: number;
  /** Operations that this update recorded, in order, with their shapes; empty off the tape. */
  readonly tape: readonly { readonly operation: string; readonly shape: readonly number[] }[];
  /** Entries on the tape of the whole step, from the embedding to the loss. */
  readonly tapeLength: number;
  readonly loss: number;
  readonly machine: Machine;
}

/** What an update did to every puzzle of a class. */
export interface ClassFrame extends Place {
  readonly latent: string;
  readonly onTape: boolean;
  /** [N] cells that differ from the answer */
  readonly wrong: Uint16Array;
  /** [N] root mean square of the change of the latent's numbers */
  readonly move: Float32Array;
}

export interface ClassResult {
  readonly machine: Machine;
  readonly milliseconds: number;
}

/** Answers to many puzzles, step by step. */
export interface Exam {
  /** [steps][N] 1 where the whole answer is correct, by the rule of the task if it has one. */
  readonly right: readonly Uint8Array[];
  readonly machine: Machine;
}

/** The answer of one rollout, which has noise on z. */
export interface Rollout {
  readonly tokens: readonly number[];
  readonly q: number;
  /** By the rule of the task if it has one, else by the known answer; null if there is neither. */
  readonly isRight: boolean | null;
}

export interface Rollouts {
  /** The prediction without noise. */
  readonly plain: Rollout;
  readonly rollouts: readonly Rollout[];
  /** Index of the rollout that is selected by the highest q, and by the most frequent answer. */
  readonly byQ: number;
  readonly byVote: number;
  readonly machine: Machine;
}

/** How a training is evaluated: with that many rollouts per puzzle beside the plain prediction; null for none. */
export type RolloutChoice = { readonly rollouts: number; readonly sigma: number } | null;

/** Unseen puzzles that are answered completely correctly with rollouts. */
export interface WithRollouts {
  readonly rollouts: number;
  readonly sigma: number;
  /** Without noise, with the answer of the highest q, and with that of any rollout (an oracle). */
  readonly plain: number;
  readonly byQ: number;
  readonly any: number;
}

export interface TrainSettings {
  readonly task: (typeof trainTasks)[number];
  readonly T: number;
  readonly n: number;
  readonly nSup: number;
  readonly width: number;
  readonly rate: number;
  readonly ema: number;
  readonly data: number;
  readonly seed: number;
  readonly variant: (typeof rivals)[number];
}

export interface TrainStarted {
  readonly parameters: number;
  /** Names of the latents that one latent recursion updates. */
  readonly updates: readonly string[];
  readonly T: number;
  readonly nSup: number;
  readonly machine: Machine;
  readonly board: Board;
  /** The unseen puzzles, as tokens. */
  readonly unseen: readonly Puzzle[];
  /** Training steps made before, in a checkpoint that was loaded. */
  readonly step: number;
  /** One line about the choice of the number of threads. */
  readonly choice: string;
  /** Whether the settings give the puzzles of the training: not after a checkpoint of the command line. */
  readonly hasItsData: boolean;
}

export interface TrainProgress {
  readonly step: number;
  /** Training time so far, without evaluations. */
  readonly seconds: number;
  /** Means since the last report. */
  readonly loss: number;
  readonly stepsPerSecond: number;
  /** Puzzles of the training that halted after 1, 2, ... supervision steps since the last report. */
  readonly halted: readonly number[];
  /** Kernel memory in use, in bytes. */
  readonly bytes: number;
  /** Unseen puzzles with the whole answer correct after every supervision step; null between evaluations. */
  readonly exact: readonly number[] | null;
  /** The same puzzles with rollouts; null between evaluations, or if none are asked for, or the model has no z. */
  readonly withRollouts: WithRollouts | null;
  readonly puzzles: number;
}

/** A recorded operation. */
export interface Entry {
  readonly operation: string;
  readonly shape: readonly number[];
  /** Indices of the entries that the inputs came from; "leaf" for a parameter, null for a constant. */
  readonly inputs: readonly (number | "leaf" | null)[];
}

export interface TapeOfStep {
  readonly entries: readonly (Entry & {
    /** The update that recorded it, such as "z 1", or "heads and loss". */
    readonly owner: string;
    /** Value and gradient in one line. */
    readonly equation: string;
    readonly isFused: boolean;
  })[];
  /** Number of entries without fused operations. */
  readonly unfused: number;
}

/** The definition of a fused operation, on a small example. */
export interface Unfolded {
  readonly inputs: readonly (readonly number[])[];
  readonly entries: readonly Entry[];
}

/** A gradient and difference quotients. */
export interface Nudge {
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly parameter: string;
  /** Index of the number within the parameter. */
  readonly entry: number;
  readonly value: number;
  /** The gradient that the tape gives: through the last cycle. */
  readonly analytic: number;
  readonly loss: number;
  /** (L(w + h) - L(w - h)) / 2h with the last cycle alone, and with all cycles of the step. */
  readonly quotients: readonly { readonly h: number; readonly last: number; readonly whole: number }[];
  readonly machine: Machine;
}

export type Calls = {
  /** Loads a model on a backend, for the calls below. */
  open: {
    args: { readonly files: ModelFiles; readonly choice: BackendChoice };
    progress: never;
    result: Machine;
  };
  /** Reads a puzzle in the text form of the task. Fails with the message of the task's parser. */
  read: { args: { readonly text: string }; progress: never; result: Puzzle };
  /** The trace of a puzzle; progress has the frames of one supervision step. */
  trace: { args: TraceArgs; progress: readonly TraceFrame[]; result: TraceResult };
  inspect: { args: { readonly puzzle: Puzzle; readonly at: Place }; progress: never; result: Inspection };
  /** A trace of many puzzles, in summaries; progress has the frames of one supervision step. */
  class: {
    args: { readonly puzzles: readonly Puzzle[]; readonly steps: number };
    progress: readonly ClassFrame[];
    result: ClassResult;
  };
  /** Answers many puzzles; progress is the number of finished steps. */
  exam: {
    args: { readonly puzzles: readonly Puzzle[]; readonly steps: number };
    progress: number;
    result: Exam;
  };
  /**
   * Answers a puzzle `count` times, with normal noise of standard deviation `sigma` on z before every supervision step. Progress is
   * the number of finished steps of all rollouts, of which the first is the prediction without noise.
   */
  rollouts: {
    args: { readonly puzzle: Puzzle; readonly steps: number; readonly sigma: number; readonly count: number };
    progress: number;
    result: Rollouts;
  };
  tape: { args: { readonly puzzle: Puzzle; readonly step: number }; progress: never; result: TapeOfStep };
  unfold: { args: { readonly operation: string }; progress: never; result: Unfolded };
  /** `entry` is the index of a number of the parameter; -1 for the one with the largest gradient. */
  nudge: {
    args: { readonly puzzle: Puzzle; readonly step: number; readonly parameter: string; readonly entry: number };
    progress: never;
    result: Nudge;
  };
  /** Starts a training, or continues a checkpoint. */
  begin: {
    args: {
      readonly settings: TrainSettings;
      readonly checkpoint: ReadonlyMap<string, Uint8Array> | null;
      /** Whether `settings` are those of the training that made the checkpoint, so that its position in the data is meaningful. */
      readonly hasItsData: boolean;
      /** Number of trainings that share the processor. */
      readonly share: number;
    };
    progress: string;
    result: TrainStarted;
  };
  /** Trains until the call is cancelled or `steps` are made. */
  train: {
    args: { readonly steps: number; readonly evaluation: RolloutChoice };
    progress: TrainProgress;
    result: TrainProgress | null;
  };
  /** A trace with the weights of this moment. */
  traceNow: { args: TraceArgs; progress: readonly TraceFrame[]; result: TraceResult };
  /** The files of a checkpoint, by name, as the command line stores them. */
  checkpoint: { args: null; progress: never; result: ReadonlyMap<string, Uint8Array> };
};
