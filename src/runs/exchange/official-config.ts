/**
 * Converts configurations to and from the official form: the keys of its cfg_pretrain.yaml, with the model in `arch` and the loss
 * in `arch.loss`. Settings that the official code does not support are refused by name. Settings without an official key (the
 * official code reads them from the data or fixes them in its source) are stored in a section `trm_ts`, which it ignores.
 */
import { quoted } from "../../formats/index.ts";
import { swigluWidth } from "../../nn/index.ts";
import { showValue } from "../../tensor/index.ts";
import {
  type Config,
  ConfigError,
  flattenConfig,
  fromOfficialSystem,
  fullLength,
  parseConfig,
  puzzleSlots,
} from "../../trm/index.ts";
import { stepsOfEpochs } from "../epochs.ts";
import { isRecord, type Settings } from "./records.ts";

/** Reader of an export: the unmodified official code, or interop/torchrun/train.py, which supports more settings. */
export type Target = "official" | "torchrun";
export const targets: readonly Target[] = ["official", "torchrun"];

/** The official code rounds the inner widths of SwiGLU up to a multiple of this. */
const officialMultiple = 256;

/** Official class of every system, as written in `arch.name`. An export writes these names. */
const archNames = {
  trm: "recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1",
  trm_singlez: "recursive_reasoning.trm_singlez@TinyRecursiveReasoningModel_ACTV1",
  trm_hier6: "recursive_reasoning.trm_hier6@TinyRecursiveReasoningModel_ACTV1",
  hrm: "recursive_reasoning.hrm@HierarchicalReasoningModel_ACTV1",
  transformers_baseline: "recursive_reasoning.transformers_baseline@Model_ACTV2",
} as const;
type System = keyof typeof archNames;

/** Class names from other code with the same systems: HRM's own repository. */
const otherArchNames: Readonly<Record<string, System>> = {
  "hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1": "hrm",
};

/** Official keys about files, data and reports, which do not affect model or training. */
const otherKeys = [
  "data_path",
  "data_paths",
  "data_paths_test",
  "evaluators",
  "epochs",
  "project_name",
  "run_name",
  "load_checkpoint",
  "checkpoint_path",
  "checkpoint_every_eval",
  "eval_interval",
  "min_eval_interval",
  "eval_save_outputs",
  "defaults",
  "hydra",
  "trm_ts",
];

/**
 * Converts a configuration to the official form.
 *
 * @param other  values of keys that do not affect model or training, such as data_paths
 * @throws ConfigError that names a setting which the official code does not support
 */
export function toOfficialConfig(config: Config, target: Target, other: Settings = {}): Settings {
  const system = systemOf(config);
  refuseWhatDiffers(config, system, target);
  const { model, training } = config;
  const isDirect = system === "transformers_baseline";
  const hasSlotSetting = system !== "hrm" && !isDirect;
  const official = {
    arch: {
      name: archNames[system],
      loss: { name: "losses@ACTLossHead", loss_type: `${training.loss}_cross_entropy` },
      halt_exploration_prob: training.explorationProbability,
      halt_max_steps: training.nSup,
      H_cycles: model.T,
      ...(isDirect ? {} : { L_cycles: model.n }),
      H_layers: isDirect ? model.layers : system === "hrm" ? (model.layersY ?? model.layers) : 0,
      ...(isDirect ? {} : { L_layers: model.layers }),
      hidden_size: model.hiddenSize,
      num_heads: model.heads,
      expansion: model.expansion,
      puzzle_emb_ndim: model.puzzleEmbeddingSize,
      // Even without a puzzle embedding the official code removes this number of positions from the answer.
      ...(hasSlotSetting ? { puzzle_emb_len: puzzleSlots(model) } : {}),
      pos_encodings: model.positions === "rotary" ? "rope" : model.positions,
      forward_dtype: "float32",
      ...(isDirect ? {} : { mlp_t: model.mixer === "mlp" }),
      ...(hasSlotSetting ? { no_ACT_continue: true } : {}),
    },
    global_batch_size: training.batchSize,
    lr: training.learningRate,
    lr_min_ratio: training.minRatio,
    lr_warmup_steps: training.warmupSteps,
    beta1: training.beta1,
    beta2: training.beta2,
    weight_decay: training.weightDecay,
    puzzle_emb_lr: training.puzzleLearningRate,
    puzzle_emb_weight_decay: training.puzzleWeightDecay,
    seed: training.seed,
    ema: training.emaRate > 0,
    ema_rate: training.emaRate,
    ...other,
  };
  return { ...official, trm_ts: { ...sectionOf(other), settings: notCarried(config, official) } };
}

/**
 * Converts a configuration from the official form: a complete one, such as the all_config.yaml next to an official checkpoint, or
 * an arch file alone.
 *
 * @param known  settings that the official code reads from the data: vocabularySize, sequenceLength, puzzleIds
 * @param examples  examples per epoch of the training data, which determine the number of steps
 * @throws ConfigError
 */
export function fromOfficialConfig(official: Settings, where: string, known: Settings = {}, examples?: number): Config {
  const { settings, epochs } = readOfficialSettings(official, where);
  const config = parseConfig({ ...known, ...settings }, where);
  if (epochs === undefined || examples === undefined) return config;
  const { training, model } = config;
  return { model, training: { ...training, totalSteps: stepsOfEpochs(epochs, examples, training.batchSize) } };
}

/** The contents of a configuration file in the official form. */
export interface OfficialSettings {
  /** Settings under our names, including those of the section `trm_ts`. */
  readonly settings: Settings;
  /** False for an arch file alone, which determines the model but not the training. */
  readonly isComplete: boolean;
  /** Length of the training; undefined if the file has no epochs or its section `trm_ts` contains totalSteps. */
  readonly epochs: number | undefined;
  /** Settings that the file derives from others, for a configuration in which other settings have been changed. */
  derive(settings: Settings): Settings;
}

/** Whether a file with these contents has the official form. */
export const isOfficialForm = (contents: Settings): boolean =>
  "arch" in contents || "defaults" in contents || String(contents.name).includes("@");

/** @throws ConfigError */
export function readOfficialSettings(official: Settings, where: string): OfficialSettings {
  const { settings: own } = sectionOf(official);
  const given = isRecord(own) ? own : {};
  const isComplete = isRecord(official.arch);
  if (!isComplete && ("arch" in official || "defaults" in official)) {
    throw new ConfigError(
      `${where}: the model is in another file, expected a complete configuration (all_config.yaml) or the arch file itself`,
    );
  }
  const { epochs } = official;
  if (epochs !== undefined && !(typeof epochs === "number" && epochs > 0 && Number.isFinite(epochs))) {
    throw new ConfigError(`${where}: epochs: got ${quoted(epochs, 160)}, expected a number above 0`);
  }
  const derive = derivation(official, where);
  return {
    settings: { ...ownSettingsOf(official, where), ...given },
    isComplete,
    epochs: "totalSteps" in given ? undefined : epochs,
    derive: (settings) =>
      Object.fromEntries(Object.entries(derive(settings)).filter(([key]) => !Object.hasOwn(given, key))),
  };
}

/** puzzleEmbeddingSize where the file refers to hidden_size, and puzzleSlots where the official code computes their number. */
function derivation(official: Settings, where: string): (settings: Settings) => Settings {
  const arch = archOf(official);
  const followsHiddenSize = arch.puzzle_emb_ndim === `\${.hidden_size}`;
  const system = systemNamed(arch.name, where);
  const fitsSlots = system === "hrm" || system === "transformers_baseline" || arch.puzzle_emb_len === 0;
  return ({ hiddenSize, puzzleEmbeddingSize }) => {
    const size = followsHiddenSize ? hiddenSize : puzzleEmbeddingSize;
    return {
      ...(followsHiddenSize && { puzzleEmbeddingSize: size }),
      ...(fitsSlots && { puzzleSlots: Math.ceil(Number(size) / Number(hiddenSize)) }),
    };
  };
}

/** The model's part of a configuration: the section `arch`, or an arch file alone. */
const archOf = (official: Settings): Settings => (isRecord(official.arch) ? official.arch : official);

function systemNamed(name: unknown, where: string): System {
  const known: Readonly<Record<string, System>> = {
    ...Object.fromEntries(Object.entries(archNames).map(([system, each]) => [each, system as System])),
    ...otherArchNames,
  };
  if (typeof name === "string" && Object.hasOwn(known, name)) return known[name]!;
  throw new ConfigError(`${where}: arch.name ${quoted(name, 160)}, expected one of ${Object.keys(known).join(", ")}`);
}

/** The section `trm_ts`, which the official code ignores. */
export function sectionOf(official: Settings): Settings {
  return isRecord(official.trm_ts) ? official.trm_ts : {};
}

function ownSettingsOf(official: Settings, where: string): Settings {
  const isComplete = isRecord(official.arch);
  const { arch: _arch, ...rest } = isComplete ? official : {};
  const { name, loss, rms_norm_eps = 1e-5, rope_theta = 10000, causal, ...model } = resolved(archOf(official), where);
  const system = systemNamed(name, where);
  fixed(
    { rms_norm_eps, rope_theta, causal: causal ?? false },
    { rms_norm_eps: 1e-5, rope_theta: 10000, causal: false },
    where,
  );
  const { act_enabled = true, act_inference: _, ...settings } = model;
  fixed({ act_enabled }, { act_enabled: true }, where);
  const {
    ema,
    freeze_weights = false,
    ...training
  } = Object.fromEntries(Object.entries(rest).filter(([key]) => !otherKeys.includes(key)));
  fixed({ freeze_weights }, { freeze_weights: false }, where);
  if (ema !== undefined && typeof ema !== "boolean") {
    throw new ConfigError(`${where}: ema: got ${showValue(ema)}, expected true or false`);
  }
  if (loss !== undefined && !isRecord(loss)) {
    throw new ConfigError(`${where}: arch.loss: got ${showValue(loss)}, expected a mapping with loss_type`);
  }
  const lossType = loss !== undefined && loss.loss_type !== undefined ? { loss_type: loss.loss_type } : {};
  const average = isComplete && ema !== true ? { ema_rate: 0 } : {}; // the official default of ema is false
  return fromOfficialSystem(
    system,
    { puzzle_emb_ndim: 0, ...settings, ...slots(settings), ...lossType, ...training, ...average },
    where,
  );
}

/** Resolves references to a sibling key, such as `${.hidden_size}`. Other references need the official code's own tools. */
function resolved(arch: Settings, where: string): Settings {
  return Object.fromEntries(
    Object.entries(arch).map(([key, value]) => {
      const reference = typeof value === "string" ? /^\$\{\.(\w+)\}$/.exec(value)?.[1] : undefined;
      if (reference === undefined) return [key, value];
      if (!(reference in arch))
        throw new ConfigError(`${where}: ${key} refers to "${reference}", which does not exist`);
      return [key, arch[reference]];
    }),
  );
}

/** puzzle_emb_len 0 stands for the number of slots that the embedding needs. */
function slots({ puzzle_emb_len: length, puzzle_emb_ndim: size, hidden_size: width }: Settings): Settings {
  return length === 0 && Number(size) > 0 ? { puzzle_emb_len: Math.ceil(Number(size) / Number(width)) } : {};
}

function fixed(got: Settings, expected: Settings, where: string): void {
  for (const [key, value] of Object.entries(expected)) {
    if (got[key] !== value) throw new ConfigError(`${where}: ${key}: got ${quoted(got[key], 160)}, expected ${value}`);
  }
}

/** Settings that the official code reads from the data or computes from it. */
const always = ["vocabularySize", "sequenceLength", "totalSteps"];

/** Settings that are lost when only the official part is read back. */
function notCarried(config: Config, official: Settings): Settings {
  const { vocabularySize, sequenceLength } = config.model;
  const back = flattenConfig(parseConfig({ ...ownSettingsOf(official, "export"), vocabularySize, sequenceLength }));
  return Object.fromEntries(
    Object.entries(flattenConfig(config)).filter(
      ([key, value]) => value !== undefined && (value !== back[key] || always.includes(key)),
    ),
  );
}

/** The official system that a configuration corresponds to. @throws ConfigError if there is none */
function systemOf({ model }: Config): System {
  const { recursion, separateNets, oneStepGradient } = model;
  if (separateNets !== oneStepGradient) {
    const got = separateNets ? "separateNets without oneStepGradient" : "oneStepGradient without separateNets";
    throw refusal(got, "both (HRM) or neither (TRM)");
  }
  if (recursion === "fixedPoint") throw refusal("recursion fixedPoint", "another recursion");
  if (recursion === "trm") return separateNets ? "hrm" : "trm";
  return ({ singleZ: "trm_singlez", multiZ: "trm_hier6", direct: "transformers_baseline" } as const)[recursion];
}

function refuseWhatDiffers(config: Config, system: System, target: Target): void {
  const { model, training } = config;
  const isDirect = system === "transformers_baseline";
  const only = (key: keyof typeof training | keyof typeof model, expected: unknown, why = ""): void => {
    const value = flattenConfig(config)[key];
    if (value !== expected) throw refusal(`${key} ${JSON.stringify(value)}`, `${JSON.stringify(expected)}${why}`);
  };
  only("optimizer", "adamAtan2");
  only("refill", "slot");
  only("haltingLossWeight", 0.5);
  only("continueLoss", system === "hrm", system === "hrm" ? " for HRM" : " (its code path for it is broken)");
  only("haltAgainstContinue", isDirect);
  if (model.positions === "rotary2d") throw refusal('positions "rotary2d"', '"rotary", "learned" or "none"');
  only("randomStarts", false);
  only("dampingLambda", 1);
  only("pathNoiseBeta", 0);
  if (isDirect) only("mixer", "attention");
  if (system === "hrm" || isDirect) {
    const fitting = Math.ceil(model.puzzleEmbeddingSize / model.hiddenSize);
    if (fitting > 0) only("puzzleSlots", fitting, ", the slots that the puzzle embedding needs");
  }
  if (isDirect && model.positions === "none") throw refusal('positions "none"', '"rotary" or "learned"');
  if (system === "trm_hier6") only("n", 6);
  if (target === "torchrun") return;
  const hint = " (or --for torchrun, whose script supports it)";
  only("loss", "stablemax", `: its softmax loss cannot be called${hint}`);
  const inputs = model.mixer === "mlp" ? [model.hiddenSize, fullLength(model)] : [model.hiddenSize];
  const widths = (multiple: number): string =>
    inputs.map((width) => swigluWidth(width, model.expansion, multiple)).join(" and ");
  if (widths(model.widthMultiple) !== widths(officialMultiple)) {
    throw refusal(
      `widthMultiple ${model.widthMultiple}: SwiGLU widths of ${widths(model.widthMultiple)}`,
      `${widths(officialMultiple)}, multiples of ${officialMultiple}${hint}`,
    );
  }
}

const refusal = (got: string, expected: string): ConfigError =>
  new ConfigError(`export: the official code does not support ${got}, expected ${expected}`);
