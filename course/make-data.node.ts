// Makes the data of the lessons: the half-trained model of lessons 7, 8 and 10, and the recorded trainings of lesson 9. It takes about
// ten minutes on two idle cores. Run: npm run course:data
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { evaluate, packModel, parseConfig, ShuffledExamples, sudokuTask, Training, trainingFlops } from "trm-ts";
import { useBackend } from "trm-ts/tensor";

const path = (name: string): string => fileURLToPath(new URL(`lessons/data/${name}`, import.meta.url));

const task = sudokuTask(4);
const { train, test } = task.generate({ train: 4000, test: 200, seed: 1 });
const { vocabularySize, sequenceLength } = task;
const base = {
  vocabularySize,
  sequenceLength,
  hiddenSize: 32,
  heads: 4,
  widthMultiple: 8,
  T: 2,
  n: 2,
  nSup: 8,
  batchSize: 32,
  learningRate: 4e-3,
  warmupSteps: 50,
  weightDecay: 0.1,
  emaRate: 0, // a moving average lags behind in trainings as short as these
};

/** Solved test puzzles after supervision step 1, 2, ... */
async function solved(training: Training): Promise<number[]> {
  const { exact } = await evaluate(training.model, test, { ...training.config.training, batchSize: test.count });
  return exact.map((share) => Math.round(share * test.count));
}

/** Saves a model long before it has learned the task. */
async function makeModel(): Promise<void> {
  const config = parseConfig(base);
  const training = new Training(config, new ShuffledExamples(train, 1));
  for (const moment of [150, 300]) {
    while (training.step < moment) await training.supervisionStep();
    console.log(`${moment} steps: ${(await solved(training)).join(" ")} of ${test.count} solved`);
  }
  const { model, step } = training;
  const files = await packModel({ model, task, config, step });
  mkdirSync(path("half-trained"), { recursive: true });
  writeFileSync(path("half-trained/config.json"), files.config);
  writeFileSync(path("half-trained/model.safetensors"), files.weights);
  training.dispose();
}

/** The systems of lesson 9 as changes of TRM. */
const systems: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  TRM: {},
  "TRM with separate networks": { separateNets: true },
  "TRM with 1-step gradient": { oneStepGradient: true },
  "TRM with a single z": { recursion: "singleZ" },
  HRM: {
    mixer: "attention",
    positions: "rotary",
    separateNets: true,
    oneStepGradient: true,
    continueLoss: true,
    layers: 4,
  },
};

/** Trains every system three times with the operations that TRM needs for 400 steps. */
async function makeRecords(): Promise<void> {
  const budget = 400 * trainingFlops(parseConfig(base));
  const records = [];
  for (const seed of [1, 2, 3]) {
    for (const [system, change] of Object.entries(systems)) {
      const config = parseConfig({ ...base, ...change, seed });
      const operations = trainingFlops(config);
      const training = new Training(config, new ShuffledExamples(train, seed));
      const steps = Math.round(budget / operations);
      while (training.step < steps) await training.supervisionStep();
      const parameters = training.model.parameterCount();
      records.push({
        system,
        seed,
        steps,
        operations,
        parameters,
        puzzles: test.count,
        solved: await solved(training),
      });
      console.log(JSON.stringify(records.at(-1)));
      writeFileSync(path("records.json"), `[\n${records.map((record) => JSON.stringify(record)).join(",\n")}\n]\n`);
      training.dispose();
    }
  }
}

await useBackend("wasm", { threads: 1 });
await makeModel();
await makeRecords();
