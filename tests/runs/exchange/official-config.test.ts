// Configurations in the official form: reading, writing, and refusing settings that the official code does not support.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatOfficialConfig, parseOfficialConfig } from "../../../src/runs/exchange/config-file.ts";
import {
  fromOfficialConfig,
  isOfficialForm,
  readOfficialSettings,
  sectionOf,
  toOfficialConfig,
} from "../../../src/runs/exchange/official-config.ts";
import { ConfigError, parseConfig } from "../../../src/trm/index.ts";
import { fromOfficialSystem } from "../../../src/trm/official-names.ts";
import { officialCase, systemFolders } from "./parity-cases.ts";

const sizes = { vocabularySize: 6, sequenceLength: 16 };
const configOf = (settings: Readonly<Record<string, unknown>>) => parseConfig({ ...sizes, ...settings });

/** Settings of every system in the official code. */
const systems = fc.oneof(
  fc.record({ mixer: fc.constantFrom("mlp", "attention"), n: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ recursion: fc.constant("singleZ"), mixer: fc.constantFrom("mlp", "attention") }),
  fc.record({ recursion: fc.constant("multiZ"), n: fc.constant(6) }),
  fc.record({
    ...Object.fromEntries(
      ["separateNets", "oneStepGradient", "continueLoss"].map((key) => [key, fc.constant(true)] as const),
    ),
    mixer: fc.constant("attention"),
    layers: fc.integer({ min: 1, max: 4 }),
    layersY: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({
    recursion: fc.constant("direct"),
    haltAgainstContinue: fc.constant(true),
    mixer: fc.constant("attention"),
    positions: fc.constantFrom("rotary", "learned"),
  }),
);

const settings = fc
  .record({
    system: systems,
    hiddenSize: fc.constantFrom(16, 32),
    heads: fc.constantFrom(1, 2),
    positions: fc.constantFrom("none", "rotary", "learned"),
    T: fc.integer({ min: 1, max: 4 }),
    expansion: fc.constantFrom(2, 4, 2.5),
    widthMultiple: fc.constantFrom(8, 256),
    puzzleIds: fc.integer({ min: 1, max: 9 }),
    embedding: fc.boolean(),
    loss: fc.constantFrom("stablemax", "softmax"),
    learningRate: fc.constantFrom(1e-4, 1e-7, 2e-3),
    minRatio: fc.constantFrom(1, 0.5),
    emaRate: fc.constantFrom(0, 0.9, 0.999),
    seed: fc.nat(1000),
    batchSize: fc.integer({ min: 1, max: 768 }),
    nSup: fc.integer({ min: 1, max: 16 }),
    totalSteps: fc.integer({ min: 1, max: 100_000 }),
  })
  .map(({ system, embedding, ...rest }) => {
    // HRM and direct prediction have no setting for the number of slots.
    const puzzles = embedding ? { puzzleEmbeddingSize: rest.hiddenSize + 3, puzzleSlots: 2 } : {};
    return { ...rest, ...puzzles, ...system };
  });

describe("export and import of a configuration", () => {
  it("preserves every setting through the text of a file", () =>
    fc.assert(
      fc.property(settings, (own) => {
        const config = configOf(own);
        const text = formatOfficialConfig(toOfficialConfig(config, "torchrun"), "a comment\nof two lines");
        const back = fromOfficialConfig(parseOfficialConfig(text, "config.yaml"), "config.yaml");
        expect(back).toEqual(config);
        expect(formatOfficialConfig(toOfficialConfig(back, "torchrun"), "a comment\nof two lines")).toBe(text);
      }),
    ));

  it("writes the official keys and float32", () => {
    const config = configOf({ puzzleEmbeddingSize: 512, hiddenSize: 512, learningRate: 1e-7 });
    const official = toOfficialConfig(config, "official", { data_paths: ["data"] });
    expect(official).toMatchObject({
      arch: {
        name: "recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1",
        loss: { name: "losses@ACTLossHead", loss_type: "stablemax_cross_entropy" },
        H_cycles: 3,
        L_cycles: 6,
        H_layers: 0,
        L_layers: 2,
        hidden_size: 512,
        num_heads: 8,
        puzzle_emb_ndim: 512,
        puzzle_emb_len: 16,
        pos_encodings: "none",
        forward_dtype: "float32",
        mlp_t: true,
        no_ACT_continue: true,
      },
      global_batch_size: 768,
      lr_warmup_steps: 2000,
      beta2: 0.95,
      ema: true,
      ema_rate: 0.999,
      data_paths: ["data"],
    });
    expect(formatOfficialConfig(official, "x")).toContain("\nlr: 1.0e-7\n"); // 1e-7 would be text for PyYAML
  });

  it("writes puzzle_emb_len 0 without a puzzle embedding", () => {
    expect(toOfficialConfig(configOf({}), "torchrun")).toMatchObject({ arch: { puzzle_emb_len: 0 } });
  });
});

describe("export", () => {
  const hrm = { separateNets: true, oneStepGradient: true, continueLoss: true, mixer: "attention" };
  const direct = { recursion: "direct", haltAgainstContinue: true, mixer: "attention", positions: "rotary" };
  it.each([
    [{ optimizer: "adamW" }, 'optimizer "adamW", expected "adamAtan2"'],
    [{ refill: "batch" }, 'refill "batch"'],
    [{ haltingLossWeight: 1 }, "haltingLossWeight 1"],
    [{ continueLoss: true }, "continueLoss true, expected false (its code path for it is broken)"],
    [{ haltAgainstContinue: true }, "haltAgainstContinue true"],
    [{ separateNets: true }, "separateNets without oneStepGradient"],
    [{ oneStepGradient: true }, "oneStepGradient without separateNets"],
    [{ recursion: "multiZ", n: 4 }, "n 4, expected 6"],
    [{ ...hrm, continueLoss: false }, "continueLoss false, expected true for HRM"],
    [{ ...hrm, puzzleEmbeddingSize: 512 }, "puzzleSlots 16, expected 1"],
    [
      { mixer: "attention", positions: "rotary2d", columns: 1 },
      'positions "rotary2d", expected "rotary", "learned" or "none"',
    ],
    [{ randomStarts: true }, "randomStarts true, expected false"],
    [{ dampingLambda: 0.95 }, "dampingLambda 0.95, expected 1"],
    [{ pathNoiseBeta: 0.01 }, "pathNoiseBeta 0.01, expected 0"],
    [{ recursion: "fixedPoint" }, "recursion fixedPoint"],
    [{ ...direct, positions: "none" }, 'positions "none"'],
    [{ ...direct, haltAgainstContinue: false }, "haltAgainstContinue false"],
  ])("refuses settings that the official code does not support: %o", (own, message) => {
    expect(() => toOfficialConfig(configOf(own), "torchrun")).toThrow(ConfigError);
    expect(() => toOfficialConfig(configOf(own), "torchrun")).toThrow(message);
  });

  it("refuses SwiGLU widths other than those of the unmodified official code", () => {
    const small = configOf({ widthMultiple: 16, hiddenSize: 64 });
    expect(() => toOfficialConfig(small, "official")).toThrow(
      "widthMultiple 16: SwiGLU widths of 176 and 48, expected 256 and 256, multiples of 256 (or --for torchrun",
    );
    expect(toOfficialConfig(small, "torchrun")).toBeDefined();
    const equal = configOf({ widthMultiple: 16, hiddenSize: 96, mixer: "attention" });
    expect(toOfficialConfig(equal, "official")).toBeDefined();
    expect(() => toOfficialConfig(configOf({ loss: "softmax" }), "official")).toThrow(
      "its softmax loss cannot be called",
    );
  });
});

describe("official files", () => {
  const name = "recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1";
  it.each(systemFolders)("give the configuration of parity case %s", (folder) => {
    const { json, official, settings: flat } = officialCase(folder);
    const config = fromOfficialConfig(official, folder);
    expect(config).toEqual(parseConfig(fromOfficialSystem(json.kind, flat, folder), folder));
  });

  it("are accepted as a complete configuration and as an arch file alone", () => {
    const arch = `
name: recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1
loss:
  name: losses@ACTLossHead
  loss_type: stablemax_cross_entropy
H_cycles: 3
L_cycles: 6
H_layers: 0
L_layers: 2
hidden_size: 512
num_heads: 8
expansion: 4
puzzle_emb_ndim: \${.hidden_size}
pos_encodings: rope
forward_dtype: bfloat16
mlp_t: False
puzzle_emb_len: 16
no_ACT_continue: True`;
    const alone = fromOfficialConfig(parseOfficialConfig(arch, "trm.yaml"), "trm.yaml", sizes);
    expect(alone.model).toMatchObject({ T: 3, puzzleEmbeddingSize: 512, mixer: "attention", positions: "rotary" });
    const indented = arch.replaceAll("\n", "\n  ");
    const whole = `arch: ${indented}\ndata_paths: [data/x]\nglobal_batch_size: 768\nepochs: 100\nlr: 1e-4\nema: False\nema_rate: 0.999\nrun_name: null`;
    const read = fromOfficialConfig(parseOfficialConfig(whole, "all_config.yaml"), "all_config.yaml", sizes);
    expect(read.training).toMatchObject({ learningRate: 1e-4, emaRate: 0, batchSize: 768 });
    expect(read.model).toEqual(alone.model);
  });

  const hrm = `
name: hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1
loss:
  name: losses@ACTLossHead
  loss_type: stablemax_cross_entropy
halt_exploration_prob: 0.1
halt_max_steps: 16
H_cycles: 2
L_cycles: 2
H_layers: 4
L_layers: 4
hidden_size: 512
num_heads: 8
expansion: 4
puzzle_emb_ndim: \${.hidden_size}
pos_encodings: rope`;

  it("of HRM's own repository are accepted under its class name and without an average", () => {
    const text = `arch: ${hrm.replaceAll("\n", "\n  ")}
data_path: data/arc-aug-1000
global_batch_size: 768
epochs: 100000
eval_interval: 10000
checkpoint_every_eval: True
lr: 1e-4
lr_min_ratio: 1.0
lr_warmup_steps: 2000
beta1: 0.9
beta2: 0.95
weight_decay: 0.1
puzzle_emb_weight_decay: 0.1
puzzle_emb_lr: 1e-2`;
    const { model, training } = fromOfficialConfig(parseOfficialConfig(text, "c.yaml"), "c.yaml", sizes, 3120);
    const recursion = { separateNets: true, oneStepGradient: true, T: 2, n: 2, layers: 4, layersY: 4 };
    expect(model).toMatchObject({ ...recursion, mixer: "attention", puzzleEmbeddingSize: 512, puzzleSlots: 1 });
    expect(training).toMatchObject({ continueLoss: true, emaRate: 0, weightDecay: 0.1, totalSteps: 406_250 });
    const { derive, isComplete } = readOfficialSettings(parseOfficialConfig(hrm, "hrm_v1.yaml"), "hrm_v1.yaml");
    expect(isComplete).toBe(false);
    expect(derive({ hiddenSize: 64, puzzleEmbeddingSize: 512 })).toEqual({ puzzleEmbeddingSize: 64, puzzleSlots: 1 });
  });

  it("have epochs, which become steps as in the official code unless the section trm_ts contains totalSteps", () => {
    const file = { arch: { name }, global_batch_size: 768, epochs: 50_000 };
    expect(fromOfficialConfig(file, "c.yaml", sizes, 1_000).training.totalSteps).toBe(65_104);
    const exported = { ...file, trm_ts: { settings: { totalSteps: 7 } } };
    expect(fromOfficialConfig(exported, "c.yaml", sizes, 1_000).training.totalSteps).toBe(7);
    for (const epochs of ["many", 0, -1, Number.NaN, null]) {
      expect(() => readOfficialSettings({ ...file, epochs }, "c.yaml"), String(epochs)).toThrow(
        /^c\.yaml: epochs: got /,
      );
    }
  });

  it("derive puzzle_emb_ndim from the hidden size only where the file refers to it", () => {
    const derived = (arch: object) =>
      readOfficialSettings({ arch: { name, hidden_size: 512, ...arch } }, "c.yaml").derive({
        hiddenSize: 128,
        puzzleEmbeddingSize: 512,
      });
    expect(derived({ puzzle_emb_ndim: `\${.hidden_size}`, puzzle_emb_len: 16 })).toEqual({ puzzleEmbeddingSize: 128 });
    expect(derived({ puzzle_emb_ndim: 512, puzzle_emb_len: 16 })).toEqual({});
    expect(derived({ puzzle_emb_ndim: 512, puzzle_emb_len: 0 })).toEqual({ puzzleSlots: 4 });
  });

  it("that leave the model to another file are refused", () => {
    for (const file of [
      { defaults: [{ arch: "trm" }], lr: 1 },
      { arch: "trm", lr: 1 },
    ]) {
      expect(isOfficialForm(file)).toBe(true);
      expect(() => readOfficialSettings(file, "c.yaml")).toThrow("c.yaml: the model is in another file");
    }
    expect(isOfficialForm({ H_cycles: 3 })).toBe(false);
    expect(isOfficialForm({ name })).toBe(true);
  });

  it("with puzzle_emb_len 0 have the number of slots that the embedding needs", () => {
    const arch = { name: "recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1", hidden_size: 16, num_heads: 2 };
    const config = fromOfficialConfig({ ...arch, puzzle_emb_ndim: 40, puzzle_emb_len: 0 }, "x", sizes);
    expect(config.model).toMatchObject({ puzzleEmbeddingSize: 40, puzzleSlots: 3 });
  });

  it.each([
    [{ arch: { name: "mine@Model" } }, 'arch.name "mine@Model", expected one of'],
    [{ arch: { name, rms_norm_eps: 1e-6 } }, "rms_norm_eps: got 0.000001"],
    [{ arch: { name, hidden_size: `\${.width}` } }, 'hidden_size refers to "width"'],
    [{ arch: { name }, freeze_weights: true }, "freeze_weights: got true, expected false"],
    [{ arch: { name }, ema: "yes" }, 'c.yaml: ema: got the string "yes", expected true or false'],
    [{ arch: { name, loss: 3 } }, "c.yaml: arch.loss: got 3, expected a mapping with loss_type"],
    [{ arch: { name }, learnig_rate: 1 }, 'unknown key "learnig_rate", did you mean "learningRate"'],
    [{ arch: { name, hidden_size: "wide" } }, "hiddenSize"],
  ])("are refused with the name of the key: %o", (official, message) => {
    expect(() => fromOfficialConfig(official, "c.yaml", sizes)).toThrow(ConfigError);
    expect(() => fromOfficialConfig(official, "c.yaml", sizes)).toThrow(message);
  });

  it("that are not mappings are refused with a one-line error", () => {
    for (const text of ["a: [", "- 1", "", "a: *b", "x\ny: z: w"]) {
      expect(() => parseOfficialConfig(text, "c.yaml"), text).toThrow(ConfigError);
      expect(() => parseOfficialConfig(text, "c.yaml"), text).toThrow(/^c\.yaml: [^\n]+$/);
    }
    const bomb = `a: &a [1,1,1,1,1,1,1,1,1]\n${[..."bcdefghi"].map((c, i) => `${c}: &${c} [${Array(9).fill(`*${"abcdefgh"[i]}`)}]`).join("\n")}`;
    expect(() => parseOfficialConfig(bomb, "c.yaml")).toThrow(/^c\.yaml: [^\n]+$/);
  });

  /** Mostly keys of the official files: an unknown key is refused before any value is read. */
  const withKeys = (keys: string) =>
    fc.dictionary(
      fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...keys.split(" ")) }, { weight: 1, arbitrary: fc.string() }),
      fc.oneof(
        fc.jsonValue({ maxDepth: 1 }),
        fc.constantFrom<unknown>(0, 1, 2, 512, 1e-4, -1, Number.NaN, true, null, `\${.hidden_size}`, `\${.x}`),
      ),
      { maxKeys: 4 },
    );
  const archKeys = withKeys(
    "hidden_size num_heads H_cycles L_cycles H_layers L_layers expansion puzzle_emb_ndim puzzle_emb_len pos_encodings mlp_t loss halt_max_steps halt_exploration_prob forward_dtype rms_norm_eps rope_theta no_ACT_continue",
  );
  const otherKeys = withKeys(
    "global_batch_size epochs lr lr_min_ratio lr_warmup_steps beta1 beta2 weight_decay puzzle_emb_lr puzzle_emb_weight_decay ema ema_rate seed freeze_weights trm_ts",
  );

  it("with arbitrary keys and values are read or refused with a one-line ConfigError", () =>
    fc.assert(
      fc.property(otherKeys, archKeys, (rest, arch) => {
        try {
          fromOfficialConfig({ ...rest, arch: { name, ...arch } }, "c.yaml", sizes);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
          expect((error as Error).message).not.toContain("\n");
        }
      }),
    ));

  it("need no section trm_ts, and other values of it are ignored", () => {
    expect(sectionOf({})).toEqual({});
    expect(sectionOf({ trm_ts: 3 })).toEqual({});
  });
});
