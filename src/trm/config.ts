// All settings with their defaults and limits. Names are the paper's symbols where it has them (T, n, nSup). Files may use the
// official code's names, which official-names.ts converts.
import { closest } from "fastest-levenshtein";
import * as z from "zod/mini";
import { expectFunction, showValue } from "../tensor/index.ts";
import { ConfigError } from "./errors.ts";
import { solvers } from "./fixed-point.ts";
import { fromOfficialNames } from "./official-names.ts";
import { inEnglish } from "./schema-messages.ts";

const whole = z.number().check(z.int());
const positive = whole.check(z.minimum(1));
const notNegative = whole.check(z.minimum(0));
/** Limits far beyond any use, so that a mistyped value is refused at once instead of exhausting time or memory. */
const loops = positive.check(z.maximum(100_000));
const loopsOrNone = notNegative.check(z.maximum(100_000));
const depth = positive.check(z.maximum(1000));
const probability = z.number().check(z.minimum(0), z.maximum(1));
/** Decay rate of a moving average. With 1 the average would never change, and bias correction would divide by 0. */
const decayRate = z.number().check(z.minimum(0), z.lt(1));

/** Settings of the model. */
export interface ModelConfig {
  /** The recursion, one of those in variants.ts. Default: "trm". */
  readonly recursion: "trm" | "singleZ" | "multiZ" | "direct" | "fixedPoint";
  /** Use separate networks for z and y instead of one for both. Default: false. */
  readonly separateNets: boolean;
  /** Record only the last updates of z and y on the tape (HRM) instead of the whole last recursion. Default: false. */
  readonly oneStepGradient: boolean;
  /** V, including the padding token. Must be given. */
  readonly vocabularySize: number;
  /** Tokens per puzzle, excluding the positions of the puzzle embedding. Must be given. */
  readonly sequenceLength: number;
  /** Latent recursions per supervision step; only the last is on the tape. At most 100,000. Default: 3. */
  readonly T: number;
  /** Updates of z per latent recursion (multiZ: the number of its z latents; fixedPoint ignores it). At most 100,000. Default: 6. */
  readonly n: number;
  /** Number of blocks of the network, at most 1,000. Default: 2. */
  readonly layers: number;
  /** Number of blocks of the separate network for y, at most 1,000. Default: `layers`. */
  readonly layersY?: number | undefined;
  /** D, the size of x, y and z at every position. Default: 512. */
  readonly hiddenSize: number;
  /** "mlp": MLP over the sequence (the paper's choice for Sudoku); "attention": self-attention. Default: "mlp". */
  readonly mixer: "mlp" | "attention";
  /** Attention heads; hiddenSize must be a multiple. Default: 8. */
  readonly heads: number;
  /**
   * Positions of the tokens: none, rotary (in the attention, by the place in the sequence), rotary2d (by row and column of a board
   * with `columns`) or learned vectors added to the embedding. Default: "none".
   */
  readonly positions: "none" | "rotary" | "rotary2d" | "learned";
  /** Columns of the board. Must be given for the positions rotary2d, and for no others. */
  readonly columns?: number | undefined;
  /** Ratio of the inner width of SwiGLU to its outer width, before 2/3 of it is taken and rounded up. Default: 4. */
  readonly expansion: number;
  /** Inner widths of SwiGLU are rounded up to a multiple of this. Default: 256. */
  readonly widthMultiple: number;
  /** Number of puzzle ids, including the blank id 0. Default: 1. */
  readonly puzzleIds: number;
  /** Size of the embedding of a puzzle id; 0 for no puzzle embedding. Default: 0. */
  readonly puzzleEmbeddingSize: number;
  /** P, the sequence positions of the puzzle embedding, padded with zeros. Default: 16. */
  readonly puzzleSlots: number;
  /**
   * EqR (arXiv 2605.21488): puzzles start from random latents instead of y_init and z_init, in training and in evaluation, see
   * randomStarts in noise.ts. Default: false.
   */
  readonly randomStarts: boolean;
  /**
   * EqR, lambda in (0, 1]: every update becomes h <- (1 - lambda) h + lambda net(h + inputs), in training and in evaluation. EqR has
   * 0.95. Default: 1, no damping.
   */
  readonly dampingLambda: number;
  /**
   * EqR, beta: standard deviation of the noise that every update adds to its latent, in training and in evaluation. EqR has 0.01.
   * Default: 0, no noise.
   */
  readonly pathNoiseBeta: number;
  /** fixedPoint ("TRM-DEQ", arXiv 2605.12466): the solver of z = net(x + y + z), see fixed-point.ts. Default: "anderson". */
  readonly solver: (typeof solvers)[number];
  /** fixedPoint: number of iterations of the solver, all of which are computed, off the tape. At most 100,000. Default: 8. */
  readonly solverIterations: number;
  /** fixedPoint: updates of z after the solver, which are on the tape. At most 100,000. Default: 2. */
  readonly gradientSteps: number;
}

/** Settings of a training. */
export interface TrainingConfig {
  /** B, the number of slots: puzzles that are computed together. Default: 768. */
  readonly batchSize: number;
  /** N_sup, the maximum number of supervision steps per puzzle, at most 100,000. Default: 16. */
  readonly nSup: number;
  /** Probability of a random minimum of supervision steps, drawn for every slot at every step. Default: 0.1. */
  readonly explorationProbability: number;
  /** Train q_continue with one more forward pass, and halt if q_halt > q_continue. Default: false. */
  readonly continueLoss: boolean;
  /** Halt if q_halt > q_continue without a continue loss (direct prediction). Default: false. */
  readonly haltAgainstContinue: boolean;
  /** Normalization of the logits in the cross-entropy of the answer. Default: "stablemax". */
  readonly loss: "stablemax" | "softmax";
  /** Weight of the halting losses. DEVIATION: halting loss weight — 0.5 as in the official code; the paper uses 1. */
  readonly haltingLossWeight: number;
  /**
   * When a halted slot receives a new puzzle. DEVIATION: batch handling — at once ("slot", the default), as in the official
   * code; in the paper's pseudocode once all slots have halted ("batch").
   */
  readonly refill: "slot" | "batch";
  /** DEVIATION: optimizer — Adam-atan2, the default, as in the official code; the paper uses AdamW. */
  readonly optimizer: "adamAtan2" | "adamW";
  /** Learning rate after the warmup. Default: 1e-4. */
  readonly learningRate: number;
  /** Decay rate of Adam's mean of the gradients. Default: 0.9. */
  readonly beta1: number;
  /** Decay rate of Adam's mean of the squared gradients. Default: 0.95. */
  readonly beta2: number;
  /** Decoupled weight decay: weights shrink by learningRate · weightDecay per step. Default: 1. */
  readonly weightDecay: number;
  /** Steps in which the learning rate grows linearly from 0. Default: 2000. */
  readonly warmupSteps: number;
  /** Ratio of the learning rate at the end of the cosine to its maximum. Default: 1, a constant rate. */
  readonly minRatio: number;
  /**
   * Steps of the learning-rate schedule. Default: 65,104, which is 50,000 epochs of 1,000 puzzles in batches of 768, as in the
   * official commands.
   */
  readonly totalSteps: number;
  /** Learning rate of the puzzle embedding, which SignSGD updates. Default: 1e-4. */
  readonly puzzleLearningRate: number;
  /** Weight decay of the puzzle embedding. Default: 1. */
  readonly puzzleWeightDecay: number;
  /** Decay rate of the moving average of the weights, which is used for evaluation; 0 for no average. Default: 0.999. */
  readonly emaRate: number;
  /**
   * Raise the decay rate from 0.18 to emaRate during the first steps, so that the average is useful early (see warmedUpRate).
   * Default: false.
   */
  readonly emaWarmup: boolean;
  /**
   * CGAR (arXiv 2511.08653): train the first 30% of totalSteps with a third of T and n, the next 30% with two thirds, see
   * depthCurriculum in curriculum.ts. An evaluation has the full depth. For the recursions trm and singleZ. Default: false.
   */
  readonly depthCurriculum: boolean;
  /**
   * Easy mixing (arXiv 2601.10679): probability that some blanks of a training puzzle are filled in, see RevealedExamples in
   * curriculum.ts. Default: 0.
   */
  readonly revealProbability: number;
  /** Seed of the initial weights and of the exploration. Default: 0. */
  readonly seed: number;
}

/** All settings, checked and complete. */
export interface Config {
  readonly model: ModelConfig;
  readonly training: TrainingConfig;
}

/** Settings for `parseConfig`: the two sizes of the task, and any others. */
export type Settings = Pick<ModelConfig, "vocabularySize" | "sequenceLength"> &
  Partial<ModelConfig> &
  Partial<TrainingConfig>;

// The docstrings are in the interfaces, because a type that is inferred from a schema has none.
const modelSchema = z
  .strictObject({
    recursion: z._default(z.enum(["trm", "singleZ", "multiZ", "direct", "fixedPoint"]), "trm"),
    separateNets: z._default(z.boolean(), false),
    oneStepGradient: z._default(z.boolean(), false),
    vocabularySize: positive,
    sequenceLength: positive,
    T: z._default(loops, 3),
    n: z._default(loops, 6),
    layers: z._default(depth, 2),
    layersY: z.optional(depth),
    hiddenSize: z._default(positive, 512),
    mixer: z._default(z.enum(["mlp", "attention"]), "mlp"),
    heads: z._default(positive, 8),
    positions: z._default(z.enum(["none", "rotary", "rotary2d", "learned"]), "none"),
    columns: z.optional(positive),
    expansion: z._default(z.number().check(z.positive()), 4),
    widthMultiple: z._default(positive, 256),
    puzzleIds: z._default(positive, 1),
    puzzleEmbeddingSize: z._default(notNegative, 0),
    puzzleSlots: z._default(notNegative, 16),
    randomStarts: z._default(z.boolean(), false),
    dampingLambda: z._default(z.number().check(z.positive(), z.maximum(1)), 1),
    pathNoiseBeta: z._default(z.number().check(z.minimum(0)), 0),
    solver: z._default(z.enum(solvers), "anderson"),
    solverIterations: z._default(loopsOrNone, 8),
    gradientSteps: z._default(loopsOrNone, 2),
  } satisfies Record<keyof ModelConfig, z.ZodMiniType>)
  .check(
    z.refine((c) => c.mixer === "mlp" || c.hiddenSize % c.heads === 0, {
      message: "expected a multiple of heads",
      path: ["hiddenSize"],
    }),
    z.refine((c) => c.positions !== "rotary" || (c.hiddenSize / c.heads) % 2 === 0, {
      message: "expected an even head size (hiddenSize / heads) for rotary positions",
      path: ["heads"],
    }),
    z.refine((c) => c.positions !== "rotary2d" || (c.hiddenSize / c.heads) % 4 === 0, {
      message: "expected a head size (hiddenSize / heads) that is a multiple of 4 for the positions rotary2d",
      path: ["heads"],
    }),
    z.refine((c) => c.positions !== "rotary2d" || c.mixer === "attention", {
      message: 'expected "attention" for the positions rotary2d',
      path: ["mixer"],
    }),
    z.refine((c) => c.positions === "rotary2d" || c.columns === undefined, {
      message: "expected none unless the positions are rotary2d",
      path: ["columns"],
    }),
    z.refine((c) => c.positions !== "rotary2d" || (c.columns !== undefined && c.sequenceLength % c.columns === 0), {
      message: "expected a number of columns that divides sequenceLength for the positions rotary2d",
      path: ["columns"],
    }),
    z.refine((c) => c.puzzleEmbeddingSize <= c.puzzleSlots * c.hiddenSize, {
      message: "expected at most puzzleSlots · hiddenSize",
      path: ["puzzleEmbeddingSize"],
    }),
    z.refine((c) => (c.recursion !== "singleZ" && c.recursion !== "direct") || !c.separateNets, {
      message: "expected false for the recursions singleZ and direct, which have one network",
      path: ["separateNets"],
    }),
    z.refine((c) => c.recursion === "trm" || !c.oneStepGradient, {
      message: "expected false unless the recursion is trm",
      path: ["oneStepGradient"],
    }),
    z.refine((c) => c.recursion !== "fixedPoint" || c.dampingLambda === 1, {
      message: "expected 1 for the recursion fixedPoint, whose solver cannot be damped",
      path: ["dampingLambda"],
    }),
    z.refine((c) => c.recursion !== "fixedPoint" || c.pathNoiseBeta === 0, {
      message: "expected 0 for the recursion fixedPoint, whose solver needs a function without noise",
      path: ["pathNoiseBeta"],
    }),
  );

/** Schema of the settings of a training; an empty object gives the defaults. */
export const trainingSchema = z.strictObject({
  batchSize: z._default(positive, 768),
  nSup: z._default(loops, 16),
  explorationProbability: z._default(probability, 0.1),
  continueLoss: z._default(z.boolean(), false),
  haltAgainstContinue: z._default(z.boolean(), false),
  loss: z._default(z.enum(["stablemax", "softmax"]), "stablemax"),
  haltingLossWeight: z._default(z.number().check(z.minimum(0)), 0.5),
  refill: z._default(z.enum(["slot", "batch"]), "slot"),
  optimizer: z._default(z.enum(["adamAtan2", "adamW"]), "adamAtan2"),
  learningRate: z._default(z.number().check(z.positive()), 1e-4),
  beta1: z._default(decayRate, 0.9),
  beta2: z._default(decayRate, 0.95),
  weightDecay: z._default(z.number().check(z.minimum(0)), 1),
  warmupSteps: z._default(notNegative, 2000),
  minRatio: z._default(probability, 1),
  totalSteps: z._default(positive, 65_104),
  puzzleLearningRate: z._default(z.number().check(z.minimum(0)), 1e-4),
  puzzleWeightDecay: z._default(z.number().check(z.minimum(0)), 1),
  emaRate: z._default(decayRate, 0.999),
  emaWarmup: z._default(z.boolean(), false),
  depthCurriculum: z._default(z.boolean(), false),
  revealProbability: z._default(probability, 0),
  seed: z._default(whole, 0),
} satisfies Record<keyof TrainingConfig, z.ZodMiniType>);

/** Keys of the model's part of a configuration. */
export const modelKeys: readonly string[] = Object.keys(modelSchema.shape);
const trainingKeys = Object.keys(trainingSchema.shape);
/** Keys that a complete configuration may lack. */
const optionalKeys: readonly string[] = ["layersY", "columns"] satisfies (keyof ModelConfig)[];

/** All keys of a configuration, under our names. */
export const configKeys: readonly string[] = [...modelKeys, ...trainingKeys];

/**
 * Checks settings and adds the defaults of those that are left out.
 *
 * Settings that were read from somewhere, such as a file, may also have the names of the official code. They are not checked by
 * the compiler, so `where` is required: it names the settings in errors.
 *
 * @param sourceOf  names the source of a key in errors, for settings that come from several sources
 * @throws ConfigError with the key, the value and the expected value; for an unknown key with the most similar known key
 */
export function parseConfig(settings: Settings): Config;
export function parseConfig(
  settings: Readonly<Record<string, unknown>>,
  where: string,
  sourceOf?: (key: string) => string,
): Config;
export function parseConfig(
  settings: Settings | Readonly<Record<string, unknown>>,
  where = "config",
  sourceOf: (key: string) => string = () => where,
): Config {
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) {
    throw new ConfigError(
      `parseConfig: got ${showValue(settings)} as ${where}, expected an object of settings such as { hiddenSize: 64 }`,
    );
  }
  expectFunction("parseConfig", "sourceOf", sourceOf);
  const own = ownSettings({ ...settings }, where);
  const pick = (keys: readonly string[]) =>
    Object.fromEntries(Object.entries(own).filter(([key]) => keys.includes(key)));
  const model = validate(modelSchema, pick(modelKeys), sourceOf);
  const training = validate(trainingSchema, pick(trainingKeys), sourceOf);
  if (training.depthCurriculum) expectStages(`${sourceOf("depthCurriculum")}: depthCurriculum`, model);
  return { model, training };
}

/**
 * Refuses recursions without a depth curriculum: in multiZ, n is the number of z latents, direct has no depth, and the depth of
 * fixedPoint is that of its solver.
 *
 * @throws ConfigError
 */
export function expectStages(where: string, { recursion }: ModelConfig): void {
  if (recursion === "trm" || recursion === "singleZ") return;
  throw new ConfigError(`${where}: got the recursion ${recursion}, expected trm or singleZ`);
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
export function flattenConfig(config: Config): ModelConfig & TrainingConfig & Record<string, unknown> {
  expectConfig("flattenConfig", config);
  return { ...config.model, ...config.training };
}

/** A value as JSON; one that JSON does not have (NaN, infinity, a BigInt, a circular object) in words. */
function settingText(value: unknown): string {
  if (typeof value === "number") return String(value);
  try {
    return JSON.stringify(value) ?? showValue(value);
  } catch {
    return showValue(value);
  }
}

function validate<S extends z.ZodMiniType>(
  schema: S,
  value: Record<string, unknown>,
  sourceOf: (key: string) => string,
): z.output<S> {
  const result = schema.safeParse(value, inEnglish);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const key = String(issue.path[0] ?? "");
  const got = Object.hasOwn(value, key) ? `, got ${settingText(value[key])}` : "";
  throw new ConfigError(`${sourceOf(key)}: ${key}: ${issue.message}${got}`);
}

/** @throws ConfigError unless the value is the model's part of what parseConfig returns */
export function expectModelConfig(where: string, value: unknown): asserts value is ModelConfig {
  const given = Object(value) as Readonly<Record<string, unknown>>;
  const missing = modelKeys.find((key) => !optionalKeys.includes(key) && given[key] === undefined);
  if (missing === undefined) return;
  if (given.model !== undefined) {
    throw new ConfigError(`${where}: got a whole configuration, expected its part for the model, config.model`);
  }
  const what = typeof value === "object" && value !== null ? `settings without ${missing}` : showValue(value);
  throw new ConfigError(`${where}: got ${what}, expected the settings of a model (see parseConfig)`);
}

/** @throws ConfigError unless the value is what parseConfig returns */
export function expectConfig(where: string, value: unknown): asserts value is Config {
  const { model, training } = Object(value) as Partial<Config>;
  if (model === undefined || training === undefined) {
    throw new ConfigError(
      `${where}: got ${showValue(value)} as the configuration, expected one with model and training (see parseConfig)`,
    );
  }
  expectModelConfig(where, model);
  const missing = trainingKeys.find(
    (key) => (training as unknown as Readonly<Record<string, unknown>>)[key] === undefined,
  );
  if (missing !== undefined) {
    throw new ConfigError(`${where}: got training settings without ${missing}, expected all of them (see parseConfig)`);
  }
}

/** Sequence length of the network: tokens and puzzle slots. */
export function fullLength(config: ModelConfig): number {
  expectModelConfig("fullLength", config);
  return config.sequenceLength + puzzleSlots(config);
}

/** P with a puzzle embedding, else 0. */
export function puzzleSlots(config: ModelConfig): number {
  expectModelConfig("puzzleSlots", config);
  return config.puzzleEmbeddingSize > 0 ? config.puzzleSlots : 0;
}

/** Depth of the network that updates y: layersY if the networks are separate, else layers. */
export const layersForY = ({ separateNets, layers, layersY = layers }: ModelConfig): number =>
  separateNets ? layersY : layers;

/** Effective depth per supervision step: T (n + 1) layers if both networks have the same depth. Paper, table 3. */
export function effectiveDepth(config: ModelConfig): number {
  expectModelConfig("effectiveDepth", config);
  const { recursion, T, layers, solverIterations, gradientSteps } = config;
  if (recursion === "direct") return layersForY(config);
  const n = recursion === "fixedPoint" ? solverIterations + gradientSteps : config.n;
  return T * (n * layers + layersForY(config));
}
