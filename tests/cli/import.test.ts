/** `trm import`: puzzle ids are tied to their data set, and configurations and weights of HRM are accepted. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { importCommand } from "../../src/cli/commands/import.ts";
import { trainCommand } from "../../src/cli/commands/train.ts";
import { serializePt, serializeSafetensors, type WritableTensor } from "../../src/formats/index.ts";
import { exportRun, readCheckpoint, readOfficialConfig } from "../../src/runs/index.node.ts";
import { exportWeights } from "../../src/runs/index.ts";
import { Random } from "../../src/tensor/index.ts";
import { Model, parseConfig } from "../../src/trm/index.ts";
import { renumber, writeNumberedSet } from "./numbered-set.ts";
import { runCommand } from "./run-command.ts";

const folder = mkdtempSync(join(tmpdir(), "trm-import-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const data = join(folder, "data");
const other = join(folder, "other");
const exported = join(folder, "exported");
const weights = join(exported, "model.safetensors");
const importRun = (...args: string[]): Promise<string> => runCommand(importCommand(), ...args);
let number = 0;
const newRun = (): string => join(folder, `run${number++}`);

beforeAll(async () => {
  writeNumberedSet(data);
  cpSync(data, other, { recursive: true });
  renumber(other);
  const run = newRun();
  const settings = [
    "hiddenSize=8",
    "heads=1",
    "widthMultiple=8",
    "T=1",
    "n=1",
    "nSup=1",
    "batchSize=2",
    "mixer=attention",
  ];
  const embedding = ["puzzleEmbeddingSize=8", "puzzleSlots=1"];
  await runCommand(trainCommand(), "--data", data, "--out", run, "--steps", "1", "--set", ...settings, ...embedding);
  await exportRun({ run, out: exported, target: "torchrun" });
});

it("an export carries the fingerprint of its data set, and import refuses another set", async () => {
  const out = newRun();
  expect(await importRun(weights, "--out", out)).not.toContain("cannot be verified");
  expect(readCheckpoint(out).side.data).toMatchObject({ train: expect.stringMatching(/^[0-9a-f]{64}$/) });
  const refused = newRun();
  await expect(importRun(weights, "--out", refused, "--data", other)).rejects.toThrow(
    /other: is not the data set of .*config\.yaml: .*the names of the puzzle ids differ/,
  );
  expect(existsSync(refused)).toBe(false);
});

/** A folder with weights and a configuration that are not part of an export. */
function officialFolder(
  name: string,
  arch: string,
  tensors: ReadonlyMap<string, WritableTensor>,
  prefixes: readonly string[] = ["_orig_mod.model."],
): string {
  const place = join(folder, name);
  mkdirSync(place);
  const saved = prefixes.flatMap((prefix) => [...tensors].map(([key, value]) => [prefix + key, value] as const));
  writeFileSync(join(place, "step_1"), serializePt(new Map(saved)));
  const training =
    "global_batch_size: 4\nepochs: 100\nlr: 1e-4\nlr_min_ratio: 1.0\nlr_warmup_steps: 2\nbeta1: 0.9\nbeta2: 0.95\nweight_decay: 0.1\npuzzle_emb_lr: 1e-2\npuzzle_emb_weight_decay: 0.1\n";
  writeFileSync(join(place, "all_config.yaml"), `arch:\n${arch}\ndata_path: ${data}\n${training}`);
  return join(place, "step_1");
}
const hrm = `  name: hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1
  loss: {name: losses@ACTLossHead, loss_type: stablemax_cross_entropy}
  halt_exploration_prob: 0.1
  halt_max_steps: 2
  H_cycles: 2
  L_cycles: 2
  H_layers: 1
  L_layers: 1
  hidden_size: 16
  num_heads: 2
  expansion: 4
  puzzle_emb_ndim: \${.hidden_size}
  pos_encodings: rope`;
async function hrmWeights(puzzleIds: number): Promise<Map<string, WritableTensor>> {
  const recursion = { separateNets: true, oneStepGradient: true, continueLoss: true, layers: 1, layersY: 1 };
  const sizes = {
    vocabularySize: 6,
    sequenceLength: 16,
    hiddenSize: 16,
    heads: 2,
    mixer: "attention",
    positions: "rotary",
  } as const;
  const { model } = parseConfig({ ...recursion, ...sizes, puzzleIds, puzzleEmbeddingSize: 16, puzzleSlots: 1 });
  const made = new Model(model, new Random(1));
  const tensors = await exportWeights(made);
  made.dispose();
  return tensors;
}

it("a configuration names no module that is imported", () => {
  const path = join(folder, "module.yaml");
  const task = { name: "grid", title: "flip", rows: 2, columns: 2, symbols: ".#", symmetry: "none" };
  writeFileSync(path, JSON.stringify({ trm_ts: { task: { ...task, module: "/tmp/evil.mjs" } } })); // JSON is YAML
  expect(readOfficialConfig(path, "weights")).toMatchObject({ task, module: "/tmp/evil.mjs" });
  expect(readOfficialConfig(path, "weights").task).toEqual(task);
});

it("a configuration and weights of HRM's own code are imported with their data set and epochs", async () => {
  const tensors = await hrmWeights(9);
  const printed = await importRun(officialFolder("hrm", hrm, tensors), "--out", newRun());
  const { side, files } = readCheckpoint(join(folder, `run${number - 1}`));
  expect(side.config.model).toMatchObject({
    separateNets: true,
    puzzleEmbeddingSize: 16,
    puzzleSlots: 1,
    puzzleIds: 9,
  });
  expect(side.config.training).toMatchObject({ emaRate: 0, totalSteps: 200 });
  expect(files.get("weights.safetensors")).toEqual(Buffer.from(serializeSafetensors(tensors)));
  expect(printed).toMatch(/note: .*step_1: removed the prefix "_orig_mod.model." from \d+ names/);
  expect(printed).toMatch(
    /note: .*data: the data set cannot be verified, because .*all_config\.yaml stores no fingerprint/,
  );
});

it("averaged weights are refused if the configuration has no average, and noted if the file contains them", async () => {
  const file = officialFolder("averaged", hrm, await hrmWeights(9), ["_orig_mod.model.", "ema_model."]);
  const config = join(folder, "averaged", "all_config.yaml");
  const refused = newRun();
  await expect(importRun(file, "--ema", file, "--out", refused)).rejects.toThrow(
    `import: --ema ${file} cannot be used, because ${config} does not contain "ema: true"`,
  );
  expect(existsSync(refused)).toBe(false);
  const [plain, averaging] = [newRun(), newRun()];
  const note = `note: ${file}: the averaged weights are not imported, because ${config} does not contain "ema: true"\n`;
  expect(await importRun(file, "--out", plain)).toContain(note);
  expect(readCheckpoint(plain).files.has("ema.safetensors")).toBe(false);
  writeFileSync(config, `${readFileSync(config, "utf8")}ema: true\n`);
  expect(await importRun(file, "--out", averaging)).not.toContain("not imported");
  expect(readCheckpoint(averaging).files.has("ema.safetensors")).toBe(true);
});

it("weights with another number of puzzle ids than the data set are refused", async () => {
  const out = newRun();
  await expect(importRun(officialFolder("rows", hrm, await hrmWeights(11)), "--out", out)).rejects.toThrow(
    "data: 9 puzzle ids, expected 11, the number of rows of the puzzle embedding",
  );
  expect(existsSync(out)).toBe(false);
});

it("--puzzles sets the number of generated training puzzles, and is refused for puzzles that are read", async () => {
  const [run, out] = [newRun(), newRun()];
  const from = join(folder, "without-data");
  const settings = ["hiddenSize=8", "heads=1", "widthMultiple=8", "T=1", "n=1", "nSup=1", "batchSize=2"];
  const puzzles = ["--task", "sudoku4", "--puzzles", "6"];
  await runCommand(trainCommand(), ...puzzles, "--out", run, "--steps", "0", "--set", ...settings);
  await exportRun({ run, out: from, target: "torchrun" });
  const file = join(from, "model.safetensors");
  await expect(importRun(file, "--out", out, "--puzzles", "9")).rejects.toThrow(
    `import: --puzzles 9 cannot be used, because the puzzles are read from ${join(from, "data")}`,
  );
  rmSync(join(from, "data"), { recursive: true });
  const printed = await importRun(file, "--out", out, "--puzzles", "9");
  expect(printed).toContain("puzzles  generated: 9 for training");
});
