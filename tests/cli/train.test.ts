/** `trm train` and its run folder: resuming, periodic saving, metrics, data sets and official configurations. */
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { dataCommand } from "../../src/cli/commands/data.ts";
import { evalCommand } from "../../src/cli/commands/eval.ts";
import { infoCommand } from "../../src/cli/commands/info.ts";
import { solveCommand } from "../../src/cli/commands/solve.ts";
import { trainCommand } from "../../src/cli/commands/train.ts";
import { parseNpy, parseSafetensors, serializeNpy, toFloat32 } from "../../src/formats/index.ts";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { readCheckpoint } from "../../src/runs/index.node.ts";
import { packModel } from "../../src/runs/index.ts";
import { Random } from "../../src/tensor/index.ts";
import { Model, parseConfig, Training } from "../../src/trm/index.ts";
import { projectRoot } from "../source.ts";
import { renumber, writeNumberedSet } from "./numbered-set.ts";
import { runCommand } from "./run-command.ts";

const root = mkdtempSync(join(tmpdir(), "trm-train-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folder = "";
let out = "";
let number = 0;
beforeEach(() => {
  folder = join(root, String(number++));
  out = join(folder, "run");
});

const tiny = ["hiddenSize=8", "heads=1", "widthMultiple=8", "T=1", "n=1", "nSup=1", "batchSize=4", "warmupSteps=1"];
const train = (...args: string[]): Promise<string> => runCommand(trainCommand(), ...args);
const trainSudoku6 = (...more: string[]): Promise<string> =>
  train("--task", "sudoku6", "--puzzles", "6", "--out", out, ...more, "--set", ...tiny);
const stepsOf = (run: string): string[] => readdirSync(run).filter((name) => name.startsWith("checkpoint-"));
/** A hash of the weights, because a diff of their bytes takes minutes. */
const weightsOf = (run: string): string =>
  createHash("sha256").update(readCheckpoint(run).files.get("weights.safetensors")!).digest("hex");
const linesOf = (run: string): { step: number; loss: number }[] =>
  readFileSync(join(run, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter((line) => "loss" in line);

describe("a resumed run", () => {
  it("continues with augmentation and equals an uninterrupted run bit for bit", async () => {
    await trainSudoku6("--steps", "4");
    const whole = weightsOf(out);
    out = join(folder, "parts");
    await trainSudoku6("--steps", "2");
    expect(JSON.parse(readFileSync(join(out, "run.json"), "utf8")).data.augment).toBe(true);
    await train("--resume", out, "--steps", "4");
    expect(weightsOf(out)).toEqual(whole);
  });

  it("can continue from an earlier checkpoint and then equals the first attempt", async () => {
    await trainSudoku6("--steps", "4", "--save-every", "1e-9");
    expect(stepsOf(out)).toEqual(["checkpoint-0000002", "checkpoint-0000003", "checkpoint-0000004"]);
    const first = weightsOf(out);
    await expect(train("--resume", out, "--from", "1")).rejects.toThrow("expected one of steps 2, 3, 4");
    await train("--resume", out, "--from", "2", "--steps", "3");
    expect(stepsOf(out)).toEqual(["checkpoint-0000002", "checkpoint-0000003"]);
    expect(linesOf(out).map(({ step }) => step)).toEqual([1, 2, 3]);
    await train("--resume", out, "--steps", "4");
    expect(weightsOf(out)).toEqual(first);
    await expect(train("--task", "sudoku6", "--from", "2")).rejects.toThrow("--from requires --resume");
  });

  it("keeps its later checkpoints if it has reached its goal at an earlier one already", async () => {
    await trainSudoku6("--steps", "2");
    await train("--resume", out, "--steps", "4", "--save-every", "1e-9");
    const before = [stepsOf(out), linesOf(out)];
    const reached =
      "train: --from 2: the run has reached its goal at this step, expected --minutes, or --steps above 2";
    await expect(train("--resume", out, "--from", "2")).rejects.toThrow(reached);
    await expect(train("--resume", out, "--from", "2", "--steps", "2")).rejects.toThrow(reached);
    expect([stepsOf(out), linesOf(out)]).toEqual(before);
  });
});

it("Ctrl-C beyond the goal of the run suggests to continue with a new goal", async () => {
  await trainSudoku6("--steps", "1");
  const makeStep = Training.prototype.supervisionStep;
  const interrupted = vi.spyOn(Training.prototype, "supervisionStep").mockImplementation(async function (
    this: Training,
    onProgress,
  ) {
    const metrics = await makeStep.call(this, onProgress);
    process.emit("SIGINT");
    return metrics;
  });
  try {
    expect(await train("--resume", out, "--steps", "9")).toContain(`train --resume ${out} --minutes 10\n`);
    expect(readCheckpoint(out).side.step).toBe(2);
  } finally {
    interrupted.mockRestore();
  }
});

describe("a run with settings of methods after the paper", () => {
  const methods = ["T=3", "n=3", "totalSteps=10", "randomStarts=true", "dampingLambda=0.95", "pathNoiseBeta=0.01"];
  const after = [...methods, "depthCurriculum=true", "revealProbability=0.5"];

  it("continues bit for bit inside a stage of the curriculum, and info, eval and solve use its settings", async () => {
    const given = ["--set", ...tiny, ...after];
    const start = (steps: string) =>
      train("--task", "sudoku4", "--puzzles", "6", "--out", out, "--steps", steps, ...given);
    await start("5");
    const whole = weightsOf(out);
    const evaluated = await runCommand(evalCommand(), out, "--limit", "20", "--json");
    out = join(folder, "parts");
    await start("2");
    await train("--resume", out, "--steps", "5");
    expect(weightsOf(out)).toEqual(whole);
    expect(await runCommand(evalCommand(), out, "--limit", "20", "--json")).toBe(evaluated);
    const { config } = JSON.parse(await runCommand(infoCommand(), out, "--json"));
    expect(config).toMatchObject({ dampingLambda: 0.95, pathNoiseBeta: 0.01, randomStarts: true });
    expect(config).toMatchObject({ depthCurriculum: true, revealProbability: 0.5 });
    expect(await runCommand(infoCommand(), out)).toMatch(/dampingLambda +0.95/);
    const solved = JSON.parse(
      await runCommand(solveCommand(), out, ".".repeat(16), "--rollouts", "2", "--steps", "2", "--json"),
    );
    expect(solved.rollouts[0].residual).not.toBe(solved.rollouts[1].residual);
  });

  it("is refused before anything is written if the recursion has no stages", async () => {
    const started = train("--task", "sudoku6", "--out", out, "--set", "recursion=multiZ", "depthCurriculum=true");
    await expect(started).rejects.toThrow("--set: depthCurriculum: got the recursion multiZ, expected trm or singleZ");
    expect(existsSync(out)).toBe(false);
  });
});

it("training draws random symmetries of its puzzles where the preset augments", async () => {
  await trainSudoku6("--steps", "4");
  const rowsOf = (bytes: Uint8Array, name: string): string[] => {
    const { shape, data } = parseSafetensors(bytes).tensors.get(name)!;
    const [count, length] = shape as [number, number];
    return Array.from({ length: count }, (_, i) => data.slice(i * length, (i + 1) * length).join());
  };
  const known = rowsOf(readFileSync(join(out, "data.safetensors")), "train/inputs");
  const drawn = rowsOf(readCheckpoint(out).files.get("training.safetensors")!, "carry/inputs");
  expect(drawn.filter((row) => known.includes(row))).toEqual([]);
});

it("training saves periodically, in the interval of --save-every", async () => {
  await trainSudoku6("--steps", "3", "--save-every", "1e-9");
  expect(stepsOf(out)).toEqual(["checkpoint-0000001", "checkpoint-0000002", "checkpoint-0000003"]);
  out = join(folder, "rarely");
  await trainSudoku6("--steps", "3", "--save-every", "3600");
  expect(stepsOf(out)).toEqual(["checkpoint-0000000", "checkpoint-0000003"]);
});

it("the losses in metrics.jsonl are means over the batch", async () => {
  // With a learning rate near 0 the weights stay the same, so the mean loss of all 6 puzzles does not depend on the batch size.
  const means: number[] = [];
  for (const [batchSize, steps] of [
    ["6", "1"],
    ["1", "6"],
  ] as const) {
    out = join(folder, `batches-of-${batchSize}`);
    const settings = ["--set", ...tiny, "learningRate=1e-30", "weightDecay=0", "explorationProbability=0"];
    await train(
      "--task",
      "sudoku4",
      "--puzzles",
      "6",
      "--out",
      out,
      "--steps",
      steps,
      ...settings,
      `batchSize=${batchSize}`,
    );
    const losses = linesOf(out).map(({ loss }) => loss);
    means.push(losses.reduce((sum, loss) => sum + loss, 0) / losses.length);
  }
  expect(means[0]).toBeCloseTo(means[1]!, 4);
});

describe("a run on a data set", () => {
  let data = "";
  beforeEach(() => {
    data = join(folder, "data");
    writeNumberedSet(data);
  });
  const settings = [...tiny, "puzzleEmbeddingSize=8", "puzzleSlots=1", "batchSize=2"];
  const start = (...more: string[]): Promise<string> =>
    train("--data", data, "--out", out, "--steps", "1", "--eval-every", "9", ...more, "--set", ...settings);
  /** Rewrites a run as earlier versions would have written it. */
  const withoutFingerprint = (run: string): void => {
    for (const file of [join(run, "run.json"), join(run, "checkpoint-0000001", "checkpoint.json")]) {
      const { fingerprint: _, checksums: __, ...rest } = JSON.parse(readFileSync(file, "utf8"));
      writeFileSync(file, JSON.stringify(file.endsWith("run.json") ? rest : { ...rest, data: undefined }));
    }
  };

  it("does not record the clues that the preset chooses for generated puzzles", async () => {
    const csv = join(folder, "csv");
    mkdirSync(csv);
    for (const [i, name] of ["train", "test"].entries()) {
      const file = join(csv, `${name}.csv`);
      const generated = ["generate", "sudoku6", "--count", "4", "--seed", String(i), "--clues", "20", "--out", file];
      await runCommand(dataCommand(), ...generated);
    }
    const built = join(folder, "six");
    await runCommand(dataCommand(), "sudoku", "--from", csv, "--out", built);
    expect(await train("--data", built, "--out", out, "--steps", "1", "--set", ...tiny)).toContain(
      "task     sudoku6; preset small",
    );
    expect(JSON.parse(readFileSync(join(out, "run.json"), "utf8")).task).toEqual({ name: "sudoku6" });
  });

  it("stores the fingerprint of the data set and the names of the puzzle ids", async () => {
    await start();
    const { fingerprint } = JSON.parse(readFileSync(join(out, "run.json"), "utf8"));
    expect(readCheckpoint(out).side.data).toEqual(fingerprint);
    expect(Object.values(fingerprint).every((hash) => /^[0-9a-f]{64}$/.test(String(hash)))).toBe(true);
    expect(JSON.parse(readFileSync(join(out, "identifiers.json"), "utf8"))).toHaveLength(
      JSON.parse(readFileSync(join(data, "identifiers.json"), "utf8")).length,
    );
  });

  it("is neither evaluated nor resumed on a rebuilt data set with other ids", async () => {
    await start();
    renumber(data);
    const message =
      /data: is not the data set of .*run: .*names of the puzzle ids differ \(id 1 is "puzzle8", expected "puzzle1"\)/;
    const before = readdirSync(out);
    await expect(runCommand(evalCommand(), out, "--limit", "1")).rejects.toThrow(message);
    await expect(runCommand(evalCommand(), out, "--data", data, "--limit", "1")).rejects.toThrow(message);
    const predictions = join(folder, "predictions");
    await expect(runCommand(evalCommand(), out, "--arc", "--out", predictions)).rejects.toThrow(message);
    await expect(train("--resume", out, "--steps", "2")).rejects.toThrow(message);
    await expect(train("--resume", out, "--data", data, "--steps", "2")).rejects.toThrow(message);
    expect(readdirSync(out)).toEqual(before);
  });

  it("resumes on a data set that has been moved, with --data", async () => {
    await start();
    renameSync(data, `${data}-moved`);
    await expect(train("--resume", out, "--steps", "2")).rejects.toThrow(
      `${data}: no such folder (if the data set has been moved, add --data DIR)`,
    );
    await train("--resume", out, "--data", `${data}-moved`, "--steps", "2");
    expect(await train("--resume", out, "--steps", "3")).not.toContain("note:");
    expect(readCheckpoint(out).side.step).toBe(3);
  });

  it("without a fingerprint is accepted with one line, and stores one from then on", async () => {
    await start();
    withoutFingerprint(out);
    const note = `note: ${data}: the data set cannot be verified`;
    expect(
      (await runCommand(evalCommand(), out, "--limit", "1")).split("\n").filter((line) => line.startsWith(note)),
    ).toHaveLength(1);
    const printed = await train("--resume", out, "--steps", "2");
    expect(printed.split("\n").filter((line) => line.startsWith(note))).toHaveLength(1);
    expect(readCheckpoint(out).side.data).toMatchObject({ train: expect.stringMatching(/^[0-9a-f]{64}$/) });
    renumber(data);
    await expect(train("--resume", out, "--steps", "3")).rejects.toThrow("is not the data set");
  });

  it("is not created for data of another dtype", async () => {
    const file = join(data, "train", "all__inputs.npy");
    const { shape, data: tokens } = parseNpy(readFileSync(file));
    const header = Buffer.from(serializeNpy(Uint8Array.from(tokens as Uint8Array), shape)).toString("latin1");
    const floats = Buffer.from(Float32Array.from(tokens as Uint8Array).buffer);
    const end = header.indexOf("\n") + 1;
    const head = Buffer.from(header.slice(0, end).replace("|u1", "<f4"), "latin1");
    writeFileSync(file, Buffer.concat([head, floats]));
    await expect(start()).rejects.toThrow("dtype <f4");
    expect(existsSync(out)).toBe(false);
    writeFileSync(file, serializeNpy(tokens as Uint8Array, shape));
    await start();
    expect(stepsOf(out)).toHaveLength(2);
  });

  it("is removed if it fails before its first step", async () => {
    const file = join(data, "train", "all__labels.npy");
    const bytes = readFileSync(file);
    bytes.fill(99, bytes.length - 7 * 16); // all but the first example
    writeFileSync(file, bytes);
    await expect(start()).rejects.toThrow("token 99");
    expect(existsSync(out)).toBe(false);
  });
});

it("a run whose generated puzzles were replaced is refused", async () => {
  await trainSudoku6("--steps", "1");
  const other = join(folder, "other");
  await train("--task", "sudoku6", "--puzzles", "6", "--out", other, "--seed", "9", "--steps", "1", "--set", ...tiny);
  cpSync(join(other, "data.safetensors"), join(out, "data.safetensors"));
  await expect(train("--resume", out, "--steps", "2")).rejects.toThrow(
    "the training puzzles and the test puzzles differ",
  );
  await expect(runCommand(evalCommand(), out)).rejects.toThrow("the test puzzles differ");
});

it("a run whose run.json names a task of another size than the checkpoint is refused before anything is written", async () => {
  await trainSudoku6("--steps", "1");
  const file = join(out, "run.json");
  writeFileSync(file, readFileSync(file, "utf8").replace('"sudoku6"', '"sudoku9"'));
  const before = readdirSync(out);
  await expect(train("--resume", out, "--steps", "2")).rejects.toThrow(
    `${file}: the model has 36 cells and 8 tokens, sudoku9 has 81 and 11`,
  );
  expect(readdirSync(out)).toEqual(before);
  expect(linesOf(out).map(({ step }) => step)).toEqual([1]);
});

it("--puzzles and --unseen set the numbers of generated puzzles", async () => {
  await trainSudoku6("--unseen", "3", "--steps", "1");
  expect(JSON.parse(readFileSync(join(out, "run.json"), "utf8")).data).toMatchObject({ train: 6, unseen: 3 });
  expect(readFileSync(join(out, "unseen.csv"), "utf8").trim().split("\n")).toHaveLength(1 + 3);
});

describe("--resume with --set", () => {
  const configOf = () => readCheckpoint(out, () => []).side.config;

  it("continues with another learning rate, which the next checkpoint records", async () => {
    await trainSudoku6("--steps", "2");
    await train("--resume", out, "--steps", "3", "--set", "lr=5e-4", "totalSteps=50");
    expect(configOf().training).toMatchObject({ learningRate: 5e-4, totalSteps: 50, batchSize: 4 });
    const lines = readFileSync(join(out, "metrics.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.filter((line) => "loss" in line).map(({ learningRate }) => learningRate)).toEqual([2e-3, 2e-3, 5e-4]);
  });

  it("says that the settings are not stored if no step is made, and how to continue", async () => {
    await trainSudoku6("--steps", "2");
    const note =
      "note: --set learningRate=5e-4 was not stored, because no step was made: repeat it with --minutes, or with --steps above 2";
    expect(await train("--resume", out, "--set", "learningRate=5e-4")).toContain(note);
    expect(configOf().training.learningRate).toBe(2e-3);
    expect(await train("--resume", out, "--set", "learningRate=5e-4", "--steps", "3")).not.toContain("note:");
    expect(await train("--resume", out)).not.toContain("note:");
    expect(configOf().training.learningRate).toBe(5e-4);
  });

  it("refuses settings on which the checkpoint depends, with one line", async () => {
    await trainSudoku6("--steps", "1");
    const message = "--set: hiddenSize is fixed when a run starts; --resume can change learningRate, ";
    await expect(train("--resume", out, "--set", "hiddenSize=16")).rejects.toThrow(message);
    await expect(train("--resume", out, "--set", "learningRates=1")).rejects.toThrow('did you mean "learningRate"');
  });
});

describe("--init", () => {
  const second = (): string => join(folder, "second");
  const startSecond = (...more: string[]): Promise<string> =>
    train("--task", "sudoku6", "--puzzles", "6", "--out", second(), "--steps", "0", ...more);
  const fileOf = (run: string, name: string): Buffer => Buffer.from(readCheckpoint(run).files.get(name)!);
  const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  const hashOfNumbers = ({ buffer, byteOffset, byteLength }: Float32Array): string =>
    hashOf(new Uint8Array(buffer, byteOffset, byteLength));

  it.each([
    ["the averaged weights", [], "ema.safetensors"],
    ["with --init-raw the weights themselves", ["--init-raw"], "weights.safetensors"],
  ])("starts from %s, with the model settings of the checkpoint and a new optimizer", async (_, flags, file) => {
    await trainSudoku6("--steps", "3");
    await startSecond("--init", out, ...flags, "--set", "batchSize=2", "nSup=3");
    const source = fileOf(out, file);
    for (const name of ["weights.safetensors", "ema.safetensors"]) {
      expect(hashOf(fileOf(second(), name))).toBe(hashOf(source));
    }
    const { side } = readCheckpoint(second());
    expect(side.config.model).toEqual(readCheckpoint(out).side.config.model);
    expect(side.config.training).toMatchObject({ batchSize: 2, nSup: 3, learningRate: 2e-3 });
    expect([side.step, side.optimizerSteps]).toEqual([0, 0]);
    const { init } = JSON.parse(readFileSync(join(second(), "run.json"), "utf8"));
    expect(init).toEqual({
      source: join(out, "checkpoint-0000003"),
      step: 3,
      weights: flags.length === 0 ? "averaged" : "raw",
      sha256: hashOf(source),
    });
    await train("--resume", second(), "--steps", "1");
    expect(JSON.parse(readFileSync(join(second(), "run.json"), "utf8")).init).toEqual(init);
  });

  /** config.json and model.safetensors of a small model, which has another hiddenSize than the preset. */
  async function modelFolder(): Promise<string> {
    const config = parseConfig({ vocabularySize: 6, sequenceLength: 16, hiddenSize: 8, heads: 1, widthMultiple: 8 });
    const model = new Model(config.model, new Random(3));
    const files = await packModel({ model, task: sudokuTask(4), config, step: null });
    model.dispose();
    const path = join(folder, "model");
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "config.json"), files.config);
    writeFileSync(join(path, "model.safetensors"), files.weights);
    return path;
  }

  it.each([
    ["a shipped model, given by its name", async () => ["sudoku4", join(projectRoot, "weights/sudoku4")] as const],
    [
      "a folder with config.json and model.safetensors",
      async () => {
        const path = await modelFolder();
        return [path, path] as const;
      },
    ],
  ])("starts from the weights of %s, with its model settings", async (_, place) => {
    const [name, path] = await place();
    await startSecond("--init", name, "--task", "sudoku4", "--unseen", "5", "--set", "batchSize=2", "nSup=3");
    const bytes = readFileSync(join(path, "model.safetensors"));
    const stored = parseSafetensors(bytes, path).tensors;
    for (const file of ["weights.safetensors", "ema.safetensors"]) {
      const { tensors } = parseSafetensors(fileOf(second(), file), file);
      expect([...tensors.keys()].toSorted()).toEqual([...stored.keys()].toSorted());
      for (const [tensor, entry] of tensors) {
        expect(hashOfNumbers(toFloat32(tensor, entry)), tensor).toBe(
          hashOfNumbers(toFloat32(tensor, stored.get(tensor)!)),
        );
      }
    }
    const { config, step = null } = JSON.parse(readFileSync(join(path, "config.json"), "utf8"));
    const { side } = readCheckpoint(second());
    expect(side.config.model).toEqual(parseConfig(config).model);
    expect(side.config.training).toMatchObject({ batchSize: 2, nSup: 3 });
    const { init } = JSON.parse(readFileSync(join(second(), "run.json"), "utf8"));
    expect(init).toEqual({ source: path, step, weights: "stored", sha256: hashOf(bytes) });
    expect(await train("--resume", second(), "--steps", "1")).toContain(`weights  stored, of ${path}`);
  });

  it("refuses a name that is neither a folder nor a shipped model, and raw weights where there is only one kind", async () => {
    await expect(startSecond("--init", "sudoku7")).rejects.toThrow("sudoku7 is neither a folder nor a shipped model (");
    const path = await modelFolder();
    await expect(startSecond("--init", path, "--init-raw")).rejects.toThrow(
      `${path}: holds a single set of weights, expected a run or a checkpoint to take its raw weights`,
    );
    expect(existsSync(second())).toBe(false);
  });

  it("starts a larger board from the weights of a smaller one if attention sees rows and columns", async () => {
    const maze = (side: number, path: string, ...more: string[]): Promise<string> =>
      train("--task", "maze", "--side", String(side), "--puzzles", "4", "--unseen", "1", "--out", path, ...more);
    await maze(7, out, "--steps", "1", "--set", ...tiny, "mixer=attention", "positions=rotary2d");
    await maze(9, second(), "--steps", "0", "--init", out);
    expect(hashOf(fileOf(second(), "weights.safetensors"))).toBe(hashOf(fileOf(out, "ema.safetensors")));
    const { model } = readCheckpoint(second()).side.config;
    expect(model).toMatchObject({ sequenceLength: 81, columns: 9, mixer: "attention", positions: "rotary2d" });
  });

  it("refuses weights of another size in one line", async () => {
    await trainSudoku6("--steps", "1");
    await expect(startSecond("--init", out, "--set", "hiddenSize=16")).rejects.toThrow(
      /checkpoint-0000001.ema.safetensors: tensor "inner.\S+" has shape \[\d+, 8\], expected \[\d+, 16\]/,
    );
    expect(existsSync(second())).toBe(false);
    await expect(startSecond("--init-raw")).rejects.toThrow("--init-raw requires --init");
  });
});

describe("--config with an official file", () => {
  const arch = [
    "name: recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1",
    "loss:",
    "  name: losses@ACTLossHead",
    "  loss_type: stablemax_cross_entropy",
    "halt_exploration_prob: 0.1",
    "halt_max_steps: 2",
    "H_cycles: 1",
    "L_cycles: 2",
    "H_layers: 0",
    "L_layers: 1",
    "hidden_size: 16",
    "num_heads: 2",
    "expansion: 4",
    `puzzle_emb_ndim: \${.hidden_size}`,
    "pos_encodings: none",
    "mlp_t: True",
    "puzzle_emb_len: 2",
  ];
  const rest = [
    "global_batch_size: 4",
    "epochs: 50",
    "lr: 1e-3",
    "lr_min_ratio: 0.5",
    "lr_warmup_steps: 7",
    "beta1: 0.9",
    "beta2: 0.95",
    "weight_decay: 0.3",
    "puzzle_emb_lr: 1e-2",
    "puzzle_emb_weight_decay: 0.1",
    "ema: True",
  ];
  const write = (lines: readonly string[]): string => {
    const file = join(root, `config${number}.yaml`);
    writeFileSync(file, lines.join("\n"));
    return file;
  };
  const configOf = (run: string) => readCheckpoint(run, () => []).side.config;
  const start = (file: string, ...more: string[]): Promise<string> =>
    train("--task", "sudoku4", "--puzzles", "10", "--steps", "0", "--out", out, "--config", file, ...more);

  it("that is complete determines all settings, and epochs become steps", async () => {
    const file = write(["arch:", ...arch.map((line) => `  ${line}`), ...rest]);
    const printed = await start(file, "--seed", "3", "--set", "hiddenSize=32");
    const { model, training } = configOf(out);
    expect(model).toMatchObject({
      hiddenSize: 32,
      puzzleEmbeddingSize: 32,
      puzzleSlots: 2,
      widthMultiple: 256,
      n: 2,
      T: 1,
    });
    expect(training).toMatchObject({
      batchSize: 4,
      totalSteps: 125,
      warmupSteps: 7,
      weightDecay: 0.3,
      emaRate: 0.999,
      seed: 3,
    });
    const lines = printed.split("\n").filter((line) => line.startsWith("settings "));
    expect(lines[0]).toContain(`settings ${file}: `);
    expect(lines[0]).toContain("totalSteps 125 (50 epochs)");
    expect(lines).toContain("settings --seed: seed 3");
    expect(lines).toContain("settings --set: hiddenSize 32");
    expect(lines.at(-1)).toMatch(/^settings default: .*widthMultiple 256/);
    expect(printed).not.toContain("preset small");
  });

  it("that contains only the model takes the training from the preset official", async () => {
    const printed = await start(write(arch));
    const { model, training } = configOf(out);
    expect(model).toMatchObject({ hiddenSize: 16, puzzleEmbeddingSize: 16, widthMultiple: 256, layers: 1 });
    expect(training).toMatchObject({ batchSize: 768, learningRate: 1e-4, nSup: 2, totalSteps: 651 });
    expect(printed).toMatch(/^settings preset official: totalSteps 651 \(50,000 epochs\)$/m);
  });

  it("that contains only the model takes the training from a preset that is named", async () => {
    await start(write(arch), "--preset", "small");
    const { model, training } = configOf(out);
    expect(model).toMatchObject({ widthMultiple: 256, puzzleSlots: 2 });
    expect(training).toMatchObject({ batchSize: 32, learningRate: 4e-3, nSup: 2, totalSteps: 3000 });
  });
});
