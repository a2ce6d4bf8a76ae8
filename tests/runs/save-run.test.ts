// saveRun, loadRun and resumeRun: a run that a program writes holds every bit, and continues bit for bit.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { openDataset, writeDataset } from "../../src/puzzles/index.node.ts";
import { gridTask, SplitBatches } from "../../src/puzzles/index.ts";
import { bestIn, stepsIn } from "../../src/runs/checkpoint-folder.node.ts";
import { lockFolder } from "../../src/runs/folder-lock.node.ts";
import { exportWeights, packCheckpoint } from "../../src/runs/index.ts";
import { loadRun } from "../../src/runs/load-run.node.ts";
import { resumeRun, saveRun } from "../../src/runs/save-run.node.ts";
import {
  type BatchSource,
  evaluate,
  type Model,
  parseConfig,
  ShuffledExamples,
  type Task,
  Training,
} from "../../src/trm/index.ts";
import { task as sudoku, tinyConfig, tinySets, tinyTraining } from "./tiny-run.ts";

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

async function steps(training: Training, count: number): Promise<number[]> {
  const losses: number[] = [];
  for (let i = 0; i < count; i++) losses.push((await training.supervisionStep()).loss);
  return losses;
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
            await steps(training, count);
            if (saved !== training) await steps(saved, count);
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
          expect(await steps(saved, 3)).toEqual(await steps(training, 3));
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
    expect(await steps(resumed, 3)).toEqual(await steps(training, 3));
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
    await steps(training, 2);
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
      await steps(training, 1);
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
    await steps(training, 1);
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
    await steps(training, 2);
    const path = newFolder();
    await saveRun(path, training, { task: dataset.task });
    expect(existsSync(join(path, "data.safetensors"))).toBe(false);
    const resumed = kept((await resumeRun(path)).training);
    expect(await steps(resumed, 3)).toEqual(await steps(training, 3));
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
    await steps(training, 2);
    const path = newFolder();
    await saveRun(path, training, { task: own });
    await expect(resumeRun(path)).rejects.toThrow(`${path}: contains no training puzzles, expected the option source`);
    const resumed = kept((await resumeRun(path, { source: counting() })).training);
    expect(await steps(resumed, 3)).toEqual(await steps(training, 3));
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
    await steps(training, 2);
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

    it("another task, other puzzles, and a folder that is no run", async () => {
      const renamed = { ...own, name: "other" };
      await expect(saveRun(path, training, { task: renamed })).rejects.toThrow(`${path} holds a run of filled`);
      const moved = kept(new Training(training.config, new ShuffledExamples(ownSets.test, 1)));
      await steps(moved, 3);
      await expect(saveRun(path, moved, { task: own })).rejects.toThrow(
        `${path} holds a run on other training puzzles`,
      );
      await expect(saveRun(folder, training, { task: own })).rejects.toThrow(/exists and is not a run/);
    });

    it("a run that another process writes", async () => {
      await steps(training, 1);
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
      await steps(fresh, 1);
      await saveRun(path, fresh, { task: own, force: true });
      expect(stepsIn(path)).toEqual([0, 1]);
    });
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
    expect(existsSync(path)).toBe(false);
  });
});
