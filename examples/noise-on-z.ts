// Does the recursion repair its own state? Noise on z between the supervision steps of an evaluation. Run: npx tsx examples/noise-on-z.ts
import { deepRecursion, parseConfig, ShuffledExamples, sudokuTask, Training } from "trm-ts";
import * as autograd from "trm-ts/autograd";
import * as t from "trm-ts/tensor";

const task = sudokuTask(4);
const { train, test } = task.generate({ train: 4000, test: 200, seed: 1 });
const { vocabularySize, sequenceLength } = task;
const size = { hiddenSize: 32, heads: 4, widthMultiple: 8, T: 2, n: 2 };
const learning = { nSup: 8, batchSize: 32, learningRate: 4e-3, warmupSteps: 50, weightDecay: 0.1, emaRate: 0.99 };
const config = parseConfig({ vocabularySize, sequenceLength, ...size, ...learning });
const training = new Training(config, new ShuffledExamples(train, 1));
for (let step = 1; step <= 600; step++) await training.supervisionStep();
const model = training.evaluationModel;

/** The answers [N, L] after each supervision step, with normal noise of the given deviation added to z before it. */
function answers(deviation: number, steps: number, random = new t.Random(2)): t.Tensor[] {
  const inputs = t.tensor(test.inputs, { shape: [test.count, test.length] });
  const { x } = model.embed(inputs, t.zeros([test.count], "int32"));
  let latents = model.initialLatents(test.count);
  return Array.from({ length: steps }, () => {
    const z = latents.z!;
    const numbers = Float32Array.from({ length: z.value.size }, () => deviation * random.normal());
    const noise = autograd.constant(t.tensor(numbers, { shape: z.shape }));
    latents = deepRecursion(model.recur, x, { ...latents, z: autograd.add(z, noise) }, model.T);
    return t.argmax(model.heads(latents).logits.value);
  });
}

console.log(`share of ${test.count} unseen puzzles solved after supervision step 1, 2, ...`);
for (const deviation of [0, 0.5, 1, 2, 4]) {
  const shares: string[] = [];
  for (const tensor of autograd.noGrad(() => answers(deviation, 8))) {
    const tokens = task.format(await tensor.data()); // as text: 16 characters per puzzle
    const solved = Array.from({ length: test.count }, (_, i) => i * test.length).filter(
      (at) => tokens.slice(at, at + test.length) === task.format(test.labels.subarray(at, at + test.length)),
    );
    shares.push((solved.length / test.count).toFixed(2));
  }
  console.log(`noise ${deviation}: ${shares.join(" ")}`);
}
