// saveRun, loadRun and resumeRun: a run that a program writes holds every bit, and continues bit for bit.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { openDataset, writeDataset } from "../../src/puzzles/index.node.ts";
import { gridTask, mazeTask, SplitBatches, sudokuTask } from "../../src/puzzles/index.ts";
import { bestIn, checkpointOfStep, stepsIn } from "../../src/runs/checkpoint-folder.node.ts";
import { lockFolder } from "../../src/runs/folder-lock.node.ts";
import { exportWeights, packCheckpoint } from "../../src/runs/index.ts";
import { loadRun } from "../../src/runs/load-run.node.ts";
import { OccupiedError, readRun } from "../../src/runs/run-folder.node.ts";
import { storedPuzzles } from "../../src/runs/run-puzzles.node.ts";
import { resumeRun, saveRun } from "../../src/runs/save-run.node.ts";
import {
  type BatchSource,
  type Examples,
  evaluate,
  type Model,
  parseConfig,
  ShuffledExamples,
  type Task,
  Training,
} from "../../src/trm/index.ts";
import { stepsOf, task as sudoku, tinyConfig, tinySets, tinyTraining } from "./tiny-run.ts";

const folder = mkdtempSync(join(tmpdir(), "trm-save-run-"));
const trainings: Training[] = [];
const kept = <T extends Training>(training: T): T => {
  trainings.push(training);
  return training;
};
afterAll(() => {
  for (const training of trainings) training.dispose();
  rmSync(folder, { recursive: true, force: true });
});
let runs = 0;
const newFolder = (): string => join(folder, `run-${runs++}`);

const weightsOf = async (model: Model): Promise<unknown> => await exportWeights(model);
/** The whole state of a training. */
const stateOf = async (training: Training): Promise<unknown> =>
  await packCheckpoint(training, {
    task: { name: "sudoku4" },
    backend: { name: "", build: "" },
    seconds: 0,
    madeBy: "",
  });

const own = gridTask({
  name: "filled",
  rows: 2,
  columns: 3,
  symbols: '.#"',
  symmetry: "dihedral",
  draw(random) {
    const question = Array.from({ length: 6 }, () => '.#"'[random.integer(3)]).join("");
    return { question, answer: question.replaceAll(".", "#") };
  },
});
const ownSets = own.generate({ train: 20, test: 6, seed: 1 });

function ownTraining(settings: Record<string, unknown>, augment: boolean): Training {
  const { vocabularySize, sequenceLength } = own;
  const size = { hiddenSize: 8, widthMultiple: 8, layers: 1, T: 2, n: 1, batchSize: 3, nSup: 3, emaRate: 0.9 };
  const config = parseConfig({ vocabularySize, sequenceLength, ...size, ...settings });
  return kept(new Training(config, new ShuffledExamples(ownSets.train, 5, augment ? own : undefined)));
}

describe("saveRun", () => {
  it("stores every weight bit for bit, and resumeRun continues bit for bit, for any task and settings", async () => {
    const settings = fc.record({
      emaRate: fc.constantFrom(0, 0.9),
      optimizer: fc.constantFrom("adamAtan2", "adamW"),
      recursion: fc.constantFrom("trm", "singleZ", "multiZ"),
      revealProbability: fc.constantFrom(0, 0.5),
      seed: fc.nat(1000),
    });
    await fc.assert(
      fc.asyncProperty(
        settings,
        fc.boolean(),
        fc.constantFrom<"own" | "sudoku4">("own", "sudoku4"),
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 3 }),
        async (given, augment, name, pauses) => {
          const [task, training]: [Task, Training] =
            name === "own" ? [own, ownTraining(given, augment)] : [sudoku, kept(tinyTraining(tinyConfig(given)))];
          const path = newFolder();
          let saved = training;
          for (const count of pauses) {
            await stepsOf(training, count);
            if (saved !== training) await stepsOf(saved, count);
            await saveRun(path, saved, { task });
            const { model } = await loadRun(path, { weights: "raw" });
            expect(await weightsOf(model)).toEqual(await weightsOf(training.model));
            model.dispose();
            const loaded = await loadRun(path);
            expect(await weightsOf(loaded.model)).toEqual(await weightsOf(training.evaluationModel));
            expect([loaded.config, loaded.task.name]).toEqual([training.config, task.name]);
            loaded.model.dispose();
            saved = kept((await resumeRun(path)).training);
            expect(await stateOf(saved)).toEqual(await stateOf(training));
          }
          expect(await stepsOf(saved, 3)).toEqual(await stepsOf(training, 3));
        },
      ),
      { numRuns: 3 },
    );
  });

  it("stores the puzzles of a training that fills in some of their blanks, as they were given", async () => {
    const training = ownTraining({ revealProbability: 0.5 }, true);
    const path = newFolder();
    await saveRun(path, training, { task: own });
    const { training: resumed } = await resumeRun(path);
    kept(resumed);
    expect(await stepsOf(resumed, 3)).toEqual(await stepsOf(training, 3));
  });

  it("refuses facts that no reader accepts, and writes nothing", async () => {
    const training = kept(tinyTraining(tinyConfig({})));
    const path = newFolder();
    const save = (facts: object) => saveRun(path, training, { task: sudoku, ...facts });
    for (const seconds of [Number.NaN, -5])
      await expect(save({ seconds })).rejects.toThrow(/packCheckpoint: seconds: /);
    await expect(save({ evaluation: { puzzles: 3, exact: [], cell: [] } })).rejects.toThrow(/evaluation.*exact/);
    await expect(save({ evaluation: { puzzles: 3, exact: 0.5, cell: 0.5 } })).rejects.toThrow(
      "exact of the evaluation",
    );
    expect(existsSync(path)).toBe(false);
  });

  it("stores the puzzles, so that the run can be evaluated and drawn without the definition of its task", async () => {
    const training = ownTraining({}, true);
    await stepsOf(training, 2);
    const path = newFolder();
    await saveRun(path, training, { task: own, watch: tinyWatch(), unseen: ownSets.test });
    const resumed = await resumeRun(path);
    kept(resumed.training);
    expect(resumed.unseen).toEqual(ownSets.test);
    expect(resumed.watch.count).toBe(2);
    expect(resumed.task.draw(own.parse('#.#.."'))).toBe('#.#\n.."');
    const csv = readFileSync(join(path, "unseen.csv"), "utf8").split("\n");
    expect(csv).toHaveLength(ownSets.test.count + 2);
    const read = async (training: Training) =>
      await evaluate(training.evaluationModel, ownSets.test, { ...training.config.training, batchSize: 4 });
    expect(await read(resumed.training)).toEqual(await read(training));
  });

  it("is not resumed with a task of another size, whether run.json or the caller names it", async () => {
    const path = newFolder();
    await saveRun(path, kept(tinyTraining(tinyConfig())), { task: sudoku });
    const misfit = "the model has 16 cells and 6 tokens";
    await expect(resumeRun(path, { task: own })).rejects.toThrow(
      `${join(path, "checkpoint-0000000")}: ${misfit}, filled has 6 and 4`,
    );
    const file = join(path, "run.json");
    writeFileSync(file, readFileSync(file, "utf8").replace('"sudoku4"', '"sudoku6"'));
    await expect(resumeRun(path)).rejects.toThrow(`${file}: ${misfit}, sudoku6 has 36 and 8`);
  });

  it("keeps the last three checkpoints and the best one", async () => {
    const training = ownTraining({}, false);
    const path = newFolder();
    for (const exact of [0.5, 0.25, 0.75, 0.25, 0.5, 0.25]) {
      await stepsOf(training, 1);
      await saveRun(path, training, { task: own, evaluation: { puzzles: 4, exact: [0, exact], cell: [0, exact] } });
    }
    expect(stepsIn(path)).toEqual([3, 4, 5, 6]);
    expect(bestIn(path)).toMatchObject({ step: 3, exact: 0.75 });
    expect((await resumeRun(path, { checkpoint: "best" }).then(({ training }) => kept(training))).step).toBe(3);
    expect(readdirSync(path)).not.toContain("lock");
  });

  it("adds the evaluation to a checkpoint that was saved before its evaluation", async () => {
    const path = newFolder();
    const training = ownTraining({}, false);
    await stepsOf(training, 1);
    await saveRun(path, training, { task: own });
    await expect(loadRun(path, { checkpoint: "best" })).rejects.toThrow("has been evaluated");
    const evaluation = { puzzles: 6, exact: [0.25, 0.5], cell: [0.75, 1] };
    await saveRun(path, training, { task: own, evaluation });
    expect(bestIn(path)).toEqual({ step: 1, puzzles: 6, exact: 0.5, cell: 1 });
    const { model } = await loadRun(path, { checkpoint: "best" }); // its checksums are right
    expect(await weightsOf(model)).toEqual(await weightsOf(training.evaluationModel));
    model.dispose();
    await saveRun(path, training, { task: own });
    expect(bestIn(path)).toMatchObject({ exact: 0.5 });
  });

  it("names a data set on the disk instead of copying it, and resumes on it", async () => {
    const data = join(folder, "data");
    writeDataset(data, { task: own, train: ownSets.train, test: ownSets.test, copies: 2 });
    const dataset = openDataset(data);
    const { vocabularySize, sequenceLength } = own;
    const size = { hiddenSize: 8, widthMultiple: 8, layers: 1, T: 1, n: 1, batchSize: 3 };
    const source = new SplitBatches(dataset.train, { seed: 1 });
    const training = kept(new Training(parseConfig({ vocabularySize, sequenceLength, ...size }), source));
    await stepsOf(training, 2);
    const path = newFolder();
    await saveRun(path, training, { task: dataset.task });
    expect(existsSync(join(path, "data.safetensors"))).toBe(false);
    const resumed = kept((await resumeRun(path)).training);
    expect(await stepsOf(resumed, 3)).toEqual(await stepsOf(training, 3));
    await saveRun(path, resumed, { task: dataset.task });
    dataset.close();
    writeDataset(data, { task: own, train: ownSets.test, test: ownSets.test });
    await expect(resumeRun(path)).rejects.toThrow(
      `${data}: is not the data set of ${path}: the training puzzles differ`,
    );
  });

  it("saves a training on a source of one's own, which resumeRun takes again", async () => {
    const counting = (): BatchSource => {
      let at = 0;
      return {
        sequenceLength: 6,
        next: (batchSize) => {
          at++;
          const cells = Int32Array.from({ length: 6 * batchSize }, (_, i) => 1 + ((i + at) % 3));
          return { inputs: cells, labels: cells, puzzleIds: new Int32Array(batchSize) };
        },
        get state() {
          return at;
        },
        set state(state: unknown) {
          at = state as number;
        },
      };
    };
    const training = kept(new Training(ownTraining({}, false).config, counting()));
    await stepsOf(training, 2);
    const path = newFolder();
    await saveRun(path, training, { task: own });
    await expect(resumeRun(path)).rejects.toThrow(`${path}: contains no training puzzles, expected the option source`);
    const resumed = kept((await resumeRun(path, { source: counting() })).training);
    expect(await stepsOf(resumed, 3)).toEqual(await stepsOf(training, 3));
  });

  const tinyWatch = () => ({
    ...ownSets.test,
    count: 2,
    inputs: ownSets.test.inputs.slice(0, 12),
    labels: ownSets.test.labels.slice(0, 12),
  });

  describe("refuses to overwrite", async () => {
    const path = newFolder();
    const training = ownTraining({}, false);
    await stepsOf(training, 2);
    await saveRun(path, training, { task: own });
    const same = await stateOf(training);

    const others: [what: string, other: () => Training, message: string][] = [
      ["an earlier step", () => ownTraining({}, false), "holds a checkpoint of step 2, got step 0"],
      [
        "other settings",
        () => ownTraining({ learningRate: 0.5 }, false),
        "holds a run with learningRate 0.0001, got 0.5",
      ],
    ];
    it.each(others)("%s", async (_, other, message) => {
      await expect(saveRun(path, other(), { task: own })).rejects.toThrow(`${path} ${message} (force: true moves`);
      expect(await stateOf(kept((await resumeRun(path)).training))).toEqual(same);
    });

    it("another training at the same step, whose state differs only in one part", async () => {
      const { config } = training;
      const at2 = async (other: Training): Promise<Training> => {
        await stepsOf(other, 2);
        return kept(other);
      };
      const shuffled = await at2(new Training(config, new ShuffledExamples(ownSets.train, 6)));
      const lossless = await at2(
        new Training(config, new ShuffledExamples(ownSets.train, 5), { loss: ({ haltLoss }) => haltLoss }),
      );
      const redrawn = await at2(new Training(config, new ShuffledExamples(ownSets.train, 5)));
      redrawn.random.uniform();
      for (const other of [shuffled, lossless, redrawn]) {
        await expect(saveRun(path, other, { task: own })).rejects.toThrow(
          new OccupiedError(`${path} holds another state of step 2 (force: true moves it to ${path}.previous)`),
        );
      }
      expect(await stateOf(kept((await resumeRun(path)).training))).toEqual(same);
    });

    it("the same puzzles that are augmented now", async () => {
      const augmented = ownTraining({}, true);
      await stepsOf(augmented, 3);
      await expect(saveRun(path, augmented, { task: own })).rejects.toThrow(`${path} holds a run without augmentation`);
    });

    it("another task, other puzzles, and a folder that is no run", async () => {
      const renamed = { ...own, name: "other" };
      await expect(saveRun(path, training, { task: renamed })).rejects.toThrow(`${path} holds a run of filled`);
      const moved = kept(new Training(training.config, new ShuffledExamples(ownSets.test, 1)));
      await stepsOf(moved, 3);
      await expect(saveRun(path, moved, { task: own })).rejects.toThrow(
        `${path} holds a run on other training puzzles`,
      );
      await expect(saveRun(folder, training, { task: own })).rejects.toThrow(/exists and is not a run/);
    });

    it("a run that another process writes", async () => {
      await stepsOf(training, 1);
      const lock = lockFolder(path);
      await expect(saveRun(path, training, { task: own })).rejects.toThrow(/is writing this run/);
      lock.release();
      expect(stepsIn(path)).toEqual([2]);
    });

    it("unless it is forced to, which moves the other run aside", async () => {
      const fresh = ownTraining({ learningRate: 0.5 }, false);
      await saveRun(path, fresh, { task: own, force: true });
      expect(stepsIn(path)).toEqual([0]);
      expect(stepsIn(`${path}.previous`)).toEqual([2]);
      await stepsOf(fresh, 1);
      await saveRun(path, fresh, { task: own, force: true });
      expect(stepsIn(path)).toEqual([0, 1]);
    });
  });

  it("refuses a run whose optional settings differ, and accepts a default that is written out", async () => {
    const deep = { separateNets: true, layersY: 2 };
    const path = newFolder();
    const training = ownTraining(deep, false);
    await saveRun(path, training, { task: own });
    const shallow = ownTraining({ separateNets: true }, false);
    await expect(saveRun(path, shallow, { task: own })).rejects.toThrow(`${path} holds a run with layersY 2, got 1`);
    const rotary = { positions: "rotary2d", mixer: "attention", heads: 1, columns: 3 };
    const other = newFolder();
    await saveRun(other, ownTraining(rotary, false), { task: own });
    const flat = ownTraining({ ...rotary, positions: "rotary", columns: undefined }, false);
    await expect(saveRun(other, flat, { task: own })).rejects.toThrow(`${other} holds a run with positions rotary2d`);
    const written = ownTraining({ separateNets: true, layersY: 1 }, false);
    const third = newFolder();
    await saveRun(third, written, { task: own });
    await saveRun(third, shallow, { task: own });
  });

  it("moves a run that cannot be read aside if it is forced to, whatever is damaged", async () => {
    const damages: [file: (path: string) => string, message: RegExp][] = [
      [(path) => join(path, "run.json"), /run\.json: not JSON/],
      [(path) => join(checkpointOfStep(path, 1), "checkpoint.json"), /checkpoint\.json: not JSON/],
      [(path) => join(checkpointOfStep(path, 1), "weights.safetensors"), /weights\.safetensors: is corrupted/],
    ];
    for (const [file, message] of damages) {
      const path = newFolder();
      const training = ownTraining({}, false);
      await stepsOf(training, 1);
      await saveRun(path, training, { task: own });
      truncateSync(file(path), 100);
      await expect(saveRun(path, training, { task: own })).rejects.toThrow(message);
      await saveRun(path, training, { task: own, force: true });
      expect(stepsIn(`${path}.previous`)).toEqual([1]);
      expect(await stateOf(kept((await resumeRun(path)).training))).toEqual(await stateOf(training));
    }
  });

  it("refuses a training whose supervision step is running, and keeps a run that it was to move aside", async () => {
    const path = newFolder();
    await saveRun(path, ownTraining({ learningRate: 0.5 }, false), { task: own });
    const training = ownTraining({}, false);
    const step = training.supervisionStep();
    await expect(saveRun(path, training, { task: own, force: true })).rejects.toThrow(
      "saveRun: a supervision step is still running, expected to await it",
    );
    await step;
    const saved = saveRun(path, training, { task: own, force: true });
    await Promise.all([training.supervisionStep(), expect(saved).rejects.toThrow("a supervision step began while")]);
    expect(existsSync(`${path}.previous`)).toBe(false);
    expect(kept((await resumeRun(path)).training).config.training.learningRate).toBe(0.5);
  });

  it("refuses a task of another size, and puzzles that the run cannot store, before it writes anything", async () => {
    const training = ownTraining({}, false);
    const path = newFolder();
    await expect(saveRun(path, training, { task: sudoku })).rejects.toThrow(
      "saveRun: the model has 6 cells and 4 tokens, sudoku4 has 16 and 6",
    );
    const marked = { ...ownSets.test, puzzleIds: new Int32Array(6).fill(1) };
    await expect(saveRun(path, training, { task: own, unseen: marked })).rejects.toThrow(
      "saveRun: unseen: got puzzle ids",
    );
    await expect(saveRun(path, training, { task: own, watch: tinySets().watch })).rejects.toThrow(
      "saveRun: watch: got examples of 16 cells, expected 6",
    );
    const labels = ownSets.train.labels.map((label, cell) => (cell === 1 ? -100 : label));
    const source = new ShuffledExamples({ ...ownSets.train, labels }, 1);
    await expect(saveRun(path, kept(new Training(training.config, source)), { task: own })).rejects.toThrow(
      "run: token -100 in train, expected 0 to 255 (a run stores one byte per token; 0 marks a label that does not count)",
    );
    expect(existsSync(path)).toBe(false);
  });

  describe("of a training that augments its puzzles by a function of its own", () => {
    /** Exchanges the digits 1 and 2 of some puzzles. */
    const augment: Task["augment"] = (question, answer, random) => {
      const isExchanged = random.bernoulli(0.5);
      const image = (tokens: Int32Array) =>
        tokens.map((token) => (isExchanged && (token === 2 || token === 3) ? 5 - token : token));
      return { question: image(question), answer: image(answer) };
    };
    /** A training after two steps, saved. */
    const saved = async (task: Task, augmenting = task): Promise<[path: string, training: Training]> => {
      const training = kept(new Training(tinyConfig(), new ShuffledExamples(tinySets().train, 5, augmenting)));
      await stepsOf(training, 2);
      const path = newFolder();
      await saveRun(path, training, { task });
      return [path, training];
    };
    const renamed = { ...sudokuTask(4), name: "mine" };

    it.each<[string, Task]>([
      ["of the same name", { ...sudokuTask(4), augment }],
      ["of another name", { ...renamed, augment }],
    ])("resumeRun demands a task %s, and then continues bit for bit", async (_, task) => {
      const [path, training] = await saved(task);
      await expect(resumeRun(path)).rejects.toThrow(
        `${path}: the training augments its puzzles by a function that run.json does not store, expected its task (option task)`,
      );
      const resumed = kept((await resumeRun(path, { task })).training);
      await saveRun(path, resumed, { task });
      expect(await stepsOf(resumed, 4)).toEqual(await stepsOf(training, 4));
      await saveRun(path, resumed, { task });
      const source = new ShuffledExamples(tinySets().train, 5, task);
      expect(await stateOf(kept((await resumeRun(path, { source })).training))).toEqual(await stateOf(training));
    });

    it("the task is needed if the function belongs to another task than the one that is stored", async () => {
      const six = sudokuTask(6);
      const { train } = six.generate({ train: 5, test: 0, seed: 1 });
      const config = tinyConfig({ vocabularySize: six.vocabularySize, sequenceLength: six.sequenceLength });
      const training = kept(new Training(config, new ShuffledExamples(train, 5, six)));
      const path = newFolder();
      await saveRun(path, training, { task: { ...six, name: "mine" } });
      await expect(resumeRun(path)).rejects.toThrow("expected its task (option task)");
      expect(await stepsOf(kept((await resumeRun(path, { task: six })).training), 4)).toEqual(
        await stepsOf(training, 4),
      );
    });

    it("the task is needed if the stored one cannot augment these puzzles", async () => {
      const maze = mazeTask(7);
      const blank = new Int32Array(2 * maze.sequenceLength).fill(2);
      const train = { count: 2, length: maze.sequenceLength, inputs: blank, labels: blank };
      const task: Task = { ...maze, augment: (question, answer) => ({ question, answer }) };
      const config = tinyConfig({ vocabularySize: maze.vocabularySize, sequenceLength: maze.sequenceLength });
      const path = newFolder();
      await saveRun(path, kept(new Training(config, new ShuffledExamples(train, 1, task))), { task });
      await expect(resumeRun(path)).rejects.toThrow("expected its task (option task)");
      kept((await resumeRun(path, { task })).training);
    });

    it("the task is not needed if the function does what the stored task does", async () => {
      const [path, training] = await saved({ ...renamed, augment: (question, answer) => ({ question, answer }) });
      expect(await stepsOf(kept((await resumeRun(path)).training), 4)).toEqual(await stepsOf(training, 4));
    });

    it("a task with a function of its own is refused if the training had none, before and after it is resumed", async () => {
      const task = { ...sudokuTask(4), augment };
      const [path, training] = await saved(sudokuTask(4));
      await expect(resumeRun(path, { task })).rejects.toThrow(
        `${path}: the training augments its puzzles as sudoku4 does, got a task with another augmentation`,
      );
      const other = kept(new Training(training.config, new ShuffledExamples(tinySets().train, 5, task)));
      await stepsOf(other, 3);
      await expect(saveRun(path, other, { task })).rejects.toThrow(`${path} holds a run with another augmentation`);
    });

    it("a run that does not record the function, as trm train writes it, is resumed with any task", async () => {
      const [path, training] = await saved(sudokuTask(4));
      const file = join(path, "run.json");
      const { augmentation, ...earlier } = JSON.parse(readFileSync(file, "utf8"));
      expect(augmentation).toBe("task");
      writeFileSync(file, JSON.stringify(earlier));
      const resumed = kept((await resumeRun(path, { task: { ...sudokuTask(4), augment } })).training);
      expect(resumed.step).toBe(training.step);
      await stepsOf(resumed, 1);
      await saveRun(path, resumed, { task: sudokuTask(4) });
    });
  });

  describe("of a training on a data set on the disk", () => {
    /** A training on a new data set, saved after one step. */
    const saved = async (test: Examples | undefined) => {
      const data = newFolder();
      writeDataset(data, { task: own, train: ownSets.train, test });
      const dataset = openDataset(data);
      const { config } = ownTraining({}, false);
      const training = kept(new Training(config, new SplitBatches(dataset.train, { seed: 1 })));
      await stepsOf(training, 1);
      const path = newFolder();
      await saveRun(path, training, { task: own });
      dataset.close();
      return { path, data, config };
    };
    const openFiles = (): number => readdirSync("/proc/self/fd").length;
    const onLinux = it.runIf(process.platform === "linux");

    it("records how many puzzles it has, and resumeRun returns the watched ones", async () => {
      const { path } = await saved(ownSets.test);
      expect(readRun(path).data).toEqual({ train: 20, watch: 6, unseen: 6, augment: false });
      const resumed = await resumeRun(path);
      kept(resumed.training);
      expect(resumed.watch.inputs).toEqual(ownSets.test.inputs);
      const { path: untested } = await saved(undefined);
      expect(readRun(untested).data).toEqual({ train: 20, watch: 0, unseen: 0, augment: false });
    });

    onLinux("resumeRun closes the files of a data set that it refuses", async () => {
      const { path, data } = await saved(ownSets.test);
      const before = openFiles();
      const hooks = {
        createModel: () => {
          throw new Error("no model");
        },
      };
      await expect(resumeRun(path, { hooks })).rejects.toThrow("no model");
      const file = join(checkpointOfStep(path, 1), "checkpoint.json");
      const { checksums: _, source: __, ...side } = JSON.parse(readFileSync(file, "utf8"));
      writeFileSync(file, JSON.stringify({ ...side, source: "nowhere" }));
      await expect(resumeRun(path)).rejects.toThrow("the position in the training data cannot be read");
      writeDataset(data, { task: own, train: ownSets.test, test: ownSets.test });
      await expect(resumeRun(path)).rejects.toThrow("is not the data set of");
      truncateSync(join(data, "test", "all__inputs.npy"), 10);
      await expect(resumeRun(path)).rejects.toThrow("all__inputs.npy");
      expect(openFiles()).toBe(before);
    });

    onLinux("resumeRun does not open the data set if a source is given, so that it may be elsewhere", async () => {
      const { path, data } = await saved(ownSets.test);
      const moved = newFolder();
      writeDataset(moved, { task: own, train: ownSets.train, test: ownSets.test });
      const dataset = openDataset(moved);
      rmSync(data, { recursive: true });
      const before = openFiles();
      const source = new SplitBatches(dataset.train, { seed: 1 });
      const { training, watch } = await resumeRun(path, { source });
      expect(training.source).toBe(source);
      expect(watch.count).toBe(0);
      expect(openFiles()).toBe(before);
      await stepsOf(training, 1);
      await saveRun(path, training, { task: own });
      expect(stepsIn(path)).toEqual([1, 2]);
      training.dispose();
      dataset.close();
    });

    onLinux("a resumed run closes its data set when it is closed", async () => {
      const { path } = await saved(ownSets.test);
      const before = openFiles();
      const { training, close } = await resumeRun(path);
      expect(openFiles()).toBeGreaterThan(before);
      training.dispose();
      close();
      expect(openFiles()).toBe(before);
    });

    onLinux("storedPuzzles closes its files", async () => {
      const { data, config } = await saved(ownSets.test);
      const before = openFiles();
      storedPuzzles(data, config, 3).close();
      expect(openFiles()).toBe(before);
    });
  });
});
