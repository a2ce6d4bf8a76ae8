// A loss of your own: a blank cell counts three times as much as a clue, which only has to be copied. Run: npx tsx examples/custom-loss.ts
import { evaluate, type LossFunction, parseConfig, ShuffledExamples, sudokuTask, Training } from "trm-ts";
import { add, affine, constant, crossEntropy, multiply, sum } from "trm-ts/autograd";
import { tensor } from "trm-ts/tensor";

const task = sudokuTask(4);
const blank = task.parse(".".repeat(task.sequenceLength))[0]!;

const blanksFirst: LossFunction = ({ logits, inputs, labels, haltLoss }) => {
  const shape = [logits.shape[0]!, logits.shape[1]!]; // [B, L]
  const weights = Float64Array.from(inputs, (token) => (token === blank ? 1.5 : 0.5));
  const perCell = crossEntropy(logits, constant(tensor(labels, { shape })), "stablemax"); // [B, L], float64
  const weighted = multiply(perCell, constant(tensor(weights, { shape })));
  return add(affine(sum(weighted), 1 / shape[1]!), affine(haltLoss, 0.5));
};

const { train, test } = task.generate({ train: 4000, test: 200, seed: 1 });
const { vocabularySize, sequenceLength } = task;
const size = { hiddenSize: 32, widthMultiple: 8, T: 2, n: 2 };
const learning = { nSup: 8, batchSize: 32, learningRate: 4e-3, warmupSteps: 50, weightDecay: 0.1, emaRate: 0.99 };
const config = parseConfig({ vocabularySize, sequenceLength, ...size, ...learning });
for (const [name, hooks] of Object.entries({ "all cells alike": {}, "blank cells first": { loss: blanksFirst } })) {
  const training = new Training(config, new ShuffledExamples(train, 1), hooks);
  for (let step = 1; step <= 600; step++) await training.supervisionStep();
  const { exact } = await evaluate(training.evaluationModel, test, { ...config.training, batchSize: 100 });
  console.log(`${name}: solved after step 1: ${exact[0]}, after step ${exact.length}: ${exact.at(-1)}`);
}
