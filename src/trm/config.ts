// All settings with their defaults and limits. Names are the paper's symbols where it has them (T, n, nSup). Files may use the
// official code's names, which official-names.ts converts.
import { closest } from "fastest-levenshtein";
import * as z from "zod/mini";
import { ConfigError } from "./errors.ts";
import { fromOfficialNames } from "./official-names.ts";
import { inEnglish } from "./schema-messages.ts";

const whole = z.number().check(z.int());
const positive = whole.check(z.minimum(1));
const notNegative = whole.check(z.minimum(0));
const probability = z.number().check(z.minimum(0), z.maximum(1));
/** Decay rate of a moving average. With 1 the average would never change, and bias correction would divide by 0. */
const decayRate = z.number().check(z.minimum(0), z.lt(1));

export const modelSchema = z
  .strictObject({
    /** The recursion, one of those in variants.ts. */
    recursion: z._default(z.enum(["trm", "singleZ", "multiZ", "direct"]), "trm"),
    /** Use separate networks for z and y instead of one for both. */
    separateNets: z._default(z.boolean(), false),
    /** Record only the last updates of z and y on the tape (HRM) instead of the whole last recursion. */
    oneStepGradient: z._default(z.boolean(), false),
    /** V, including the padding token. */
    vocabularySize: positive,
    /** Tokens per puzzle, excluding the slots of the puzzle embedding. */
    sequenceLength: positive,
    /** Latent recursions per supervision step; only the last is on the tape. */
    T: z._default(positive, 3),
    /** Updates of z per latent recursion (multiZ: the number of latents). */
    n: z._default(positive, 6),
    /** Number of blocks of the network. */
    layers: z._default(positive, 2),
    /** Number of blocks of the separate network for y. Default: `layers`. */
    layersY: z.optional(positive),
    /** D */
    hiddenSize: z._default(positive, 512),
    /** "mlp": MLP over the sequence (the paper's choice for Sudoku); "attention": self-attention. */
    mixer: z._default(z.enum(["mlp", "attention"]), "mlp"),
    heads: z._default(positive, 8),
    positions: z._default(z.enum(["none", "rotary", "learned"]), "none"),
    expansion: z._default(z.number().check(z.positive()), 4),
    /** Inner widths of SwiGLU are rounded up to a multiple of this. */
    widthMultiple: z._default(positive, 256),
    /** Number of puzzle ids, including the blank id 0. */
    puzzleIds: z._default(positive, 1),
    /** Size of the embedding of a puzzle id; 0 for no puzzle embedding. */
    puzzleEmbeddingSize: z._default(notNegative, 0),
    /** P, the sequence slots of the puzzle embedding, padded with zeros. */
    puzzleSlots: z._default(notNegative, 16),
  })
  .check(
    z.refine((c) => c.mixer === "mlp" || c.hiddenSize % c.heads === 0, {
      message: "expected a multiple of heads",
      path: ["hiddenSize"],
    }),
    z.refine((c) => c.positions !== "rotary" || (c.hiddenSize / c.heads) % 2 === 0, {
      message: "expected an even head size (hiddenSize / heads) for rotary positions",
      path: ["heads"],
    }),
    z.refine((c) => c.puzzleEmbeddingSize <= c.puzzleSlots * c.hiddenSize, {
      message: "expected at most puzzleSlots · hiddenSize",
      path: ["puzzleEmbeddingSize"],
    }),
  );

export const trainingSchema = z.strictObject({
  batchSize: z._default(positive, 768),
  /** N_sup, the maximum number of supervision steps per puzzle. */
  nSup: z._default(positive, 16),
  /** Probability of a random minimum of supervision steps, drawn for every slot at every step. */
  explorationProbability: z._default(probability, 0.1),
  /** Train q_continue with one more forward pass, and halt if q_halt > q_continue. */
  continueLoss: z._default(z.boolean(), false),
  /** Halt if q_halt > q_continue without a continue loss (direct prediction). */
  haltAgainstContinue: z._default(z.boolean(), false),
  loss: z._default(z.enum(["stablemax", "softmax"]), "stablemax"),
  /** Weight of the halting losses. DEVIATION: halting loss weight — 0.5 as in the official code; the paper uses 1. */
  haltingLossWeight: z._default(z.number().check(z.minimum(0)), 0.5),
  /**
   * When a halted slot receives a new puzzle. DEVIATION: batch handling — at once ("slot"), as in the official code; in the
   * paper's pseudocode once all slots have halted ("batch").
   */
  refill: z._default(z.enum(["slot", "batch"]), "slot"),
  /** DEVIATION: optimizer — Adam-atan2 as in the official code; the paper uses AdamW. */
  optimizer: z._default(z.enum(["adamAtan2", "adamW"]), "adamAtan2"),
  learningRate: z._default(z.number().check(z.positive()), 1e-4),
  beta1: z._default(decayRate, 0.9),
  beta2: z._default(decayRate, 0.95),
  weightDecay: z._default(z.number().check(z.minimum(0)), 1),
  warmupSteps: z._default(notNegative, 2000),
  /** Ratio of the learning rate at the end of the cosine to its maximum. */
  minRatio: z._default(probability, 1),
  /** Steps of the learning-rate schedule: 50,000 epochs of 1,000 puzzles in batches of 768, as in the official commands. */
  totalSteps: z._default(positive, 65_104),
  puzzleLearningRate: z._default(z.number().check(z.minimum(0)), 1e-4),
  puzzleWeightDecay: z._default(z.number().check(z.minimum(0)), 1),
  /** Decay rate of the moving average of the weights, which is used for evaluation; 0 for no average. */
  emaRate: z._default(decayRate, 0.999),
  /** Raise the decay rate from 0.18 to emaRate during the first steps, so that the average is useful early (see warmedUpRate). */
  emaWarmup: z._default(z.boolean(), false),
  seed: z._default(whole, 0),
});

export type ModelConfig = z.output<typeof modelSchema>;
export type TrainingConfig = z.output<typeof trainingSchema>;

export interface Config {
  readonly model: ModelConfig;
  readonly training: TrainingConfig;
}

/** Keys of the model's part of a configuration. */
export const modelKeys: readonly string[] = Object.keys(modelSchema.shape);
const trainingKeys = Object.keys(trainingSchema.shape);

/** All keys of a configuration, under our names. */
export const configKeys: readonly string[] = [...modelKeys, ...trainingKeys];

/**
 * Parses a flat record of settings under our names or the official ones. Omitted settings have their defaults.
 *
 * @param where  names the settings in errors
 * @param sourceOf  names the source of a key in errors, for settings that come from several sources
 * @throws ConfigError with the key, the value and the expected value; for an unknown key with the most similar known key
 */
export function parseConfig(
  settings: Readonly<Record<string, unknown>>,
  where = "config",
  sourceOf: (key: string) => string = () => where,
): Config {
  const own = ownSettings(settings, where);
  const pick = (keys: readonly string[]) =>
    Object.fromEntries(Object.entries(own).filter(([key]) => keys.includes(key)));
  return {
    model: validate(modelSchema, pick(modelKeys), sourceOf),
    training: validate(trainingSchema, pick(trainingKeys), sourceOf),
  };
}

/**
 * Converts keys to our names. Values are not validated, so that a part of a configuration is accepted.
 *
 * @throws ConfigError for an unknown key, with the most similar known key
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

/** The flat record from which `parseConfig` restores the same configuration. */
export const flattenConfig = (config: Config): Record<string, unknown> => ({ ...config.model, ...config.training });

function validate<S extends z.ZodMiniType>(
  schema: S,
  value: Record<string, unknown>,
  sourceOf: (key: string) => string,
): z.output<S> {
  const result = schema.safeParse(value, inEnglish);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const key = String(issue.path[0] ?? "");
  const got = key in value ? `, got ${JSON.stringify(value[key])}` : "";
  throw new ConfigError(`${sourceOf(key)}: ${key}: ${issue.message}${got}`);
}

/** Sequence length of the network: tokens and puzzle slots. */
export const fullLength = (config: ModelConfig): number => config.sequenceLength + puzzleSlots(config);

/** P with a puzzle embedding, else 0. */
export const puzzleSlots = (config: ModelConfig): number => (config.puzzleEmbeddingSize > 0 ? config.puzzleSlots : 0);

/** Depth of the network that updates y: layersY if the networks are separate, else layers. (singleZ has no y.) */
export const layersForY = ({ recursion, separateNets, layers, layersY = layers }: ModelConfig): number =>
  separateNets && recursion !== "singleZ" ? layersY : layers;

/** Effective depth per supervision step: T (n + 1) layers if both networks have the same depth. Paper, table 3. */
export function effectiveDepth(config: ModelConfig): number {
  const { recursion, T, n, layers } = config;
  if (recursion === "direct") return layersForY(config);
  return T * (n * layers + layersForY(config));
}
