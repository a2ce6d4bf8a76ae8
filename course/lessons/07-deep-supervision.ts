/*md
# 7. Deep supervision and the carry

You can run the recursion on a state (lessons 5 and 6). Now the model learns to improve the state. The idea of this
lesson is called **deep supervision**: after *every* improvement the loss compares the answer with the right one, the
weights are updated, and the model goes on **from the state it has reached**. In this way it learns to improve good
states and bad ones, early ones and late ones. At the end of the lesson your code trains a model until it solves more
than nine out of ten Sudokus that it has never seen.

After this lesson you can

- write the training step of TRM: recursion, loss, gradient, update, hand-over,
- explain what a slot is and why a batch never waits for its slowest puzzle,
- name the mistake that starts a new puzzle from the latents of the old one, and test for it.

You need lessons 5 and 6; their functions run here. The network, the heads, the loss and the optimizer are the
library's.

## One puzzle, many steps

A **supervision step** does five things:

1. Embed the question: tokens become $x$, of shape $[B, L, D]$.
2. Run `deepRecursion` from the carried state.
3. Decode: `heads` gives the logits, scores for every digit in every cell, and $q$, which lesson 8 is about. Compute
   the loss against the right answer.
4. Compute the gradient and update the weights.
5. Hand the state over, off the tape.

Then the next step begins, with the *new* weights and the *carried* state, up to $N_\text{sup}$ times per puzzle. In
the paper $N_\text{sup} = 16$, here it is 8.

## Many puzzles, many slots

Training works on a batch of puzzles at once. Puzzles need different numbers of steps, and a batch that waits for its
slowest puzzle wastes most of its work. Therefore every place in the batch, every **slot**, is independent. When the
puzzle of a slot is finished (*halted*), the slot takes a new puzzle and starts it from the initial state
$(y_\text{init}, z_\text{init})$. The other slots go on undisturbed.

```figure
slots
```

A mistake is easy here: a slot that takes a new puzzle but keeps the old state starts the new question from the
latents of the old one. Nothing crashes. The model still learns, because training reduces the influence of the state
from which a puzzle starts.

## Exercise 7.1: refill

`refill` gives every halted slot the puzzle **of the same place** in `batch`, the initial state, and 0 steps. All
other slots stay as they are.

For the state, use `select(mask, a, b)`: it takes `a` where the mask is 1 and `b` where it is 0, and the mask
`[B, 1, 1]` broadcasts over cells and features (lesson 1). For the tokens, copy $L$ numbers per halted slot. Do not
write into the arrays that you were given: make copies with `slice()`.
*/
import { fileURLToPath } from "node:url";
import { type Batch, type Examples, evaluate, lossOf, type Model, ShuffledExamples } from "trm-ts";
import { affine, constant, gradients, select, type Variable } from "trm-ts/autograd";
import { Adam } from "trm-ts/nn";
import { loadRun } from "trm-ts/node";
import { scope, type Tensor, tensor, zeros } from "trm-ts/tensor";
import { latentRecursion, type State } from "./05-recursion.ts";
import { deepRecursion, handOver } from "./06-off-the-tape.ts";

/** The batch between two supervision steps: B slots with a puzzle of L cells each. */
export interface Slots {
  /** y and z, [B, L, D] each, off the tape. */
  readonly state: State;
  /** [B, L] tokens of the questions and of the answers. */
  readonly inputs: Int32Array;
  readonly labels: Int32Array;
  /** [B] supervision steps that the puzzle has made. */
  readonly steps: Int32Array;
  /** [B] whether the puzzle is finished. */
  readonly halted: readonly boolean[];
}

/** Gives every halted slot the puzzle of the same place in `batch`, the initial state [B, L, D], and 0 steps. */
export function refill(slots: Slots, batch: Pick<Batch, "inputs" | "labels">, initial: State): Slots {
  // BEGIN SOLUTION hint="mask = constant(tensor(halted.map(Number), { shape: [B, 1, 1] })). The new y is select(mask, initial.y, slots.state.y). For tokens: inputs.set(batch.inputs.subarray(from, to), from) with from = slot * L. In the result no slot is halted."
  const { state, halted } = slots;
  const length = slots.inputs.length / halted.length;
  const mask = constant(tensor(halted.map(Number), { shape: [halted.length, 1, 1] }));
  const [inputs, labels, steps] = [slots.inputs.slice(), slots.labels.slice(), slots.steps.slice()];
  halted.forEach((isHalted, slot) => {
    if (!isHalted) return;
    const [from, to] = [slot * length, (slot + 1) * length];
    inputs.set(batch.inputs.subarray(from, to), from);
    labels.set(batch.labels.subarray(from, to), from);
    steps[slot] = 0;
  });
  return {
    state: { y: select(mask, initial.y, state.y), z: select(mask, initial.z, state.z) },
    inputs,
    labels,
    steps,
    halted: halted.map(() => false),
  };
  // END SOLUTION
}

/*md
## Exercise 7.2: the step

Fill in things 2 to 5; the frame does the first. What you need:

| call | what it gives |
|---|---|
| `model.embed(inputs, ids)` | `{ x }`; both arguments are int32 tensors, `[B, L]` and `[B]`; the ids are all 0 |
| `recur` below | one latent recursion, made of your lesson 5 and the model's network |
| `model.heads({ ...state })` | `{ logits, q }` |
| `lossOf({ logits, q, labels, targetQContinue: null }, lossSettings)` | `{ total }`, the loss **summed** over the batch |
| `affine(v, c)` | `v` times the number `c`: use it to turn the sum into a mean |
| `gradients(loss, model.parameters())` | the gradients, in the order of the parameters |
| `adam.update(gradients, learningRate)` | changes the weights in place |

Everything happens inside one `scope`, which releases all intermediate tensors at its end, except those that are
returned. The frame is written; you fill in its body.
*/

export const lossSettings = { loss: "stablemax", haltingLossWeight: 0.5 } as const;

/** What a supervision step returns. */
export interface StepResult {
  /** The state for the next step, off the tape. */
  readonly state: State;
  /** The mean loss of the batch, a scalar. */
  readonly loss: Tensor;
  /** [B, 2]; the first column is q. */
  readonly q: Tensor;
  /** [B, L, V] */
  readonly logits: Tensor;
}

/** One supervision step on every slot. It updates the weights. */
export function supervisionStep(model: Model, adam: Adam, slots: Slots, learningRate: number): StepResult {
  const B = slots.halted.length;
  const recur = (x: Variable, state: State): State => latentRecursion(model.net, x, state, model.config.n);
  return scope(() => {
    const inputs = tensor(slots.inputs, { shape: [B, slots.inputs.length / B] });
    const { x } = model.embed(inputs, zeros([B], "int32"));
    // BEGIN SOLUTION hint="In this order: state = deepRecursion(recur, x, slots.state, model.T); the heads; total from lossOf; loss = affine(total, 1 / B); adam.update(gradients(loss, model.parameters()), learningRate); return { state: handOver(state), loss: loss.value, q: q.value, logits: logits.value }."
    const state = deepRecursion(recur, x, slots.state, model.T);
    const { logits, q } = model.heads({ ...state });
    const { total } = lossOf({ logits, q, labels: slots.labels, targetQContinue: null }, lossSettings);
    const loss = affine(total, 1 / B);
    adam.update(gradients(loss, model.parameters()), learningRate);
    return { state: handOver(state), loss: loss.value, q: q.value, logits: logits.value };
    // END SOLUTION
  });
}

/*md
## The loop

The rest is bookkeeping, and it is written for you. Notice where your two functions are called, and that all slots begin as
halted, so that the first `refill` fills them.
*/

export const initialState = (model: Model, slots: number): State => {
  const { y, z } = model.initialLatents(slots);
  return { y: y!, z: z! };
};

/** B empty slots. */
export function emptySlots(model: Model, B: number): Slots {
  const cells = B * model.config.sequenceLength;
  return {
    state: initialState(model, B),
    inputs: new Int32Array(cells),
    labels: new Int32Array(cells),
    steps: new Int32Array(B),
    halted: new Array<boolean>(B).fill(true),
  };
}

export const adamFor = (model: Model): Adam =>
  new Adam("adamAtan2", { beta1: 0.9, beta2: 0.95, weightDecay: 0.1 }, new Map(model.namedParameters()));

export interface TrainOptions {
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** Which slots have halted after a step. Lesson 8 replaces it. Default: those that have made 8 steps. */
  readonly halts?: (steps: Int32Array, q: ArrayLike<number>) => boolean[];
}

const afterEightSteps = (steps: Int32Array): boolean[] => Array.from(steps, (made) => made >= 8);

/** Trains a model with the functions of `own`, by default yours. Returns the loss of every step. */
export async function train(
  model: Model,
  puzzles: Examples,
  options: TrainOptions,
  own = { refill, supervisionStep },
): Promise<number[]> {
  const { steps, batchSize, learningRate, halts = afterEightSteps } = options;
  const source = new ShuffledExamples(puzzles, 1);
  const adam = adamFor(model);
  const losses: number[] = [];
  let slots = emptySlots(model, batchSize);
  for (let step = 0; step < steps; step++) {
    const filled = scope(() => own.refill(slots, source.next(batchSize), initialState(model, batchSize)));
    const rate = learningRate * (1 - step / steps); // large steps first, small ones to settle
    const { state, loss, q, logits } = own.supervisionStep(model, adam, filled, rate);
    const made = filled.steps.map((count) => count + 1);
    const pairs = await q.data();
    const halted = halts(
      made,
      Float32Array.from(made, (_, slot) => pairs[2 * slot]!),
    );
    losses.push(await loss.item());
    for (const old of [slots.state.y.value, slots.state.z.value, filled.state.y.value, filled.state.z.value])
      old.dispose();
    for (const read of [loss, q, logits]) read.dispose();
    slots = { ...filled, state, steps: made, halted };
  }
  adam.dispose();
  return losses;
}

/** Share of puzzles whose whole answer is right after 8 supervision steps. */
export async function solvedShare(model: Model, puzzles: Examples): Promise<number> {
  const { exact } = await evaluate(model, puzzles, { ...evaluationSettings, batchSize: puzzles.count });
  return exact.at(-1)!;
}

const evaluationSettings = { nSup: 8, continueLoss: false, haltAgainstContinue: false, refill: "slot" } as const;

/** A folder with a model beside this file. */
export const modelFolder = (name: string): string => fileURLToPath(new URL(`data/${name}`, import.meta.url));

/** The puzzles of this lesson: 4,000 4x4 Sudokus to train on, and 200 others. */
export async function loadStart() {
  const { model, task } = await loadRun(modelFolder("half-trained"));
  return { model, task, ...task.generate({ train: 4000, test: 200, seed: 1 }) };
}

export async function program(print: (line: string) => void): Promise<void> {
  /*md
  ## Train

  The model in `data/half-trained` has made 300 steps of training with the library and solves 165 of the 200 test
  puzzles. Your code takes over: 200 steps of 32 puzzles, which take a few seconds on a laptop. `npm run program -- 7`
  runs it.
  */
  const { model, train: puzzles, test } = await loadStart();
  const verdict = (share: number): string => `${share >= 0.9 ? "at least" : "less than"} nine out of ten solved`;
  print(`before: ${verdict(await solvedShare(model, test))}`);
  await train(model, puzzles, { steps: 200, batchSize: 32, learningRate: 1e-3 });
  print(`after:  ${verdict(await solvedShare(model, test))}`);
  /*md
  ```output
  before: less than nine out of ten solved
  after:  at least nine out of ten solved
  ```

  The test puzzles are not among the 4,000 training puzzles. (On a board of four by four there are only two complete
  grids up to symmetry, so a test puzzle can be a symmetric image of a training puzzle. The 6x6 and 9x9 tasks of the project exclude symmetric images too.)

  ## What you have now

  You have a complete training of a recursive model, of which you wrote the recursion, the hand-over, the slots and the
  step. `Training.supervisionStep` in `src/trm/training.ts` is the library's version. It adds what long trainings
  need: a learning-rate schedule, a moving average of the weights, micro-batches and checkpoints.

  **Question to think about.** Every slot counts its own steps. At the very beginning all slots start together, so
  all of them halt together after 8 steps. What is bad about a batch in lock-step, in which all puzzles are at step 1,
  then all at step 2? (A 9x9 training of this project with such batches *overfitted*.) Which part of lesson 8 breaks
  the lock-step?
  */
}

// BEGIN CHECK

import fc from "fast-check";
import { parseConfig, Model as TinyModel } from "trm-ts";
import { mean, tapeOf } from "trm-ts/autograd";
import { Random } from "trm-ts/tensor";
import { numbersOf, type PlantedBug, part, quarterArray } from "../lesson.ts";

export const minutes = 60;

export const reference = { refill, supervisionStep };

type Mine = typeof reference;

/** Three slots of two cells with one feature. */
const smallSlots = fc.record({
  halted: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  y: quarterArray(6),
  z: quarterArray(6),
  steps: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 3, maxLength: 3 }),
});

type SmallSlots = typeof smallSlots extends fc.Arbitrary<infer T> ? T : never;

const latent = (values: readonly number[]): Variable => constant(tensor(values, { shape: [3, 2, 1] }));

/** Old puzzles have tokens 11, 12, 21, ..., new ones 110, 120, 210, ...: slot, cell. Answers are negative. */
const tokens = (scale: number): Int32Array => Int32Array.of(11, 12, 21, 22, 31, 32).map((token) => token * scale);

const slotsOf = ({ halted, y, z, steps }: SmallSlots): Slots => ({
  state: { y: latent(y), z: latent(z) },
  inputs: tokens(1),
  labels: tokens(-1),
  steps: Int32Array.from(steps),
  halted,
});

const initialSmall = (): State => ({ y: latent([7, 7, 7, 7, 7, 7]), z: latent([8, 8, 8, 8, 8, 8]) });

/** The slots that `compute` returns, as plain data. */
async function plain(compute: () => Slots): Promise<Record<string, unknown>> {
  const { state, inputs, labels, steps, halted } = scope(compute);
  const [y, z] = [state.y.value, state.z.value];
  const numbers = { y: Array.from(await y.data()), z: Array.from(await z.data()) };
  for (const tensor of [y, z]) tensor.dispose();
  return { ...numbers, inputs: [...inputs], labels: [...labels], steps: [...steps], halted };
}

const tiny = parseConfig({
  vocabularySize: 4,
  sequenceLength: 3,
  hiddenSize: 8,
  heads: 2,
  widthMultiple: 4,
  T: 2,
  n: 2,
  nSup: 4,
  batchSize: 4,
});

/** Four puzzles of three cells, and the order in which they stand in the slots. */
const puzzleOrder = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });

const tinyInputs = [1, 2, 3, 2, 2, 1, 3, 1, 1, 1, 3, 3];
const tinyLabels = [3, 2, 1, 1, 2, 2, 1, 1, 3, 2, 3, 1];

const inOrder = (values: readonly number[], order: readonly number[]): Int32Array =>
  Int32Array.from(order.flatMap((puzzle) => values.slice(3 * puzzle, 3 * puzzle + 3)));

/** `count` steps of a new tiny model on the puzzles in this order. */
async function tinyRun(step: Mine["supervisionStep"], order: readonly number[], count: number) {
  const model = new TinyModel(tiny.model, new Random(1));
  const adam = adamFor(model);
  try {
    const { losses, entries, y } = scope(() => {
      let slots: Slots = {
        ...emptySlots(model, 4),
        inputs: inOrder(tinyInputs, order),
        labels: inOrder(tinyLabels, order),
        halted: [false, false, false, false],
      };
      const losses: Tensor[] = [];
      let entries = 0;
      for (let i = 0; i < count; i++) {
        const result = step(model, adam, slots, 0.01);
        losses.push(result.loss);
        entries += tapeOf(result.state.y, result.state.z).length;
        slots = { ...slots, state: result.state };
      }
      return { losses, entries, y: slots.state.y.value };
    });
    return { losses: (await Promise.all(losses.map(numbersOf))).flat(), entries, y: await numbersOf(y) };
  } finally {
    adam.dispose();
    model.dispose();
  }
}

/** y [4, 3, 8] of the puzzles 0 to 3 from that of the slots. */
const ofPuzzles = (y: readonly number[], order: readonly number[]): number[] =>
  [0, 1, 2, 3].flatMap((puzzle) => y.slice(24 * order.indexOf(puzzle), 24 * order.indexOf(puzzle) + 24));

export const check = (mine: Mine) => [
  part({
    name: "refill renews exactly the halted slots: state, puzzle and steps",
    given: smallSlots,
    show: ({ halted, y, z, steps }) =>
      `halted = [${halted.join(", ")}], steps = [${steps.join(", ")}]\ny = [${y.join(", ")}], z = [${z.join(", ")}]\ninitial y is 7 and z is 8 everywhere; old tokens are 11, 12, 21, ... (slot, cell), new ones 110, 120, 210, ...`,
    expected: ({ halted, y, z, steps }) => {
      const pick = <T>(ofSlot: (slot: number) => T, fresh: (slot: number) => T): T[] =>
        halted.map((isHalted, slot) => (isHalted ? fresh(slot) : ofSlot(slot)));
      const cells = <T>(both: (T | T[])[]): T[] => both.flat() as T[];
      const old = (values: readonly number[]) => (slot: number) => values.slice(2 * slot, 2 * slot + 2);
      return {
        y: cells(pick(old(y), () => [7, 7])),
        z: cells(pick(old(z), () => [8, 8])),
        inputs: cells(pick(old([...tokens(1)]), old([...tokens(10)]))),
        labels: cells(pick(old([...tokens(-1)]), old([...tokens(-10)]))),
        steps: pick(
          (slot) => steps[slot]!,
          () => 0,
        ),
        halted: [false, false, false],
      };
    },
    received: (small) =>
      plain(() => mine.refill(slotsOf(small), { inputs: tokens(10), labels: tokens(-10) }, initialSmall())),
    next: "Go through the slots one by one. Everything about a halted slot is new, and nothing about another slot changes.",
  }),
  part({
    name: "refill leaves the slots that it was given as they were",
    given: smallSlots,
    runs: 10,
    show: ({ halted }) => `halted = [${halted.join(", ")}]; the slots before and after the call`,
    expected: (small) => plain(() => slotsOf(small)),
    received: (small) =>
      plain(() => {
        const slots = slotsOf(small);
        mine.refill(slots, { inputs: tokens(10), labels: tokens(-10) }, initialSmall());
        return slots;
      }),
    next: "Copy the arrays with slice() before you write into them.",
  }),
  part({
    name: "a supervision step updates the weights from the mean loss and carries the state on",
    given: fc.constant(3),
    show: (count) => `the mean losses of ${count} steps of a tiny model on the same four puzzles`,
    runs: 1,
    expected: (count) => tinyRun(supervisionStep, [0, 1, 2, 3], count).then(({ losses }) => losses),
    received: (count) => tinyRun(mine.supervisionStep, [0, 1, 2, 3], count).then(({ losses }) => losses),
    tolerance: 1e-4,
    next: "If the first loss differs, compare the loss: total is a sum over the batch. If a later one differs, the weights or the state did not move as they should.",
  }),
  part({
    name: "the state that a step returns is off the tape",
    given: fc.constant(1),
    show: () => "the entries of the tape behind the state after one step",
    runs: 1,
    expected: () => 0,
    received: (count) => tinyRun(mine.supervisionStep, [0, 1, 2, 3], count).then(({ entries }) => entries),
    next: "Return handOver(state).",
  }),
  part({
    name: "no slot depends on another: exchanging slots exchanges the results",
    given: puzzleOrder,
    show: (order) => `puzzles ${order.join(", ")} in slots 0, 1, 2, 3; y of puzzles 0 to 3 after 2 steps`,
    runs: 10,
    expected: () => tinyRun(mine.supervisionStep, [0, 1, 2, 3], 2).then(({ y }) => y),
    received: (order) => tinyRun(mine.supervisionStep, order, 2).then(({ y }) => ofPuzzles(y, order)),
    tolerance: 1e-3,
    next: "Nothing in a step may mix the slots. Look for a mean over the batch, or for an index that is that of another slot.",
  }),
  part({
    name: "trained with your functions, the model solves at least 90% of unseen puzzles",
    given: fc.constant(200),
    show: (steps) => `${steps} steps of 32 puzzles from data/half-trained`,
    runs: 1,
    isLong: true,
    expected: () => "at least 90%",
    received: async (steps) => {
      const { model, train: puzzles, test } = await loadStart();
      await train(model, puzzles, { steps, batchSize: 32, learningRate: 1e-3 }, mine);
      const share = await solvedShare(model, test);
      model.dispose();
      return share >= 0.9 ? "at least 90%" : `${(100 * share).toFixed(1)}%`;
    },
    next: "All parts above pass, and still the model does not learn. Run npm run program -- 7 and print the losses that train returns.",
  }),
];

/** A refill of which one thing is different. */
const refillWith =
  (change: (right: Slots, slots: Slots, batch: Pick<Batch, "inputs" | "labels">) => Partial<Slots>): Mine["refill"] =>
  (slots, batch, initial) => {
    const right = refill(slots, batch, initial);
    return { ...right, ...change(right, slots, batch) };
  };

/** A step with other choices at its five points. */
const stepWith =
  ({
    from = (slots: Slots, _model: Model) => slots.state,
    mean: scale = (B: number) => 1 / B,
    learns = true,
    hand = handOver,
  }): Mine["supervisionStep"] =>
  (model, adam, slots, learningRate) =>
    scope(() => {
      const B = slots.halted.length;
      const { x } = model.embed(tensor(slots.inputs, { shape: [B, slots.inputs.length / B] }), zeros([B], "int32"));
      const state = deepRecursion(
        (input, before) => latentRecursion(model.net, input, before, model.config.n),
        x,
        from(slots, model),
        model.T,
      );
      const { logits, q } = model.heads({ ...state });
      const { total } = lossOf({ logits, q, labels: slots.labels, targetQContinue: null }, lossSettings);
      const loss = affine(total, scale(B));
      if (learns) adam.update(gradients(loss, model.parameters()), learningRate);
      return { state: hand(state), loss: loss.value, q: q.value, logits: logits.value };
    });

export const wrong: readonly PlantedBug<Mine>[] = [
  {
    name: "the latents not reset",
    mine: { refill: refillWith((_, slots) => ({ state: slots.state })) },
    says: "A halted slot keeps its old state. The new puzzle starts from the latents of the old one.",
  },
  {
    name: "every slot reset",
    mine: {
      refill: (slots, batch, initial) => ({ ...refill(slots, batch, initial), state: initial }),
    },
    says: "All slots start again from the initial state, also those whose puzzle has not halted.",
  },
  {
    name: "only y reset",
    mine: { refill: refillWith((right, slots) => ({ state: { y: right.state.y, z: slots.state.z } })) },
    says: "y is reset and z is not. The notes belong to the puzzle too.",
  },
  {
    name: "puzzles in the order in which they are needed",
    mine: {
      refill: refillWith((_, slots, batch) => {
        const inputs = slots.inputs.slice();
        let next = 0;
        slots.halted.forEach((isHalted, slot) => {
          if (isHalted) inputs.set(batch.inputs.subarray(2 * next, 2 * ++next), 2 * slot);
        });
        return { inputs };
      }),
    },
    says: "The halted slots take the first puzzles of the batch in turn. Then question and answer of a slot can come from different puzzles; take the same place.",
  },
  {
    name: "the answers not renewed",
    mine: { refill: refillWith((_, slots) => ({ labels: slots.labels.slice() })) },
    says: "The question is new and the answer is old: the slot learns the solution of another puzzle.",
  },
  {
    name: "the steps not reset",
    mine: { refill: refillWith((_, slots) => ({ steps: slots.steps.slice() })) },
    says: "The new puzzle inherits the steps of the old one and will be stopped too early.",
  },
  {
    name: "still halted",
    mine: { refill: refillWith((_, slots) => ({ halted: slots.halted })) },
    says: "The slots are still marked as halted after they have been filled.",
  },
  {
    name: "written in place",
    mine: {
      refill: (slots, batch, initial) => {
        const right = refill(slots, batch, initial);
        slots.inputs.set(right.inputs);
        slots.labels.set(right.labels);
        slots.steps.set(right.steps);
        return right;
      },
    },
    says: "The arrays of the given slots are overwritten. Code that still holds them now sees other puzzles.",
  },
  {
    name: "the sum of the losses",
    mine: { supervisionStep: stepWith({ mean: () => 1 }) },
    says: "The loss is the sum over the batch. Divide it by the number of slots, so that it does not depend on the batch size.",
  },
  {
    name: "no update",
    mine: { supervisionStep: stepWith({ learns: false }) },
    says: "The weights do not change: the loss falls only as far as the recursion itself improves the state.",
  },
  {
    name: "every step from the beginning",
    mine: { supervisionStep: stepWith({ from: (slots, model) => initialState(model, slots.halted.length) }) },
    says: "Every step starts from the initial state. Then there is no deep supervision: the model only ever learns its first step.",
  },
  {
    name: "the state handed over with its tape",
    mine: { supervisionStep: stepWith({ hand: (state) => state }) },
    says: "The returned state is still on the tape of this step.",
  },
  {
    name: "the slots mixed",
    mine: {
      supervisionStep: stepWith({
        from: ({ state, inputs, halted }) => {
          const first = inputs[0]! % 2; // as if slot 0 decided for all
          return first === 0 || halted.length < 2 ? state : { ...state, z: affine(mean(state.z), 1) };
        },
      }),
    },
    says: "The slots share a part of their state.",
  },
];
