/*md
# 8. Halting

Some puzzles are solved after one step, others after six. A model that always makes sixteen steps wastes most of them.
Therefore TRM learns a second thing beside the answer: **when it is done**. One number, $q$, estimates whether the
whole present answer is right, and in training a puzzle leaves its slot as soon as $q$ says so. This is called adaptive
computation time. It takes a few lines of code, in which a bug is easily overlooked.

After this lesson you can

- write the loss of $q$ and say which answer it judges,
- give the truth table of halting, with its edge cases,
- explain why some puzzles are *kept* although $q$ says that they are done.

You need lesson 7. There is little mathematics: the sigmoid $\sigma(q) = 1 / (1 + e^{-q})$ turns a number into a
probability, and $\sigma(0) = \tfrac12$.

## What q estimates

$q$ is read from the state after every supervision step, by a small head beside the one for the answer. It estimates
the answer to a strict question: **is every cell of the answer right, after this step?** The question is not whether
most cells are right, and not whether the answer will be right later. Cells without a label, marked by a negative label,
do not count.

The loss of $q$ is the *binary cross-entropy* between $\sigma(q)$ and the truth $t$, which is 1 or 0:

$$ \text{BCE}(q, t) = -t \ln \sigma(q) - (1 - t) \ln\big(1 - \sigma(q)\big) $$

If you type this formula as it stands, $q = 100$ with $t = 0$ gives $\ln 0 = -\infty$. Put in the definition of
$\sigma$ and simplify, and the same loss becomes

$$ \text{BCE}(q, t) = \max(q, 0) - q \, t + \ln\big(1 + e^{-|q|}\big) $$

which is finite for every $q$. `Math.log1p(u)` computes $\ln(1 + u)$ without losing small $u$.

## Exercise 8.1: the loss of q

A puzzle makes several supervision steps, and each has its own answer and its own $q$. Write the loss of **each
step**. The trap is *which answer* a $q$ is judged by. Judging every step by the final answer teaches $q$ to be
confident too early: it learns to say "done" because the puzzle *will* be solved.
*/
import { fileURLToPath } from "node:url";
import { predictions } from "trm-ts";
import { loadRun } from "trm-ts/node";
import { Random } from "trm-ts/tensor";

/** The state of a puzzle after a supervision step, decoded. */
export interface Step {
  /** The tokens of the answer. */
  readonly answer: readonly number[];
  /** The halting logit. */
  readonly q: number;
}

/** BCE of q against "the whole answer of the same step is right", for every step. Negative labels do not count. */
export function haltLosses(steps: readonly Step[], labels: readonly number[]): number[] {
  // BEGIN SOLUTION hint="For each step: isRight = labels.every((label, i) => label < 0 || answer[i] === label), t = isRight ? 1 : 0, and the stable formula: Math.max(q, 0) - q * t + Math.log1p(Math.exp(-Math.abs(q)))."
  return steps.map(({ answer, q }) => {
    const isRight = labels.every((label, i) => label < 0 || answer[i] === label);
    return Math.max(q, 0) - q * Number(isRight) + Math.log1p(Math.exp(-Math.abs(q)));
  });
  // END SOLUTION
}

/*md
## Halting, exploration, and the last step

When does a puzzle leave its slot?

1. **$q$ says so**: $q > 0$, that is, the model gives more than even odds to its answer. At exactly 0 it goes on.
2. **Or it was the last step**: after $N_\text{sup}$ steps a puzzle leaves, whatever $q$ says.
3. **But not before its minimum.** If a puzzle always stopped as soon as $q$ is high, the model would never be trained
   on what comes after, and could not learn that one more step *ruins* the answer. Therefore a minimum $m$ is drawn at
   every step: with probability 0.1 it is uniform in $2, \dots, N_\text{sup}$, otherwise it is 0. The puzzle must have
   made at least $m$ steps.

$$ \text{halted} = (\text{last step} \lor q > 0) \land \text{steps} \ge m $$

A puzzle that $q$ would stop after step 1 makes another step with probability 0.1, and the next step draws again. Puzzles
now leave at different times, which breaks the lock-step of lesson 7.

## Exercise 8.2: the decision
*/

export interface Decision {
  /** Supervision steps that the puzzle has made, this one included. */
  readonly steps: number;
  readonly q: number;
  /** The minimum number of steps that was drawn; 0 for none. */
  readonly minimum: number;
  readonly nSup: number;
}

/** Whether a puzzle leaves its slot. */
export function hasHalted({ steps, q, minimum, nSup }: Decision): boolean {
  // BEGIN SOLUTION hint="Two conditions, joined by &&: (it was the last step || q > 0), and steps >= minimum. The parentheses matter."
  return (steps >= nSup || q > 0) && steps >= minimum;
  // END SOLUTION
}

/*md
## Exercise 8.3: the minimum

`random.bernoulli(p)` is true with probability $p$, and `random.integer(k)` is uniform in $0, \dots, k - 1$. Mind
$N_\text{sup} = 1$: there is nothing to explore.
*/

/** With the given probability a minimum, uniform in 2..nSup; else 0. */
export function drawMinimum(random: Random, nSup: number, probability: number): number {
  // BEGIN SOLUTION hint="First draw whether to explore. If so, and if nSup is at least 2: the numbers 2..nSup are nSup - 1 many, so 2 + random.integer(nSup - 1)."
  const explores = random.bernoulli(probability);
  return explores && nSup > 1 ? 2 + random.integer(nSup - 1) : 0;
  // END SOLUTION
}

export async function program(print: (line: string) => void): Promise<void> {
  /*md
  ## Is q right?

  Test the half-trained model of lesson 7. After each of four supervision steps, how many of 200 unseen puzzles does it
  call done, and how many of these are right?
  */
  const { model, task } = await loadRun(fileURLToPath(new URL("data/half-trained", import.meta.url)));
  const { test } = task.generate({ train: 4000, test: 200, seed: 1 });
  const length = task.sequenceLength;
  for await (const { step, tokens, qHalt } of predictions(model, test, 4)) {
    const cells = (all: Int32Array, puzzle: number): string => all.slice(puzzle * length, (puzzle + 1) * length).join();
    const isRight = (puzzle: number): boolean => cells(tokens, puzzle) === cells(test.labels, puzzle);
    const puzzles = [...qHalt.keys()];
    const done = puzzles.filter((puzzle) => hasHalted({ steps: step, q: qHalt[puzzle]!, minimum: 0, nSup: 8 }));
    const rights = [puzzles, done].map((some) => some.filter(isRight).length);
    print(`step ${step}: ${rights[0]} right; q calls ${done.length} done, and ${rights[1]} of these are right`);
  }
  /*md
  ```output
  step 1: 133 right; q calls 150 done, and 117 of these are right
  step 2: 167 right; q calls 177 done, and 160 of these are right
  step 3: 168 right; q calls 179 done, and 162 of these are right
  step 4: 167 right; q calls 181 done, and 161 of these are right
  ```

  $q$ can make two kinds of mistakes: calling a wrong answer done, and not calling a right answer done. Count both for
  step 1. Which is worse in training? Which is worse for a user?

  With your decision and your draw, training chooses the number of steps of every puzzle. To use them, pass `halts` to
  `train` of lesson 7:

  ```ts
  const random = new Random(2);
  const halts = (steps, q) =>
    Array.from(steps, (made, slot) =>
      hasHalted({ steps: made, q: q[slot], minimum: drawMinimum(random, 8, 0.1), nSup: 8 }),
    );
  ```

  ## At evaluation

  The official code makes all $N_\text{sup}$ steps when it evaluates, whatever $q$ says. In this library,
  `npx trm eval RUN` does the same, and `npx trm eval RUN --halt q` stops every puzzle when $q > 0$. This saves steps,
  and the accuracy shows how far $q$ can be trusted.

  **Question to think about.** $q$ judges its own answer, from the same state that produced it. Under which
  circumstances would you expect it to be sure *and* wrong? Lesson 10 lets $q$ choose among many answers, and then
  everything depends on this.
  */
}

// BEGIN CHECK

import fc from "fast-check";
import { type PlantedBug, part, quarters } from "../lesson.ts";

export const minutes = 50;

export const reference = { haltLosses, hasHalted, drawMinimum };

type Mine = typeof reference;

/** Answers of three cells with two digits, so that right and wrong ones are equally likely; -100 is a cell without a label. */
const history = fc
  .record({
    labels: fc.array(fc.constantFrom(1, 2, -100), { minLength: 3, maxLength: 3 }),
    steps: fc.array(
      fc.record({
        q: fc.oneof(quarters(4), fc.constantFrom(0, 100, -100, 1000, -1000)),
        wrong: fc.constantFrom<number[]>(0, 1, 3),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  })
  .map(({ labels, steps }) => ({
    labels,
    // The first `wrong` cells are wrong. What stands in a cell without a label does not matter.
    steps: steps.map(({ q, wrong }) => ({
      q,
      answer: labels.map((label, i) => (label < 0 ? 1 : i < wrong ? 3 - label : label)),
    })),
  }));

const showHistory = ({ labels, steps }: { labels: number[]; steps: Step[] }): string =>
  [
    `labels [${labels.join(", ")}]`,
    ...steps.map(({ answer, q }, i) => `step ${i + 1}: answer [${answer.join(", ")}], q = ${q}`),
  ].join("\n");

const decisions = fc
  .record({
    nSup: fc.integer({ min: 1, max: 4 }),
    steps: fc.nat(3),
    minimum: fc.nat(4),
    q: fc.constantFrom(0, 0.25, -0.25, 1, -1),
  })
  .map(({ nSup, steps, minimum, q }) => ({
    steps: 1 + (steps % nSup),
    q,
    minimum: minimum < 2 || minimum > nSup ? 0 : minimum,
    nSup,
  }));

const haltTable = ({ steps, q, minimum, nSup }: Decision): string => {
  if (steps < minimum) return "goes on: below its minimum";
  if (steps >= nSup) return "halts: the last step";
  return q > 0 ? "halts: q > 0" : "goes on: q is not above 0";
};

/** Shares of the values of many draws, in the order 0, 1, ..., nSup. */
function shares(draw: Mine["drawMinimum"], nSup: number, probability: number): number[] {
  const random = new Random(5);
  const count = 20_000;
  const found = new Array<number>(nSup + 1).fill(0);
  for (let i = 0; i < count; i++) {
    const minimum = draw(random, nSup, probability);
    if (!(minimum in found)) throw new Error(`drew ${minimum}, expected a number from 0 to ${nSup}`);
    found[minimum]!++;
  }
  return found.map((times) => times / count);
}

export const check = (mine: Mine) => [
  part({
    name: "the loss of q judges the whole answer of the same step",
    given: history,
    show: showHistory,
    expected: ({ steps, labels }) =>
      steps.map(({ answer, q }) => {
        const target = labels.every((label, i) => label < 0 || label === answer[i]);
        const probability = 1 / (1 + Math.exp(target ? -q : q)); // of the truth
        return probability > 1e-300 ? -Math.log(probability) : Math.abs(q);
      }),
    received: ({ steps, labels }) => mine.haltLosses(steps, labels),
    tolerance: 1e-9,
    runs: 300,
    next: "Take the first step whose loss differs. Is its answer right in every labelled cell? Then t = 1, else t = 0. Put q and t into the second formula.",
  }),
  part({
    name: "a puzzle halts after its last step or if q > 0, but not before its minimum",
    given: decisions,
    expected: (decision) => haltTable(decision).split(":")[0],
    received: (decision) => (mine.hasHalted(decision) ? "halts" : "goes on"),
    runs: 400,
    next: "Work out the two conditions of the formula for these numbers, one after the other.",
  }),
  part({
    name: "the minimum is 0, or with the given probability uniform in 2..nSup",
    given: fc.constantFrom<{ nSup: number; probability: number }[]>(
      { nSup: 4, probability: 0.5 },
      { nSup: 2, probability: 0.1 },
      { nSup: 1, probability: 0.5 },
      { nSup: 4, probability: 0 },
    ),
    show: ({ nSup, probability }) =>
      `nSup = ${nSup}, probability = ${probability}; shares of 0, 1, ..., ${nSup} in 20,000 draws`,
    runs: 12,
    expected: ({ nSup, probability }) =>
      Array.from({ length: nSup + 1 }, (_, minimum) => {
        if (nSup === 1) return minimum === 0 ? 1 : 0;
        if (minimum === 0) return 1 - probability;
        return minimum === 1 ? 0 : probability / (nSup - 1);
      }),
    received: ({ nSup, probability }) => shares(mine.drawMinimum, nSup, probability),
    tolerance: 0.02,
    next: "The numbers 2..nSup are nSup - 1 many. Each should come up with the probability divided by nSup - 1.",
  }),
];

/** A loss with other targets. */
const lossWith =
  (target: (steps: readonly Step[], i: number, labels: readonly number[]) => number): Mine["haltLosses"] =>
  (steps, labels) =>
    steps.map(({ q }, i) => Math.max(q, 0) - q * target(steps, i, labels) + Math.log1p(Math.exp(-Math.abs(q))));

const rightCells = (answer: readonly number[], labels: readonly number[]): number[] =>
  labels.flatMap((label, i) => (label < 0 ? [] : [Number(answer[i] === label)]));

const isSolved = ({ answer }: Step, labels: readonly number[]): number =>
  Number(!rightCells(answer, labels).includes(0));

export const wrong: readonly PlantedBug<Mine>[] = [
  {
    name: "the target from the last step",
    mine: { haltLosses: lossWith((steps, _, labels) => isSolved(steps.at(-1)!, labels)) },
    says: "Every step is judged by the last answer. Then q learns to call an answer done because it will be right later.",
  },
  {
    name: "the target from the next step",
    mine: { haltLosses: lossWith((steps, i, labels) => isSolved(steps[i + 1] ?? steps[i]!, labels)) },
    says: "A step is judged by the answer of the next one.",
  },
  {
    name: "the share of right cells",
    mine: {
      haltLosses: lossWith((steps, i, labels) => {
        const cells = rightCells(steps[i]!.answer, labels);
        return cells.length === 0 ? 1 : cells.reduce((sum, cell) => sum + cell, 0) / cells.length;
      }),
    },
    says: "The target is the share of right cells. An answer with one wrong cell is wrong: the target is 0.",
  },
  {
    name: "unlabelled cells count",
    mine: {
      haltLosses: lossWith((steps, i, labels) => Number(labels.every((label, at) => label === steps[i]!.answer[at]))),
    },
    says: "Cells without a label are compared too. They have a negative label and never agree, so that no answer is ever right.",
  },
  {
    name: "the formula as it stands",
    mine: {
      haltLosses: (steps, labels) =>
        steps.map((step) => {
          const p = 1 / (1 + Math.exp(-step.q));
          return isSolved(step, labels) ? -Math.log(p) : -Math.log(1 - p);
        }),
    },
    says: "For a large q the probability rounds to 0 or 1, and its logarithm is infinite. Use the second formula.",
  },
  {
    name: "the sign of q",
    mine: {
      haltLosses: (steps, labels) =>
        haltLosses(
          steps.map(({ answer, q }) => ({ answer, q: -q })),
          labels,
        ),
    },
    says: "The sign of q is turned: this q would rise when the answer is wrong.",
  },
  {
    name: "q = 0 halts",
    mine: { hasHalted: ({ steps, q, minimum, nSup }) => (steps >= nSup || q >= 0) && steps >= minimum },
    says: "q = 0 halts here. At even odds the puzzle goes on: the condition is q > 0.",
  },
  {
    name: "the last step forgotten",
    mine: { hasHalted: ({ steps, q, minimum }) => q > 0 && steps >= minimum },
    says: "After the last step a puzzle halts even if q is negative.",
  },
  {
    name: "the minimum holds for the last step only",
    mine: { hasHalted: ({ steps, q, minimum, nSup }) => (steps >= nSup && steps >= minimum) || q > 0 },
    says: "q > 0 halts before the minimum is reached. The minimum binds both conditions: mind the parentheses.",
  },
  {
    name: "above the minimum",
    mine: { hasHalted: ({ steps, q, minimum, nSup }) => (steps >= nSup || q > 0) && steps > minimum },
    says: "A puzzle that has made exactly its minimum may halt: steps >= minimum.",
  },
  {
    name: "one step early",
    mine: { hasHalted: ({ steps, q, minimum, nSup }) => (steps >= nSup - 1 || q > 0) && steps >= minimum },
    says: "The puzzle leaves one step before the last. steps counts the step that was just made.",
  },
  {
    name: "a minimum of 1",
    mine: { drawMinimum: (random, nSup, p) => (random.bernoulli(p) && nSup > 1 ? 1 + random.integer(nSup) : 0) },
    says: "The draw includes 1, which asks for nothing: every puzzle has made one step.",
  },
  {
    name: "never the last",
    mine: {
      drawMinimum: (random, nSup, p) =>
        random.bernoulli(p) && nSup > 1 ? 2 + random.integer(Math.max(1, nSup - 2)) : 0,
    },
    says: "nSup itself is never drawn. integer(k) ends at k - 1.",
  },
  {
    name: "explores the rest of the time",
    mine: { drawMinimum: (random, nSup, p) => (!random.bernoulli(p) && nSup > 1 ? 2 + random.integer(nSup - 1) : 0) },
    says: "The minimum is drawn when it should not be, and the other way round.",
  },
];
