// Steps the recursion by hand and prints the boards that y and z decode to after every update. Run: npx tsx examples/step-by-hand.ts
import { type Model, parseConfig, ShuffledExamples, sudokuTask, Training } from "trm-ts";
import * as autograd from "trm-ts/autograd";
import * as t from "trm-ts/tensor";

const task = sudokuTask(4);
const { train, test } = task.generate({ train: 4000, test: 1, seed: 1 });
const { vocabularySize, sequenceLength } = task;
const size = { hiddenSize: 32, widthMultiple: 8, T: 2, n: 2 };
const learning = { nSup: 8, batchSize: 32, learningRate: 4e-3, warmupSteps: 50, weightDecay: 0.1, emaRate: 0.99 };
const config = parseConfig({ vocabularySize, sequenceLength, ...size, ...learning });
const training = new Training(config, new ShuffledExamples(train, 1));
for (let step = 1; step <= 600; step++) await training.supervisionStep();

/** One supervision step after another, as in src/trm/recursion.ts. Returns the tokens of y or z after every update. */
function run(model: Model, question: Int32Array, steps: number): [string, t.Tensor][] {
  const { T, n } = model.config;
  const updates: [string, t.Tensor][] = [];
  const record = (name: string, latent: autograd.Variable): void => {
    updates.push([name, t.argmax(model.outputHead(latent).value)]); // [1, L, V] -> [1, L]
  };
  const inputs = t.tensor(question, { shape: [1, question.length] });
  const { x } = model.embed(inputs, t.zeros([1], "int32"));
  let { y, z } = model.initialLatents(1) as { y: autograd.Variable; z: autograd.Variable };
  for (let step = 1; step <= steps; step++) {
    for (let cycle = 1; cycle <= T; cycle++) {
      for (let i = 1; i <= n; i++) {
        z = model.net(x, y, z);
        record(`step ${step}, cycle ${cycle}: z, update ${i}`, z);
      }
      y = model.net(y, z);
      record(`step ${step}, cycle ${cycle}: y`, y);
    }
  }
  return updates;
}

console.log(`question: ${task.format(test.inputs)}`);
const updates = autograd.noGrad(() => run(training.evaluationModel, test.inputs, 2));
for (const [name, tokens] of updates) console.log(`${task.format(await tokens.data())}  ${name}`);
console.log(`${task.format(test.labels)}  the answer`);
