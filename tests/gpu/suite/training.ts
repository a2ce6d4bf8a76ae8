// Training on the gpu backend: agreement with the reference backend, data that stays on the GPU, and memory.
import { officialTensors } from "../../../src/runs/weights.ts";
import type { GpuBackend } from "../../../src/tensor/backends/gpu/index.ts";
import { assign, type Backend, ReferenceBackend, setRootBackend, type Tensor } from "../../../src/tensor/index.ts";
import { parseConfig } from "../../../src/trm/config.ts";
import type { Batch, BatchSource } from "../../../src/trm/examples.ts";
import type { Model } from "../../../src/trm/model.ts";
import { predictions, type Question } from "../../../src/trm/prediction.ts";
import { Training, type TrainingHooks } from "../../../src/trm/training.ts";
import { type Case, check, checkClose, checkEqual } from "./case.ts";

/** A small TRM with attention, rotary positions and puzzle embeddings. (The MLP over the sequence amplifies rounding.) */
const config = parseConfig({
  vocabularySize: 6,
  sequenceLength: 9,
  T: 2,
  n: 2,
  layers: 1,
  hiddenSize: 32,
  mixer: "attention",
  heads: 2,
  positions: "rotary",
  expansion: 2,
  widthMultiple: 8,
  puzzleIds: 5,
  puzzleEmbeddingSize: 32,
  puzzleSlots: 1,
  batchSize: 8,
  nSup: 4,
  learningRate: 3e-3,
  warmupSteps: 10,
  weightDecay: 0.1,
  puzzleLearningRate: 1e-3,
  totalSteps: 200,
  emaRate: 0.99,
  seed: 5,
});

/** Sequences of random tokens, labelled with the successor of each token. 200 steps are enough to learn it. */
class Successors implements BatchSource {
  readonly sequenceLength = config.model.sequenceLength;
  state = 1;
  next(batchSize: number): Batch {
    const cells = batchSize * config.model.sequenceLength;
    const inputs = Int32Array.from({ length: cells }, () => 1 + this.draw(5));
    const labels = inputs.map((token) => 1 + (token % 5));
    return { inputs, labels, puzzleIds: Int32Array.from({ length: batchSize }, () => this.draw(5)) };
  }
  /** A random integer below `limit`, from Lehmer's generator, which is sufficient for test data. */
  private draw(limit: number): number {
    this.state = (this.state * 48271) % 2147483647;
    return this.state % limit;
  }
}

const on = <T>(backend: Backend, body: () => T): T => {
  setRootBackend(backend);
  return body();
};

const makeTraining = (backend: Backend, hooks: TrainingHooks = {}): Training =>
  on(backend, () => new Training(config, new Successors(), hooks));

/** Copies weights, puzzle table and carry from one training to another. */
async function copyState(from: Training, to: Training): Promise<void> {
  const targets = new Map(officialTensors(to.model));
  for (const [name, tensor] of officialTensors(from.model)) assign(targets.get(name)!, await tensor.data());
  const latents = new Map<string, ArrayLike<number>>();
  for (const [name, { value }] of Object.entries(from.carry.latents)) latents.set(name, await value.data());
  const { inputs, labels, puzzleIds, steps, halted } = from.carry;
  to.carry.restore({ latents, inputs, labels, puzzleIds, steps, halted });
}

/** Loss and gradients of one step. */
interface Seen {
  loss: number;
  gradients: Map<string, Promise<ArrayLike<number>>>;
}

function watched(backend: Backend): { training: Training; step(): Promise<Seen> } {
  let gradients: Seen["gradients"] = new Map();
  const read = (tensor: Tensor): Promise<ArrayLike<number>> => tensor.data();
  const training = makeTraining(backend, {
    observe: (seen) => {
      gradients = new Map([...seen.gradients].map(([name, gradient]) => [name, read(gradient)]));
      if (seen.puzzleGradient) gradients.set("puzzle rows", read(seen.puzzleGradient));
    },
  });
  const step = async (): Promise<Seen> => {
    const { loss } = await on(backend, () => training.supervisionStep());
    return { loss, gradients };
  };
  return { training, step };
}

async function agreesStepByStep(backend: GpuBackend, steps: number): Promise<void> {
  const [reference, gpu] = [watched(new ReferenceBackend()), watched(backend)];
  for (let i = 1; i <= steps; i++) {
    await copyState(reference.training, gpu.training);
    const [expected, got] = [await reference.step(), await gpu.step()];
    checkClose(`loss of step ${i}`, [got.loss], [expected.loss], { tolerance: 1e-3, floor: 1e-6 });
    for (const [name, gradient] of expected.gradients) {
      const numbers = await got.gradients.get(name)!;
      checkClose(`step ${i}: gradient of ${name}`, numbers, await gradient, { tolerance: 5e-3, floor: 1e-9 });
    }
  }
  reference.training.dispose();
  gpu.training.dispose();
}

/** Mean losses of a training of 200 steps: of the first twenty, of the second half, of the last twenty. */
async function lossesOf(backend: Backend): Promise<{ first: number; half: number; last: number }> {
  const training = makeTraining(backend);
  const losses: number[] = [];
  for (let i = 0; i < 200; i++) losses.push((await on(backend, () => training.supervisionStep())).loss);
  training.dispose();
  const mean = (list: readonly number[]): number => list.reduce((sum, loss) => sum + loss, 0) / list.length;
  return { first: mean(losses.slice(0, 20)), half: mean(losses.slice(100)), last: mean(losses.slice(-20)) };
}

/** Logits and q of every supervision step of an evaluation. */
async function predictionsOf(backend: Backend, model: Model, question: Question): Promise<ArrayLike<number>[]> {
  setRootBackend(backend);
  const numbers: ArrayLike<number>[] = [];
  for await (const { logits, q } of predictions(model, question, 4)) numbers.push(await logits.data(), await q.data());
  return numbers;
}

export const trainingCases: readonly Case[] = [
  {
    name: "evaluation gives the logits of the reference after each of four steps",
    async run(backend) {
      const [reference, gpu] = [makeTraining(new ReferenceBackend()), makeTraining(backend)];
      await copyState(reference, gpu);
      const question = new Successors().next(5);
      const expected = await predictionsOf(reference.model.embedding.weight.value.backend, reference.model, question);
      const got = await predictionsOf(backend, gpu.model, question);
      got.forEach((numbers, i) => {
        checkClose(`output ${i}`, numbers, expected[i]!, { tolerance: 1e-4 });
      });
      reference.dispose();
      gpu.dispose();
    },
  },
  {
    name: "each of 12 training steps, started from the weights and carry of the reference, has its loss within 1e-3 and its gradients within 5e-3",
    run: (backend) => agreesStepByStep(backend, 12),
  },
  {
    name: "25 training steps leak no memory and read back one array each",
    async run(backend) {
      const before = backend.memory().liveBytes;
      const training = makeTraining(backend);
      const steady: string[] = [];
      for (let step = 1; step <= 25; step++) {
        const { downloads, uploads } = backend.statistics();
        await on(backend, () => training.supervisionStep());
        checkEqual(`arrays read back in step ${step}`, backend.statistics().downloads - downloads, 1);
        // Inputs, puzzle ids, labels and their counts, the mask of new puzzles, a zero, and the zeros in which each of the four joins of
        // the numbers to read begins.
        const uploaded = backend.statistics().uploads - uploads;
        check(uploaded <= 12, `arrays uploaded in step ${step}: got ${uploaded}, expected at most 12`);
        const { liveArrays, liveArrayBytes } = backend.statistics();
        if (step === 5 || step === 25) steady.push(`${liveArrays} arrays, ${liveArrayBytes} bytes`);
      }
      checkEqual("live arrays after 25 steps, compared with those after 5", steady[1], steady[0]);
      training.dispose();
      checkEqual("live bytes after dispose", backend.memory().liveBytes, before);
    },
  },
  {
    name: "200 training steps learn as well as on the reference",
    isLong: true,
    async run(backend) {
      const [expected, got] = [await lossesOf(new ReferenceBackend()), await lossesOf(backend)];
      const show = (losses: object): string =>
        JSON.stringify(losses, (_, x) => (typeof x === "number" ? +x.toFixed(2) : x));
      const both = `got ${show(got)}, reference ${show(expected)}`;
      check(expected.last < 0.2 * expected.first, `the reference does not learn: ${both}`);
      check(got.last < 0.2 * got.first, `the gpu backend does not learn: ${both}`);
      check(
        Math.abs(got.half / expected.half - 1) < 0.15,
        `${both}, expected the losses of the second half within 15%`,
      );
    },
  },
];
