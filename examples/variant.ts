// A variant of the recursion with a learned gate: z moves only a part of the way to the network's result. Run: npx tsx examples/variant.ts
import * as trm from "trm-ts";
import { add, affine, multiply, sigmoid } from "trm-ts/autograd";
import { Linear } from "trm-ts/nn";

class GatedModel extends trm.Model {
  readonly gate: Linear;

  constructor(...[config, random, shared]: Parameters<trm.CreateModel>) {
    super(config, random, shared);
    this.gate = new Linear(config.hiddenSize, config.hiddenSize, random); // a parameter, saved as gate.weight
  }

  override variant(net: trm.Network, netY: trm.Network, config: trm.ModelConfig): trm.Variant {
    const recur: trm.Recursion = (x, latents) => {
      let [y, z] = [latents.y!, latents.z!];
      for (let i = 0; i < config.n; i++) {
        const share = sigmoid(this.gate.forward(z)); // 0: z stays, 1: TRM
        z = add(z, multiply(share, add(net(x, y, z), affine(z, -1))));
      }
      y = netY(y, z);
      return { y, z };
    };
    const updates = [...new Array<string>(config.n).fill("z"), "y"];
    return { latents: ["y", "z"], output: "y", updates, recur };
  }
}

const task = trm.sudokuTask(4);
const { train, test } = task.generate({ train: 4000, test: 200, seed: 1 });
const { vocabularySize, sequenceLength } = task;
const size = { hiddenSize: 32, widthMultiple: 8, T: 2, n: 2 };
const learning = { nSup: 8, batchSize: 32, learningRate: 4e-3, warmupSteps: 50, weightDecay: 0.1, emaRate: 0.99 };
const config = trm.parseConfig({ vocabularySize, sequenceLength, ...size, ...learning });
const createModel: trm.CreateModel = (...given) => new GatedModel(...given);
const training = new trm.Training(config, new trm.ShuffledExamples(train, 1), { createModel });
for (let step = 1; step <= 600; step++) await training.supervisionStep();
const { exact } = await trm.evaluate(training.evaluationModel, test, { ...config.training, batchSize: 100 });
console.log(`${[...(await trm.exportWeights(training.model)).keys()].includes("gate.weight")}: the gate is saved`);
console.log(`solved after step 1: ${exact[0]}, after step ${exact.length}: ${exact.at(-1)}`);
