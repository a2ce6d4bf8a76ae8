// What can be set, with its defaults and limits. The names are the paper's where it has symbols (T, n, nSup); the official
// code's names are accepted in files through the table in official-names.ts.
import { closest } from "fastest-levenshtein";
import { z } from "zod";
import { ConfigError } from "./errors.ts";
import { fromOfficialNames } from "./official-names.ts";

const whole = z.number().int();
const positive = whole.min(1);
const probability = z.number().min(0).max(1);

export const modelSchema = z
  .strictObject({
    /** Which recursion runs: see variants.ts. */
    recursion: z.enum(["trm", "singleZ", "multiZ", "direct"]).default("trm"),
    /** Two networks, one for z and one for y, instead of one for both. */
    separateNets: z.boolean().default(false),
    /** Only the last update of z and of y on the tape (HRM), instead of the whole last recursion. */
    oneStepGradient: z.boolean().default(false),
    /** V, padding included. */
    vocabularySize: positive,
    /** Tokens of a puzzle, without the puzzle-embedding slots. */
    sequenceLength: positive,
    /** Latent recursions per supervision step; only the last is on the tape. */
    T: positive.default(3),
    /** Updates of z per latent recursion (multiZ: the number of latents). */
    n: positive.default(6),
    /** Blocks of the network. */
    layers: positive.default(2),
    /** Blocks of the network for y, where that is separate; `layers` if left out. */
    layersY: positive.optional(),
    /** D */
    hiddenSize: positive.default(512),
    /** "mlp": MLP over the sequence (the paper's choice for Sudoku); "attention": self-attention. */
    mixer: z.enum(["mlp", "attention"]).default("mlp"),
    heads: positive.default(8),
    positions: z.enum(["none", "rotary", "learned"]).default("none"),
    expansion: z.number().positive().default(4),
    /** Inner widths of SwiGLU are rounded up to a multiple of this. */
    widthMultiple: positive.default(256),
    /** Puzzle ids (0 is the blank one). */
    puzzleIds: positive.default(1),
    /** Numbers per puzzle id; 0 for no puzzle embedding. */
    puzzleEmbeddingSize: whole.min(0).default(0),
    /** P, the sequence slots that the puzzle embedding fills (the rest zeros). */
    puzzleSlots: whole.min(0).default(16),
  })
  .refine((c) => c.mixer === "mlp" || c.hiddenSize % c.heads === 0, {
    message: "expected a multiple of heads",
    path: ["hiddenSize"],
  })
  .refine((c) => c.positions !== "rotary" || (c.hiddenSize / c.heads) % 2 === 0, {
    message: "expected an even head size (hiddenSize / heads) for rotary positions",
    path: ["heads"],
  })
  .refine((c) => c.puzzleEmbeddingSize <= c.puzzleSlots * c.hiddenSize, {
    message: "expected at most puzzleSlots · hiddenSize",
    path: ["puzzleEmbeddingSize"],
  });

export const trainingSchema = z.strictObject({
  batchSize: positive.default(768),
  /** At most this many supervision steps per puzzle (N_sup). */
  nSup: positive.default(16),
  /** Chance of a random minimum of supervision steps, drawn for every slot at every step. */
  explorationProbability: probability.default(0.1),
  /** Train q_continue with one more forward pass, and halt when q_halt > q_continue. */
  continueLoss: z.boolean().default(false),
  /** Halt when q_halt > q_continue although there is no continue loss (direct prediction). */
  haltAgainstContinue: z.boolean().default(false),
  loss: z.enum(["stablemax", "softmax"]).default("stablemax"),
  /** Weight of the halting losses. DEVIATION: halting loss weight — 0.5 as in the official code; the paper has 1. */
  haltingLossWeight: z.number().min(0).default(0.5),
  /**
   * When a halted slot takes a new puzzle. DEVIATION: batch handling — at once ("slot", official code); in the paper's
   * pseudocode the batch stays together until all have halted ("batch").
   */
  refill: z.enum(["slot", "batch"]).default("slot"),
  /** DEVIATION: optimizer — Adam-atan2 as in the official code; the paper says AdamW. */
  optimizer: z.enum(["adamAtan2", "adamW"]).default("adamAtan2"),
  learningRate: z.number().positive().default(1e-4),
  beta1: probability.default(0.9),
  beta2: probability.default(0.95),
  weightDecay: z.number().min(0).default(1),
  warmupSteps: whole.min(0).default(2000),
  /** What is left of the learning rate at the end of the cosine. */
  minRatio: probability.default(1),
  /** Steps of the schedule. */
  totalSteps: positive.default(100_000),
  puzzleLearningRate: z.number().min(0).default(1e-4),
  puzzleWeightDecay: z.number().min(0).default(1),
  /** Rate of the moving average of the weights, used for evaluation; 0 for none. */
  emaRate: z.number().min(0).max(1).default(0.999),
  seed: whole.default(0),
});

export type ModelConfig = z.output<typeof modelSchema>;
export type TrainingConfig = z.output<typeof trainingSchema>;

export interface Config {
  readonly model: ModelConfig;
  readonly training: TrainingConfig;
}

const modelKeys = Object.keys(modelSchema.shape);
const trainingKeys = Object.keys(trainingSchema.shape);

/** Every key that a configuration may have, in our names. */
export const configKeys: readonly string[] = [...modelKeys, ...trainingKeys];

/**
 * A configuration from a flat record of settings in our names or the official ones; what is left out has its default.
 *
 * @throws ConfigError naming the key, what was got and what was expected; for an unknown key the nearest known one
 */
export function parseConfig(settings: Readonly<Record<string, unknown>>, where = "config"): Config {
  const own = ownSettings(settings, where);
  const pick = (keys: readonly string[]) =>
    Object.fromEntries(Object.entries(own).filter(([key]) => keys.includes(key)));
  return {
    model: validate(modelSchema, pick(modelKeys), where),
    training: validate(trainingSchema, pick(trainingKeys), where),
  };
}

/**
 * Settings in our names; values are not looked at, so a part of a configuration will do.
 *
 * @throws ConfigError for an unknown key, naming the nearest known one
 */
export function ownSettings(settings: Readonly<Record<string, unknown>>, where: string): Record<string, unknown> {
  const own = fromOfficialNames(settings, where);
  for (const key of Object.keys(own)) {
    if (!configKeys.includes(key)) {
      throw new ConfigError(`${where}: unknown key "${key}", did you mean "${closest(key, [...configKeys])}"?`);
    }
  }
  return own;
}

/** The flat record that `parseConfig` reads back to the same configuration. */
export const flattenConfig = (config: Config): Record<string, unknown> => ({ ...config.model, ...config.training });

function validate<S extends z.ZodType>(schema: S, value: Record<string, unknown>, where: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const key = String(issue.path[0] ?? "");
  const got = key in value ? `, got ${JSON.stringify(value[key])}` : "";
  throw new ConfigError(`${where}: ${key}: ${issue.message}${got}`);
}

/** Tokens and puzzle slots: the length of the sequence the network sees. */
export const fullLength = (config: ModelConfig): number => config.sequenceLength + puzzleSlots(config);

/** P if there is a puzzle embedding, else 0. */
export const puzzleSlots = (config: ModelConfig): number => (config.puzzleEmbeddingSize > 0 ? config.puzzleSlots : 0);

/** Layers of the network that y goes through: of its own one, or of the only one (singleZ has no y, and uses no other). */
export const layersForY = ({ recursion, separateNets, layers, layersY = layers }: ModelConfig): number =>
  separateNets && recursion !== "singleZ" ? layersY : layers;

/** Layers that a supervision step passes through: T (n + 1) layers, with one size of network. Paper, table 3. */
export function effectiveDepth(config: ModelConfig): number {
  const { recursion, T, n, layers } = config;
  if (recursion === "direct") return layersForY(config);
  return T * (n * layers + layersForY(config));
}
