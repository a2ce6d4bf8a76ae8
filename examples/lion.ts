// An optimizer of your own: Lion (Chen et al. 2023) in ten lines, against Adam-atan2. Run: npx tsx examples/lion.ts
import { parseConfig, ShuffledExamples, sudokuTask, Training, type TrainingHooks } from "trm-ts";
import type { Variable } from "trm-ts/autograd";
import { Optimizer } from "trm-ts/nn";
import { add, affine, assign, sign, type Tensor } from "trm-ts/tensor";

class Lion extends Optimizer<"m"> {
  constructor(parameters: ReadonlyMap<string, Variable>) {
    super(parameters, ["m"]); // one moment for every parameter, saved in checkpoints
  }
  protected override updateParameter(p: Tensor, g: Tensor, { m }: { m: Tensor }, learningRate: number): void {
    const direction = sign(add(affine(m, 0.9), affine(g, 0.1))); // sign(β1 m + (1 - β1) g)
    assign(p, add(affine(p, 1 - 0.1 * learningRate), affine(direction, -learningRate))); // weight decay 0.1
    assign(m, add(affine(m, 0.99), affine(g, 0.01))); // β2 m + (1 - β2) g
  }
}

const task = sudokuTask(4);
const { train } = task.generate({ train: 4000, test: 1, seed: 1 });
const { vocabularySize, sequenceLength } = task;
const size = { hiddenSize: 32, widthMultiple: 8, T: 2, n: 2 };
const learning = { nSup: 8, batchSize: 32, warmupSteps: 50, weightDecay: 0.1, emaRate: 0.99 };

async function meanLoss(name: string, learningRate: number, hooks: TrainingHooks): Promise<void> {
  const config = parseConfig({ vocabularySize, sequenceLength, ...size, ...learning, learningRate });
  const training = new Training(config, new ShuffledExamples(train, 1), hooks);
  const losses: number[] = [];
  for (let step = 1; step <= 600; step++) losses.push((await training.supervisionStep()).loss);
  const last = losses.slice(-100);
  console.log(`${name}: mean loss of the last 100 steps ${(last.reduce((a, b) => a + b) / last.length).toFixed(3)}`);
}

await meanLoss("Adam-atan2", 4e-3, {});
await meanLoss("Lion", 1e-3, { createOptimizer: (parameters) => new Lion(parameters) });
