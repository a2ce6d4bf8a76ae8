// The table of the official code's names and ours, for configuration keys and for weights.
// Source: SamsungSAILMontreal/TinyRecursiveModels at e7b6871.
import { ConfigError } from "./errors.ts";

/** Official configuration keys, each with a conversion to our settings. */
const configNames: Record<string, (value: unknown) => Record<string, unknown>> = {
  vocab_size: (v) => ({ vocabularySize: v }),
  seq_len: (v) => ({ sequenceLength: v }),
  num_puzzle_identifiers: (v) => ({ puzzleIds: v }),
  puzzle_emb_ndim: (v) => ({ puzzleEmbeddingSize: v }),
  puzzle_emb_len: (v) => ({ puzzleSlots: v }),
  H_cycles: (v) => ({ T: v }),
  L_cycles: (v) => ({ n: v }),
  L_layers: (v) => ({ layers: v }),
  H_layers: (v) => (Number(v) > 0 ? { layersY: v } : {}),
  hidden_size: (v) => ({ hiddenSize: v }),
  num_heads: (v) => ({ heads: v }),
  pos_encodings: (v) => ({ positions: v === "rope" ? "rotary" : v }),
  mlp_t: (v) => ({ mixer: v ? "mlp" : "attention" }),
  intermediate_multiple: (v) => ({ widthMultiple: v }),
  batch_size: (v) => ({ batchSize: v }),
  global_batch_size: (v) => ({ batchSize: v }),
  halt_max_steps: (v) => ({ nSup: v }),
  halt_exploration_prob: (v) => ({ explorationProbability: v }),
  no_ACT_continue: (v) => ({ continueLoss: !v }),
  loss_type: (v) => ({ loss: String(v).replace(/_cross_entropy$/, "") }),
  optimizer: (v) => ({ optimizer: v === "adam_atan2" ? "adamAtan2" : v === "adamw" ? "adamW" : v }),
  betas: (v) => (Array.isArray(v) ? { beta1: v[0], beta2: v[1] } : { betas: v }),
  lr: (v) => ({ learningRate: v }),
  lr_warmup_steps: (v) => ({ warmupSteps: v }),
  lr_min_ratio: (v) => ({ minRatio: v }),
  weight_decay: (v) => ({ weightDecay: v }),
  puzzle_emb_lr: (v) => ({ puzzleLearningRate: v }),
  puzzle_emb_weight_decay: (v) => ({ puzzleWeightDecay: v }),
  ema_rate: (v) => ({ emaRate: v }),
  total_steps: (v) => ({ totalSteps: v }),
  forward_dtype: float32Only,
};

/** DEVIATION: number format — activations are float32; a file that requests bfloat16, as the official code uses, is read as float32. */
function float32Only(): Record<string, unknown> {
  return {};
}

/** Replaces official keys by ours. @throws ConfigError if a setting occurs under both names */
export function fromOfficialNames(settings: Readonly<Record<string, unknown>>, where: string): Record<string, unknown> {
  const result = new Map<string, unknown>(); // unlike an object, it has no key but the settings
  for (const [key, value] of Object.entries(settings)) {
    const translated = Object.hasOwn(configNames, key) ? configNames[key]!(value) : { [key]: value };
    for (const [own, ownValue] of Object.entries(translated)) {
      if (result.has(own)) throw new ConfigError(`${where}: "${own}" is set twice, the second time as "${key}"`);
      result.set(own, ownValue);
    }
  }
  return Object.fromEntries(result);
}

/** The official systems, each with its differences from TRM as a function of its official settings. */
const systems: Record<string, (official: Readonly<Record<string, unknown>>) => Record<string, unknown>> = {
  trm: () => ({}),
  hrm: (official) => ({
    separateNets: true,
    oneStepGradient: true,
    continueLoss: true,
    puzzleSlots: slotsToFit(official),
  }),
  trm_singlez: () => ({ recursion: "singleZ" }),
  trm_hier6: () => ({ recursion: "multiZ" }),
  transformers_baseline: (official) => ({
    recursion: "direct",
    layers: official.H_layers,
    haltAgainstContinue: true,
    puzzleSlots: slotsToFit(official),
  }),
};

/** P = ceil(embedding size / D). HRM and direct prediction have no setting for P. */
const slotsToFit = (official: Readonly<Record<string, unknown>>): number =>
  Math.ceil(Number(official.puzzle_emb_ndim) / Number(official.hidden_size));

/**
 * Converts the configuration of an official system to settings in our names.
 *
 * @throws ConfigError for an unknown system
 */
export function fromOfficialSystem(
  system: string,
  official: Readonly<Record<string, unknown>>,
  where: string,
): Record<string, unknown> {
  if (!Object.hasOwn(systems, system)) {
    throw new ConfigError(`${where}: unknown system "${system}", expected one of ${Object.keys(systems).join(", ")}`);
  }
  // Official models use self-attention unless mlp_t is set.
  const own = { mixer: "attention", ...fromOfficialNames(official, where), ...systems[system]!(official) };
  if (system === "transformers_baseline") delete (own as { layersY?: unknown }).layersY;
  return own;
}

/** Our weight names and the official ones. `*` stands for the number of a block. */
const weightNames: readonly (readonly [own: string, official: string])[] = [
  ["embedding.weight", "inner.embed_tokens.embedding_weight"],
  ["positions.weight", "inner.embed_pos.embedding_weight"],
  ["outputWeights.weight", "inner.lm_head.weight"],
  ["qWeights.weight", "inner.q_head.weight"],
  ["qWeights.bias", "inner.q_head.bias"],
  ["net.blocks.*.sequenceMlp.gateUp", "inner.L_level.layers.*.mlp_t.gate_up_proj.weight"],
  ["net.blocks.*.sequenceMlp.down", "inner.L_level.layers.*.mlp_t.down_proj.weight"],
  ["net.blocks.*.attention.qkv", "inner.L_level.layers.*.self_attn.qkv_proj.weight"],
  ["net.blocks.*.attention.out", "inner.L_level.layers.*.self_attn.o_proj.weight"],
  ["net.blocks.*.mlp.gateUp", "inner.L_level.layers.*.mlp.gate_up_proj.weight"],
  ["net.blocks.*.mlp.down", "inner.L_level.layers.*.mlp.down_proj.weight"],
];

/**
 * The official name of a weight; a parameter that the official code does not have keeps its own name. A single network is L_level.
 * With separate networks, H_level updates y; direct prediction has only H_level.
 */
export function officialWeightName(own: string, onlyY = false): string {
  const path = own.replace(/^netY\./, "net.").replace(/\.\d+\./, ".*.");
  const row = weightNames.find(([name]) => name === path);
  if (!row) return own;
  const block = own.match(/\.(\d+)\./)?.[1] ?? "";
  const name = row[1].replace("*", block);
  return own.startsWith("netY.") || onlyY ? name.replace("L_level", "H_level") : name;
}

/**
 * Official names of the initial and the carried latents: y is z_H; z is z_L, and several latents are z_L1, z_L2, ... Other latents
 * keep their own name.
 */
export function officialStateName(own: string): { initial: string; carry: string } {
  if (!/^(y|z\d*)$/.test(own)) return { initial: `initial.${own}`, carry: own };
  const suffix = own === "y" ? "H" : `L${own.slice(1)}`;
  return { initial: `inner.${suffix}_init`, carry: `z_${suffix}` };
}

/** The official name of the puzzle table. */
export const officialPuzzleTable = "inner.puzzle_emb.weights";
