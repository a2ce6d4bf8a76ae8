/** Checkpoints in memory: a resumed training equals an uninterrupted one, and broken files are reported. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { serializeSafetensors } from "../../src/formats/index.ts";
import {
  averageFile,
  type CheckpointFiles,
  evaluatedFile,
  packCheckpoint,
  parseSide,
  restoreTraining,
  sideFile,
  trainingFile,
  weightsFile,
} from "../../src/runs/checkpoint.ts";
import { modelFrom } from "../../src/runs/model-files.ts";
import type { Training } from "../../src/trm/index.ts";
import { aboutCheckpoint, stepsOf, tinyConfig, tinyTraining } from "./tiny-run.ts";

const trainings: Training[] = [];
const begin = (settings: Record<string, unknown> = {}): Training => {
  const training = tinyTraining(tinyConfig(settings));
  trainings.push(training);
  return training;
};
afterAll(() => {
  for (const training of trainings) training.dispose();
});

const pack = (training: Training): Promise<CheckpointFiles> => packCheckpoint(training, aboutCheckpoint);

function resume(files: CheckpointFiles): Training {
  const side = parseSide(files.get(sideFile)!, sideFile);
  const training = tinyTraining(side.config);
  trainings.push(training);
  restoreTraining(training, side, files, "checkpoint");
  return training;
}

/** A digest of every file. */
const digests = (files: CheckpointFiles): Record<string, string> =>
  Object.fromEntries([...files].map(([name, bytes]) => [name, createHash("sha256").update(bytes).digest("hex")]));

const variants: [name: string, settings: Record<string, unknown>][] = [
  ["TRM with EMA", {}],
  ["EMA with warm-up", { emaWarmup: true }],
  ["AdamW without EMA, refilled by batch", { emaRate: 0, optimizer: "adamW", refill: "batch" }],
  [
    "a puzzle embedding and the continue loss",
    { puzzleEmbeddingSize: 8, puzzleSlots: 2, puzzleIds: 2, continueLoss: true },
  ],
  ["attention by rows and columns", { mixer: "attention", heads: 2, positions: "rotary2d", columns: 4 }],
  ["attention and several latents", { mixer: "attention", heads: 2, positions: "rotary", recursion: "multiZ", n: 2 }],
];

describe("resuming", () => {
  it.each(variants)("continues a training bit for bit: %s", async (_, settings) => {
    const whole = begin(settings);
    const first = await stepsOf(whole, 5);
    const files = await pack(whole);
    const second = await stepsOf(whole, 6);
    const resumed = resume(files);
    expect(digests(await pack(resumed))).toEqual(digests(files));
    expect(await stepsOf(resumed, 6)).toEqual(second);
    expect(digests(await pack(resumed))).toEqual(digests(await pack(whole)));
    expect(first).toHaveLength(5);
  });

  it("continues bit for bit from any step", async () => {
    const whole = begin();
    const stops: CheckpointFiles[] = [await pack(whole)];
    for (let step = 0; step < 9; step++) {
      await whole.supervisionStep();
      stops.push(await pack(whole));
    }
    const end = digests(stops.at(-1)!);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: stops.length - 1 }), async (stop) => {
        const resumed = resume(stops[stop]!);
        await stepsOf(resumed, stops.length - 1 - stop);
        expect(digests(await pack(resumed))).toEqual(end);
      }),
      { numRuns: 6 },
    );
  });
});

it("a checkpoint contains the averaged weights and the puzzle table for evaluation", async () => {
  const training = begin({ puzzleEmbeddingSize: 8, puzzleSlots: 2 });
  await stepsOf(training, 3);
  const files = await pack(training);
  const side = parseSide(files.get(sideFile)!, sideFile);
  expect(evaluatedFile(side)).toBe("ema.safetensors");
  const model = modelFrom(side, files.get("ema.safetensors")!, "ema");
  for (const [name, { value }] of training.ema!.namedParameters()) {
    const read = new Map(model.namedParameters()).get(name)!;
    expect(await read.value.data()).toEqual(await value.data());
  }
  expect(await model.puzzleEmbedding!.table.data()).toEqual(await training.model.puzzleEmbedding!.table.data());
  model.dispose();
});

describe("packing", () => {
  it("is refused while a supervision step is running", async () => {
    const training = begin();
    const step = training.supervisionStep();
    await expect(pack(training)).rejects.toThrow(
      "packCheckpoint: a supervision step is still running, expected to await it",
    );
    await step;
    expect(parseSide((await pack(training)).get(sideFile)!, sideFile).step).toBe(1);
  });

  it("is refused if a supervision step is made before it ends", async () => {
    const training = begin();
    const [packed, step] = await Promise.allSettled([pack(training), training.supervisionStep()]);
    expect(step.status).toBe("fulfilled");
    expect(packed).toMatchObject({
      reason: {
        message: "packCheckpoint: a supervision step began while the state was read, expected to await the checkpoint",
      },
    });
  });
});

describe("a broken checkpoint", async () => {
  const training = begin();
  await stepsOf(training, 2);
  const files = await pack(training);
  const side = parseSide(files.get(sideFile)!, sideFile);
  const json = JSON.parse(new TextDecoder().decode(files.get(sideFile))) as Record<string, unknown>;
  const encoded = (changes: Record<string, unknown>) =>
    new TextEncoder().encode(JSON.stringify({ ...json, ...changes }));

  it.each([
    [{ format: "other" }, /side: format: /],
    [{ version: 2 }, /side: version: /],
    [{ step: -1 }, /side: step: /],
    [{ random: { generator: "xoroshiro128plus", words: [0, 0, 0, 0] } }, /side: random: expected at least one word/],
    [{ carry: { steps: [1], halted: [true] } }, /side: carry: 1 steps and 1 flags, expected batchSize = 6/],
    [{ config: { ...(json.config as object), hiddenSiz: 4 } }, /unknown key "hiddenSiz", did you mean "hiddenSize"/],
    [{ task: { name: "chess" } }, /side: task.name: /],
  ])("is refused with the name of the wrong field: %j", (changes, message) => {
    expect(() => parseSide(encoded(changes), "side")).toThrow(message);
  });

  it("is refused if its JSON is truncated", () => {
    const bytes = files.get(sideFile)!;
    expect(() => parseSide(bytes.subarray(0, bytes.length / 2), "side")).toThrow(
      "side: not JSON in UTF-8 (truncated?)",
    );
  });

  const broken: [name: string, file: string, bytes: Uint8Array | undefined, message: RegExp][] = [
    ["a missing file", trainingFile, undefined, /^dir: no training.safetensors$/],
    ["a truncated file", weightsFile, files.get(weightsFile)!.subarray(0, 1000), /^dir\/weights.safetensors: .*/],
    ["a file without tensors", trainingFile, serializeSafetensors(new Map()), /no tensor "optimizer\/m\/.*", expected/],
    ["weights without tensors", weightsFile, serializeSafetensors(new Map()), /no tensor "inner\..*", expected/],
    ["an average without tensors", averageFile, serializeSafetensors(new Map()), /no tensor "inner\..*", expected/],
  ];
  it.each(broken)("is refused before the training is changed: %s", async (_, file, bytes, message) => {
    const changed = new Map(files);
    if (bytes) changed.set(file, bytes);
    else changed.delete(file);
    const fresh = begin();
    const before = digests(await pack(fresh));
    expect(() => restoreTraining(fresh, side, changed, "dir")).toThrow(message);
    expect(digests(await pack(fresh))).toEqual(before);
  });

  it("is refused if the weights have another size", () => {
    const other = parseSide(encoded({ config: { ...(json.config as object), hiddenSize: 16 } }), "side");
    expect(() => modelFrom(other, files.get(weightsFile)!, "w")).toThrow(/w: tensor ".*" has shape .*, expected/);
  });

  it("is refused before the training is changed: a position in the data that is invalid", async () => {
    const moved = parseSide(encoded({ source: { position: -1 } }), "side");
    const fresh = begin();
    const before = digests(await pack(fresh));
    expect(() => restoreTraining(fresh, moved, files, "dir")).toThrow("the position in the training data");
    expect(digests(await pack(fresh))).toEqual(before);
  });
});
