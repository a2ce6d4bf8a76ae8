// Does the recursion repair its own state? Noise on z before every supervision step of an evaluation. Run: npx tsx examples/noise-on-z.ts
import { evaluate, parseConfig, ShuffledExamples, type StepHooks, sudokuTask, Training } from "trm-ts";
import { add, constant } from "trm-ts/autograd";
import { tensor } from "trm-ts/tensor";

const task = sudokuTask(4);
const { train, test } = task.generate({ train: 4000, test: 200, seed: 1 });
const { vocabularySize, sequenceLength } = task;
const size = { hiddenSize: 32, widthMultiple: 8, T: 2, n: 2 };
const learning = { nSup: 8, batchSize: 32, learningRate: 4e-3, warmupSteps: 50, weightDecay: 0.1, emaRate: 0.99 };
const config = parseConfig({ vocabularySize, sequenceLength, ...size, ...learning });
const training = new Training(config, new ShuffledExamples(train, 1));
for (let step = 1; step <= 600; step++) await training.supervisionStep();

/** Adds normal noise of the given deviation to z. */
const noiseOnZ = (deviation: number): StepHooks["before"] => {
  return ({ y, z }, { random }) => {
    const noise = Float32Array.from({ length: z!.value.size }, () => deviation * random.normal());
    return { y: y!, z: add(z!, constant(tensor(noise, { shape: z!.shape }))) };
  };
};

console.log(`share of ${test.count} unseen puzzles solved after supervision step 1, 2, ...`);
for (const deviation of [0, 0.5, 1, 2, 4]) {
  const before = noiseOnZ(deviation);
  const { exact } = await evaluate(training.evaluationModel, test, { ...config.training, batchSize: 100, before });
  console.log(`noise ${deviation}: ${exact.map((share) => share.toFixed(2)).join(" ")}`);
}
