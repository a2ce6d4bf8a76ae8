/**
 * Converts configurations to and from the official form: the keys of its cfg_pretrain.yaml, with the model in `arch` and the loss
 * in `arch.loss`. Settings that the official code does not support are refused by name. Settings without an official key (the
 * official code reads them from the data or fixes them in its source) are stored in a section `trm_ts`, which it ignores.
 */
import { swigluWidth } from "../../nn/index.ts";
import {
  type Config,
  ConfigError,
  flattenConfig,
  fromOfficialSystem,
  fullLength,
  parseConfig,
  puzzleSlots,
} from "../../trm/index.ts";
import { isRecord, type Settings } from "./records.ts";

/** Reader of an export: the unmodified official code, or interop/torchrun/train.py, which supports more settings. */
export type Target = "official" | "torchrun";
export const targets: readonly Target[] = ["official", "torchrun"];

/** The official code rounds the inner widths of SwiGLU up to a multiple of this. */
const officialMultiple = 256;

/** Official class of every system, as written in `arch.name`. */
const archNames = {
  trm: "recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1",
  trm_singlez: "recursive_reasoning.trm_singlez@TinyRecursiveReasoningModel_ACTV1",
  trm_hier6: "recursive_reasoning.trm_hier6@TinyRecursiveReasoningModel_ACTV1",
  hrm: "recursive_reasoning.hrm@HierarchicalReasoningModel_ACTV1",
  transformers_baseline: "recursive_reasoning.transformers_baseline@Model_ACTV2",
} as const;
type System = keyof typeof archNames;

/** Official keys about files, data and reports, which do not affect model or training. */
const otherKeys = [
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
 * @throws ConfigError
 */
export function fromOfficialConfig(official: Settings, where: string, known: Settings = {}): Config {
  return parseConfig({ ...known, ...settingsOfOfficial(official, where) }, where);
}

/** The settings of the official form under our names, including those of the section `trm_ts`. @throws ConfigError */
export function settingsOfOfficial(official: Settings, where: string): Settings {
  const given = sectionOf(official).settings;
  return { ...ownSettingsOf(official, where), ...(isRecord(given) ? given : {}) };
}

/** The section `trm_ts`, which the official code ignores. */
export function sectionOf(official: Settings): Settings {
  return isRecord(official.trm_ts) ? official.trm_ts : {};
}

function ownSettingsOf(official: Settings, where: string): Settings {
  const whole = isRecord(official.arch) ? official : { arch: official };
  const { arch, ...rest } = whole as { arch: Settings } & Settings;
  const { name, loss, rms_norm_eps = 1e-5, rope_theta = 10000, causal, ...model } = resolved(arch, where);
  const system = Object.entries(archNames).find(([, each]) => each === name)?.[0];
  if (!system) {
    throw new ConfigError(
      `${where}: arch.name ${JSON.stringify(name)}, expected one of ${Object.values(archNames).join(", ")}`,
    );
  }
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
  const lossType = isRecord(loss) && loss.loss_type !== undefined ? { loss_type: loss.loss_type } : {};
  const average = ema === false ? { ema_rate: 0 } : {}; // an arch file alone has no such key
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
    if (got[key] !== value)
      throw new ConfigError(`${where}: ${key}: got ${JSON.stringify(got[key])}, expected ${value}`);
  }
}

/** Settings that are lost when only the official part is read back. */
function notCarried(config: Config, official: Settings): Settings {
  const { vocabularySize, sequenceLength } = config.model;
  const back = flattenConfig(parseConfig({ ...ownSettingsOf(official, "export"), vocabularySize, sequenceLength }));
  return Object.fromEntries(
    Object.entries(flattenConfig(config)).filter(
      ([key, value]) => value !== undefined && (value !== back[key] || key in { vocabularySize, sequenceLength }),
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
  if (recursion === "trm") return separateNets ? "hrm" : "trm";
  if (separateNets) throw refusal(`recursion ${recursion} with separateNets`, "one network");
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
