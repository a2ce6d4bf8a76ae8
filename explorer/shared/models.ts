// What the build knows about the models that the page offers, and about a puzzle.
import type { PositionBasis } from "trm-ts";

/** How the tokens of a task are drawn. */
export interface Board {
  readonly kind: "sudoku" | "maze" | "grid";
  readonly rows: number;
  readonly columns: number;
  /** The symbol of every token; token 0 is padding. */
  readonly symbols: readonly string[];
}

/** An exact count of solved puzzles, for an accuracy with its interval. */
export interface Measured {
  /** Puzzles whose whole answer equals the known one, by frame: the latent of each update, decoded. */
  readonly exact: readonly number[];
  readonly puzzles: number;
  /** Where the puzzles come from, in words. */
  readonly source: string;
  readonly machine: Machine;
}

/** What computed a number. */
export interface Machine {
  readonly model: string;
  readonly backend: string;
  readonly build: string;
  readonly threads: number;
}

export interface Sample {
  /** The question in the text form of the task. */
  readonly question: string;
  readonly truth: string;
}

export interface ModelEntry {
  /** Name of the folder. */
  readonly name: string;
  readonly title: string;
  readonly board: Board;
  readonly parameters: number;
  /** Training steps; null if the files do not say so. */
  readonly trainingSteps: number | null;
  readonly T: number;
  readonly n: number;
  readonly nSup: number;
  /** Whether the model stops when q_halt exceeds q_continue, as HRM does, instead of when q_halt exceeds 0. */
  readonly comparesContinue: boolean;
  /** Names of the latents that one latent recursion updates, in order. */
  readonly updates: readonly string[];
  /** The file that the lines of a trace refer to; null for a variant outside this package. */
  readonly source: string | null;
  readonly samples: readonly Sample[];
  /** Where the sample puzzles come from, in words. */
  readonly samplesFrom: string;
  /** Numbers, from 1, of the samples whose answer is wrong after the last supervision step, by the rule of the task if it has one. */
  readonly failed: readonly number[];
  readonly measured: Measured;
  readonly basis: PositionBasis;
  /** Bytes of model.safetensors. */
  readonly bytes: number;
}

export interface Manifest {
  readonly models: readonly ModelEntry[];
  /** Version of trm-ts. */
  readonly version: string;
}
