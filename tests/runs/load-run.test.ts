// loadRun and loadModel: every checkpoint gives back the weights that were saved, and broken files are refused.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { parseSafetensors } from "../../src/formats/index.ts";
import { gridTask, mazeTask, sudokuTask } from "../../src/puzzles/index.ts";
import { packCheckpoint } from "../../src/runs/checkpoint.ts";
import { checkpointOfStep } from "../../src/runs/checkpoint-folder.node.ts";
import { exportWeights, loadModel, packModel } from "../../src/runs/index.ts";
import { type LoadRunOptions, loadRun } from "../../src/runs/load-run.node.ts";
import { WritableRun } from "../../src/runs/run-folder.node.ts";
import { resumeRun } from "../../src/runs/save-run.node.ts";
import { defaultBackend, Random } from "../../src/tensor/index.ts";
import { Model, parseConfig, type Task, type Training } from "../../src/trm/index.ts";
import { aboutCheckpoint, task, tinyAbout, tinyConfig, tinySets, tinyTraining } from "./tiny-run.ts";

const folder = mkdtempSync(join(tmpdir(), "trm-load-run-"));
const trainings: Training[] = [];
afterAll(() => {
  for (const training of trainings) training.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** The weights of a model as text, by official name. */
async function weightsOf(model: Model): Promise<Record<string, string>> {
  const weights = await exportWeights(model);
  return Object.fromEntries([...weights].map(([name, { data }]) => [name, Buffer.from(data.buffer).toString("hex")]));
}

/** A run with checkpoints of step 0 and of step 3. */
async function createRun(name: string, settings: Record<string, unknown> = {}) {
  const path = join(folder, name);
  const training = tinyTraining(tinyConfig(settings));
  trainings.push(training);
  const first = await packCheckpoint(training, aboutCheckpoint);
  const start = await weightsOf(training.model);
  const run = WritableRun.create(path, tinyAbout, tinySets(), { step: 0, files: first });
  for (let step = 0; step < 3; step++) await training.supervisionStep();
  run.save(3, await packCheckpoint(training, aboutCheckpoint));
  run.close();
  return { path, training, start };
}

async function loadedWeights(path: string, options?: LoadRunOptions): Promise<Record<string, string>> {
  const { model } = await loadRun(path, options);
  const weights = await weightsOf(model);
  model.dispose();
  return weights;
}

it("a checkpoint whose side file asks for more weights than its file has bytes allocates nothing", async () => {
  const { path } = await createRun("bomb");
  const file = join(path, "checkpoint-0000003", "checkpoint.json");
  const { checksums: _, ...side } = JSON.parse(readFileSync(file, "utf8"));
  const before = defaultBackend().memory().reservedBytes;
  for (const change of [{ layers: 1000 }, { widthMultiple: 2 ** 30 }]) {
    writeFileSync(file, JSON.stringify({ ...side, config: { ...side.config, ...change } }));
    await expect(loadRun(path)).rejects.toThrow(/ema.safetensors: \d+ bytes, too few for the \d+ weights/);
    await expect(resumeRun(path)).rejects.toThrow(/weights.safetensors: \d+ bytes, too few for the \d+ weights/);
  }
  const long = { recursion: "multiZ", n: 100_000, hiddenSize: 64, expansion: 0.01, widthMultiple: 1 };
  writeFileSync(file, JSON.stringify({ ...side, config: { ...side.config, ...long } }));
  await expect(loadRun(path)).rejects.toThrow(/too few for the \d+ positions and n = 100000/);
  expect(defaultBackend().memory().reservedBytes).toBe(before);
});

describe("loadRun", async () => {
  const { path, training, start } = await createRun("run");
  const average = await weightsOf(training.ema!);
  const raw = await weightsOf(training.model);

  it("gives the averaged weights of the last checkpoint, with task and configuration", async () => {
    const { model, config, step, ...run } = await loadRun(path);
    expect(await weightsOf(model)).toEqual(average);
    expect(config).toEqual(training.config);
    expect(step).toBe(3);
    expect(run.task.name).toBe("sudoku4");
    expect(run.path).toBe(checkpointOfStep(path, 3));
    model.dispose();
  });

  it("gives the weights of the last step on request", async () => {
    expect(raw).not.toEqual(average);
    expect(await loadedWeights(path, { weights: "raw" })).toEqual(raw);
    expect(await loadedWeights(path, { weights: "averaged" })).toEqual(average);
  });

  it("takes a checkpoint by its name in the run, by its path, and as the folder itself", async () => {
    const first = checkpointOfStep(path, 0);
    for (const [place, checkpoint] of [
      [path, "checkpoint-0000000"],
      [path, first],
      [first, "last"],
    ] as const) {
      expect(await loadedWeights(place, { checkpoint, weights: "raw" })).toEqual(start);
    }
  });

  it("refuses weights and checkpoints of another kind in one line", async () => {
    const load = (options: object) => loadRun("weights/sudoku4", options);
    await expect(load({ weights: "foo" })).rejects.toThrow(
      'got the string "foo" as weights, expected "raw" or "averaged"',
    );
    await expect(load({ checkpoint: 3 })).rejects.toThrow("loadRun: got 3 as checkpoint, expected a string");
  });

  it("takes best and last for the only weights of a folder with a model, and refuses any other choice", async () => {
    const place = "weights/sudoku4";
    const only = await loadedWeights(place);
    for (const checkpoint of ["best", "last"]) expect(await loadedWeights(place, { checkpoint })).toEqual(only);
    for (const checkpoint of ["no-such", "weights/sudoku4", ""]) {
      await expect(loadRun(place, { checkpoint })).rejects.toThrow(
        `${place}: holds a single set of weights, got the checkpoint "${checkpoint}", expected "best" or "last"`,
      );
    }
    for (const weights of ["raw", "averaged"] as const) {
      await expect(loadRun(place, { weights })).rejects.toThrow(
        `${place}: holds a single set of weights, expected a run or a checkpoint to choose the ${weights} ones`,
      );
    }
  });

  it("gives the checkpoint with the best evaluation on request", async () => {
    await expect(loadRun(path, { checkpoint: "best" })).rejects.toThrow(/none of its checkpoints has been evaluated/);
    const place = join(folder, "evaluated");
    const other = tinyTraining(tinyConfig());
    trainings.push(other);
    const evaluated = (exact: number) =>
      packCheckpoint(other, { ...aboutCheckpoint, evaluation: { puzzles: 4, exact, cell: exact } });
    const run = WritableRun.create(place, tinyAbout, tinySets(), { step: 0, files: await evaluated(0.5) });
    await other.supervisionStep();
    run.save(1, await evaluated(0.25));
    run.close();
    expect(await loadedWeights(place, { checkpoint: "best", weights: "raw" })).toEqual(start);
    expect(await loadedWeights(place)).toEqual(await weightsOf(other.ema!));
  });

  it("gives the raw weights of a run without an average, and refuses to give the averaged ones", async () => {
    const plain = await createRun("plain", { emaRate: 0 });
    expect(await loadedWeights(plain.path)).toEqual(await weightsOf(plain.training.model));
    await expect(loadRun(plain.path, { weights: "averaged" })).rejects.toThrow(
      `${plain.path}: has no averaged weights (emaRate 0), expected weights "raw"`,
    );
  });

  it("loads what packModel has written to config.json and model.safetensors", async () => {
    const place = mkdtempSync(join(folder, "model-"));
    const { config, weights } = await packModel({ model: training.model, task, config: training.config, step: 3 });
    writeFileSync(join(place, "config.json"), config);
    writeFileSync(join(place, "model.safetensors"), weights);
    const { model, ...loaded } = await loadRun(place);
    expect(await weightsOf(model)).toEqual(raw);
    expect([loaded.step, loaded.config, loaded.choice]).toEqual([3, training.config, { name: "sudoku4" }]);
    model.dispose();
  });

  it("names the folder if it is no run, has no such checkpoint, or does not fit the task", async () => {
    await expect(loadRun(join(folder, "none"))).rejects.toThrow(/none: no such folder$/);
    await expect(loadRun(path, { checkpoint: "checkpoint-9" })).rejects.toThrow("checkpoint-9: no such folder");
    await expect(loadRun(path, { task: sudokuTask(6) })).rejects.toThrow(
      /ema.safetensors: the model has 16 cells and 6 tokens, sudoku6 has 36 and 8$/,
    );
  });

  it("names a file that is corrupted, and how to choose another checkpoint", async () => {
    const place = join(folder, "copied");
    cpSync(path, place, { recursive: true });
    const file = join(checkpointOfStep(place, 3), "ema.safetensors");
    writeFileSync(file, readFileSync(file).fill(0xff, 2000));
    await expect(loadRun(place)).rejects.toThrow(
      /ema.safetensors: is corrupted: .* of steps 0 \(--checkpoint best or last, or the path of its folder\)$/,
    );
  });
});

/** A task with a model of its size. */
const ownTask = (symbols: string, rows: number, columns: number): Task =>
  gridTask({ name: "own", rows, columns, symbols, symmetry: "dihedral", draw: () => ({ question: "", answer: "" }) });

const modelFor = ({ vocabularySize, sequenceLength }: Task, seed: number) => {
  const config = parseConfig({
    vocabularySize,
    sequenceLength,
    layers: 1,
    hiddenSize: 8,
    widthMultiple: 4,
    puzzleEmbeddingSize: 4,
    puzzleSlots: 1,
  });
  return { config, model: new Model(config.model, new Random(seed)) };
};

describe("loadModel", () => {
  const tasks = fc.oneof(
    fc.constantFrom<Task>(sudokuTask(4), sudokuTask(6), mazeTask(7)),
    fc
      .tuple(fc.constantFrom(".#", "01x", '🙂 ,"'), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
      .map(([symbols, rows, columns]) => ownTask(symbols, rows, columns)),
  );

  it("gives back every weight bit for bit, the configuration and the task", async () => {
    await fc.assert(
      fc.asyncProperty(tasks, fc.integer(), fc.option(fc.nat()), async (given, seed, step) => {
        const { config, model } = modelFor(given, seed);
        const packed = await packModel({ model, task: given, config, step });
        const loaded = loadModel({ ...packed, weights: packed.weights.slice().buffer as ArrayBuffer });
        expect(await weightsOf(loaded.model)).toEqual(await weightsOf(model));
        expect([loaded.config, loaded.step]).toEqual([config, step]);
        const tokens = Array.from({ length: given.sequenceLength }, (_, i) => 1 + (i % (given.vocabularySize - 1)));
        expect(loaded.task.name).toBe(given.name);
        expect(loaded.task.format(tokens)).toBe(given.format(tokens));
        expect(loaded.task.draw(tokens)).toBe(given.draw(tokens));
        const image = given.augment(Int32Array.from(tokens), Int32Array.from(tokens), new Random(seed));
        expect(loaded.task.augment(Int32Array.from(tokens), Int32Array.from(tokens), new Random(seed))).toEqual(image);
        model.dispose();
        loaded.model.dispose();
      }),
      { numRuns: 25 },
    );
  });

  it("reads the files of a checkpoint too", async () => {
    const { path, training } = await createRun("checkpoint");
    const read = (name: string) => readFileSync(join(checkpointOfStep(path, 3), name));
    const loaded = loadModel({ config: read("checkpoint.json"), weights: read("weights.safetensors") });
    expect(await weightsOf(loaded.model)).toEqual(await weightsOf(training.model));
    expect(loaded.step).toBe(3);
    loaded.model.dispose();
  });

  it("either loads changed bytes or refuses them in one line, and holds no memory of what it refuses", async () => {
    const { config, model } = modelFor(task, 1);
    const packed = await packModel({ model, task, config, step: 1 });
    model.dispose();
    const text = new TextEncoder().encode(packed.config);
    const before = defaultBackend().memory().liveBytes;
    let refused = 0;
    const change = fc.record({ at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), byte: fc.nat(255) });
    await fc.assert(
      fc.property(
        fc.constantFrom("config", "weights"),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
        (which, changes, end) => {
          const original = which === "config" ? text : packed.weights;
          const bytes = original.slice(0, end === null ? undefined : Math.floor(end * original.length));
          // Half of the changes hit the beginning, where the header of safetensors is.
          changes.forEach(({ at, byte }, i) => {
            bytes[Math.floor(at * (i % 2 === 0 ? bytes.length : Math.min(bytes.length, 1000)))] = byte;
          });
          const files = { config: text as Uint8Array, weights: packed.weights, [which]: bytes };
          try {
            loadModel(files).model.dispose();
          } catch (error) {
            refused++;
            expect((error as Error).name).toMatch(/^(CheckpointError|ConfigError)$/);
            expect((error as Error).message).toMatch(/^(config\.json|model\.safetensors)[^\n]*$/);
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(30);
    expect(defaultBackend().memory().liveBytes).toBe(before);
  });

  it("allocates nothing for a configuration that is too large for the weights", async () => {
    const { config, model } = modelFor(task, 1);
    const packed = await packModel({ model, task, config, step: 1 });
    model.dispose();
    const before = defaultBackend().memory().reservedBytes;
    for (const [key, value] of [
      ["hiddenSize", 2 ** 30],
      ["layers", 1000],
      ["puzzleIds", 1e12],
      ["expansion", 1e9],
    ] as const) {
      const json = JSON.parse(packed.config) as { config: Record<string, unknown> };
      json.config[key] = value;
      expect(() => loadModel({ ...packed, config: JSON.stringify(json) })).toThrow(
        /^model.safetensors: \d+ bytes, too few/,
      );
    }
    expect(defaultBackend().memory().reservedBytes).toBe(before);
    expect(parseSafetensors(packed.weights, "").tensors.size).toBeGreaterThan(5);
  });
});
