/*md
# 10. Fixed points, noise and voting

A recursion either comes to rest or it does not. If it rests at a wrong answer, more steps will not help: the state is
a **fixed point**, and the next step returns it unchanged. Papers of 2026 propose a remedy: they add noise to the state,
run the model many times, and choose among the answers. On the hardest Sudokus this is reported to lift a TRM from
87.3% to 98.8% without any training (arXiv 2605.19943). In this lesson you build the method, and you find out on a real
model what it does and why one careless line ruins it.

After this lesson you can

- measure whether a model has settled, and say how the result depends on the step at which it is measured,
- perturb the right part of the state in the right way,
- say what three different scores of the same rollouts mean: pass@K, best-q@K, mode@K.

You need lessons 5, 8 and 9. The model is the half-trained one: it solves 165 of 200 puzzles, so there is
something left to gain.

## Does it settle?

Call the mean absolute change of the logits from one supervision step to the next the **move** of a puzzle. A puzzle
with a small move has settled.

Published claims contradict each other:

- *Failures are stuck.* HRM stops at the first fixed point that it finds, right or wrong, and stays there for a while
  or forever (arXiv 2601.10679).
- *Failures never settle.* A draft of 2026, "Recursive Reasoning Models Fail by Wandering, Not by Settling", reports
  that none of the 254 failures of a TRM came to rest, and hardly any of an HRM.

Both can be checked with one table of two rows (settled or moving) and two columns (right or wrong).

## Exercise 10.1: the move
*/
import { fileURLToPath } from "node:url";
import { type Examples, type Latents, type Model, type Prediction, predictions } from "trm-ts";
import { add, constant } from "trm-ts/autograd";
import { loadRun } from "trm-ts/node";
import { Random, tensor } from "trm-ts/tensor";
import { differenceInterval, percent } from "./09-hrm-or-trm.ts";

/** The mean absolute change of each puzzle. `before` and `after` hold the same number of values per puzzle, one puzzle after the other. */
export function moves(before: ArrayLike<number>, after: ArrayLike<number>, puzzles: number): number[] {
  // BEGIN SOLUTION hint="const size = before.length / puzzles. Puzzle p owns the values p * size to (p + 1) * size - 1. Sum Math.abs(after[i] - before[i]) over them and divide by size."
  const size = before.length / puzzles;
  return Array.from({ length: puzzles }, (_, puzzle) => {
    let total = 0;
    for (let i = puzzle * size; i < (puzzle + 1) * size; i++) total += Math.abs(after[i]! - before[i]!);
    return total / size;
  });
  // END SOLUTION
}

/*md
## Noise on z

A **rollout** is one run of the model in which noise is added to $z$ before every supervision step:

$$ z \leftarrow z + \sigma \, \varepsilon, \qquad \varepsilon \sim \mathcal N(0, 1) \text{ for every number separately} $$

Then the deep recursion runs as always. Four details matter:

1. **Only $z$.** $y$ is the answer. Noise on $y$ gives more different answers, but $q$ reads $y$ and has learned to
   judge it without noise. (One public implementation has the two exchanged.)
2. **Before every step**, the first included, with new numbers each time.
3. **$\sigma$ is absolute.** The norm of lesson 4 keeps $z$ at size 1, so $\sigma = 0.3$ means about a third of
   its size.
4. **$\sigma = 0$ changes nothing**, not even the last bit. This is the best test of such a method: without noise it
   must equal the model that it extends.

## Exercise 10.2
*/

/** The latents with noise on z; all others are the same variables as before. */
export function withNoise(latents: Latents, sigma: number, random: Random): Latents {
  // BEGIN SOLUTION hint="const z = latents.z!; draw z.value.size numbers sigma * random.normal() into a Float32Array; make a constant of shape z.shape; return { ...latents, z: add(z, noise) }."
  const z = latents.z!;
  const numbers = Float32Array.from({ length: z.value.size }, () => sigma * random.normal());
  return { ...latents, z: add(z, constant(tensor(numbers, { shape: z.shape }))) };
  // END SOLUTION
}

/*md
## Choosing

$K$ rollouts of a puzzle give $K$ answers, each with its $q$. Three scores are reported, and they answer different
questions:

| score | a puzzle counts if | what it measures |
|---|---|---|
| pass@K | any of the K answers is right | an upper bound, because the choice needs the solution |
| best-q@K | the answer with the highest $q$ is right | a choice that a user can make; it is as good as $q$ is |
| mode@K | the most frequent answer is right | a choice that a user can make without $q$ |

No choice can beat pass@K. If best-q@K is far below it, the right answers are there and $q$ does not recognise them.
In both choices **ties go to the rollout with the lowest number**, so that the result does not depend on the order of
some sorting function.

## Exercises 10.3 and 10.4
*/

export interface Rollout {
  /** The answer in the text form of the task. */
  readonly answer: string;
  readonly q: number;
}

/** The answer of the rollout with the highest q; among equals the first. */
export function bestByQ(rollouts: readonly Rollout[]): string {
  // BEGIN SOLUTION hint="Walk through the rollouts and keep the best so far; replace it only if the next q is strictly greater."
  let best = rollouts[0]!;
  for (const rollout of rollouts) if (rollout.q > best.q) best = rollout;
  return best.answer;
  // END SOLUTION
}

/** The most frequent answer; among equally frequent answers, the one that occurs first. */
export function mode(rollouts: readonly Rollout[]): string {
  // BEGIN SOLUTION hint="Count into a Map from answer to number. A Map keeps the order of first insertion, so that walking over it and replacing only on strictly greater gives ties to the first."
  const counts = new Map<string, number>();
  for (const { answer } of rollouts) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  let best = "";
  for (const [answer, count] of counts) if (count > (counts.get(best) ?? 0)) best = answer;
  return best;
  // END SOLUTION
}

/*md
## Exercise 10.5: pass@k, averaged over all choices

You have made $n$ rollouts and $c$ of them are right. What is pass@k for a smaller $k$? Looking at the first $k$
rollouts wastes the others. The mean over *all* choices of $k$ out of $n$ has a closed form. A choice fails if all its
$k$ rollouts are among the $n - c$ wrong ones:

$$ \text{pass@}k = 1 - \frac{\binom{n - c}{k}}{\binom{n}{k}} = 1 - \prod_{i=0}^{k-1} \frac{n - c - i}{n - i} $$

The product needs no large numbers. If there are fewer than $k$ wrong ones, one factor is 0.
*/

/** The probability that k of n rollouts contain one of the c right ones. 1 <= k <= n. */
export function passAt(n: number, c: number, k: number): number {
  // BEGIN SOLUTION hint="let failing = 1; for i from 0 to k - 1 multiply with (n - c - i) / (n - i), but with 0 once n - c - i is not positive. Return 1 - failing."
  let failing = 1;
  for (let i = 0; i < k; i++) failing *= Math.max(0, n - c - i) / (n - i);
  return 1 - failing;
  // END SOLUTION
}

/*md
## The rollouts

This part is written for you. Every rollout has a generator of its own, made from its number, so that rollout 3 is the
same whether 4 or 100 are made. The hook `before` of `predictions` is called with the latents before every supervision
step.
*/

export type Disturb = (latents: Latents, random: Random) => Latents;

/** K rollouts of every puzzle. */
export async function rollouts(
  model: Model,
  puzzles: Examples,
  { K, steps, disturb }: { readonly K: number; readonly steps: number; readonly disturb: Disturb },
): Promise<Rollout[][]> {
  const found = Array.from({ length: puzzles.count }, (): Rollout[] => []);
  for (let k = 0; k < K; k++) {
    const random = new Random(1000 + k);
    let last: Prediction | undefined;
    for await (const prediction of predictions(model, puzzles, steps, {
      before: (latents) => disturb(latents, random),
    })) {
      last = prediction;
    }
    found.forEach((own, puzzle) => {
      own.push({ answer: answerOf(last!.tokens, puzzle, puzzles.length), q: last!.qHalt[puzzle]! });
    });
  }
  return found;
}

const answerOf = (tokens: ArrayLike<number>, puzzle: number, length: number): string =>
  Array.from(tokens)
    .slice(puzzle * length, (puzzle + 1) * length)
    .join(" ");

export async function program(print: (line: string) => void): Promise<void> {
  /*md
  ## Settled or moving, right or wrong

  For each of the 200 unseen puzzles: has it moved by less than 0.1 in the last step? Is its answer right?
  */
  const { model, task } = await loadRun(fileURLToPath(new URL("data/half-trained", import.meta.url)));
  const { test } = task.generate({ train: 4000, test: 200, seed: 1 });
  const truth = Array.from({ length: test.count }, (_, puzzle) => answerOf(test.labels, puzzle, test.length));
  let previous: ArrayLike<number> = [];
  for await (const { step, tokens, logits } of predictions(model, test, 16)) {
    const numbers = await logits.data();
    if (step === 4 || step === 16) {
      const settled = moves(previous, numbers, test.count).map((move) => move < 0.1);
      const isRight = truth.map((answer, puzzle) => answer === answerOf(tokens, puzzle, test.length));
      const table = [true, false].map((rests) =>
        [true, false].map((right) => truth.filter((_, i) => settled[i] === rests && isRight[i] === right).length),
      );
      print(
        `step ${step}, settled: ${table[0]![0]} right, ${table[0]![1]} wrong; moving: ${table[1]![0]} right, ${table[1]![1]} wrong`,
      );
    }
    previous = numbers;
  }
  /*md
  ```output
  step 4, settled: 165 right, 13 wrong; moving: 2 right, 20 wrong
  step 16, settled: 165 right, 35 wrong; moving: 0 right, 0 wrong
  ```

  Look at step 4: nearly everything that still moves is wrong. "Failures do not settle." Now look at step 16: nothing
  moves any more, and all failures are settled. "Failures are stuck in fixed points." **Both sentences describe the
  same model, at different moments.** A report of either must state the step at which it was measured, and the threshold.
  (This is one small, half-trained model. At the end of the lesson you measure others.)

  The table also shows how a wrong answer could be recognised without $q$: at step 4, moving means wrong. Selecting
  the rollout that moves least is the idea of another paper (arXiv 2605.21488), which calls the move *residual*.

  ## Rollouts
  */
  const noiseOnY: Disturb = (latents, random) => {
    const { z } = withNoise({ z: latents.y! }, 1, random);
    return { ...latents, y: z! };
  };
  const trials: readonly [string, Disturb][] = [
    ["no noise", (latents) => latents],
    ["sigma 0.3 on z", (latents, random) => withNoise(latents, 0.3, random)],
    ["sigma 1 on y", noiseOnY],
  ];
  const scores: number[] = [];
  for (const [name, disturb] of trials) {
    const all = await rollouts(model, test, { K: name === "no noise" ? 1 : 8, steps: 8, disturb });
    const solved = (choose: (own: readonly Rollout[], puzzle: number) => boolean): number => all.filter(choose).length;
    const [best, most] = [bestByQ, mode].map((choose) => solved((own, puzzle) => choose(own) === truth[puzzle]));
    const pass = solved((own, puzzle) => own.some(({ answer }) => answer === truth[puzzle]));
    print(`${name}: best-q ${best}, mode ${most}, pass ${pass} of ${test.count}`);
    scores.push(best!);
  }
  const [plain, noisy] = scores.map((solved) => ({ solved, puzzles: test.count }));
  print(`best-q with noise on z minus no noise: ${differenceInterval(noisy!, plain!).map(percent).join(" to ")}`);
  /*md
  ```output
  no noise: best-q 165, mode 165, pass 165 of 200
  sigma 0.3 on z: best-q 174, mode 169, pass 183 of 200
  sigma 1 on y: best-q 149, mode 175, pass 192 of 200
  best-q with noise on z minus no noise: -2.6% to 11.6%
  ```

  Read it with lesson 9 in mind:

  - **pass@8 rises well above the plain score.** Noise makes the model find answers that it did not find before.
  - **best-q@8 rises less, and the interval contains 0.** For this model and these 200 puzzles *no difference is
    shown*. (The interval treats the two scores as independent. They are about the same puzzles, so a paired test
    would be sharper: count the puzzles won and lost.) This does not contradict the published 98.8%: another model,
    other puzzles, $K = 100$ and 64 steps.
  - **Noise on $y$ finds even more right answers, but $q$ chooses worse than without noise.** $q$ reads $y$, and noise makes $y$
    very different from what $q$ was trained on. Voting does not use $q$ and is not affected. This is why the method
    disturbs $z$.

  ## Now measure other models

  The library has commands for what you built. `trm probe` prints the table of settled and drifting answers (its drift
  is the move of $y$, averaged over the last four steps, with the threshold 0.05). The first and the last command take
  seconds, the others up to a minute:

  ```text
  npm run trm -- probe data/half-trained --limit 200
  npm run trm -- probe sudoku9 --limit 100
  npm run trm -- probe maze9 --limit 100
  npm run trm -- probe sudoku6 --limit 100 --steps 2
  ```

  | model | settled and wrong | drifting and wrong | AUC of drift | for which claim? |
  |---|---|---|---|---|
  | half-trained, 4x4 Sudokus | | | | |
  | `sudoku9`, 9x9 Sudokus | | | | |
  | `maze9`, 9x9 mazes | | | | |
  | `sudoku6` after 2 steps only | | | | |

  "Stuck" predicts wrong answers in the first column, "never settle" in the second. Does one of them hold for *all* of
  these models? Put an interval on each share with `wilson` of lesson 9: how many failures did you see? And which of
  your numbers would change with another threshold or another number of steps?

  A model that is stuck needs a disturbance, and a model that wanders may only need more steps. The two claims therefore
  predict different effects of noise. Rollouts measure the effect:

  ```text
  npm run trm -- eval data/half-trained --rollouts 8 --sigma 0.3 --select q --limit 200
  npm run trm -- eval maze9 --rollouts 4 --sigma 0.3 --select mode --limit 100
  npm run trm -- eval sudoku6 --rollouts 4 --sigma 0.3 --select residual --limit 50
  ```

  Compare `deterministic` with the selected answers and with pass@K, and mind the intervals. For which model do
  rollouts find answers that the plain model does not? For which can they show no gain, because almost no failure is
  left? Is a gain shown anywhere, or is it "no difference shown"?

  A student project could start here: does the gain depend on how far the model is trained? On the number of clues?
  Write the question and the number of seeds down first.

  ## Where you are now

  You have written broadcasting, a tape, a property that catches mutants, a layer, the recursion, its gradient, the
  training step, halting, an honest comparison, and rollouts. You can read every file in `src/trm`, and every table in
  the papers, with the question that matters: *what exactly was compared, and how sure is it?*

  **Question to think about.** Rollouts cost $K$ times the computing. The same computing could go into more steps or
  into a larger model. Plan the comparison: what is held equal, which systems, how many seeds, and which result would
  convince you?
  */
}

// BEGIN CHECK

import fc from "fast-check";
import { scope } from "trm-ts/tensor";
import { numbersOf, type PlantedBug, part, quarterArray } from "../lesson.ts";

export const minutes = 60;

export const reference = { moves, withNoise, bestByQ, mode, passAt };

type Mine = typeof reference;

const someMoves = fc
  .record({ puzzles: fc.integer({ min: 1, max: 3 }), before: quarterArray(12, 2), after: quarterArray(12, 2) })
  .map(({ puzzles, before, after }) => ({
    puzzles,
    before: before.slice(0, 4 * puzzles),
    after: after.slice(0, 4 * puzzles),
  }));

/** A few answers with few different q, so that ties occur. */
const someRollouts = fc.array(fc.record({ answer: fc.constantFrom("A", "B", "C"), q: fc.constantFrom(0, 1, -1, 2) }), {
  minLength: 1,
  maxLength: 6,
});

const showRollouts = (all: readonly Rollout[]): string =>
  all.map(({ answer, q }, k) => `rollout ${k}: answer ${answer}, q = ${q}`).join("\n");

const latentsOf = (y: readonly number[], z: readonly number[]): Latents => ({
  y: constant(tensor(y, { shape: [1, y.length, 1] })),
  z: constant(tensor(z, { shape: [1, z.length, 1] })),
});

/** The numbers of one of the latents that `compute` returns. */
const latentOf = (name: string, compute: () => Latents): Promise<number[]> =>
  numbersOf(scope(() => compute()[name]!.value));

const combinations = (n: number, k: number): number => {
  let value = 1;
  for (let i = 0; i < k; i++) value = (value * (n - i)) / (i + 1);
  return k > n ? 0 : value;
};

const passInput = fc
  .record({ n: fc.integer({ min: 1, max: 12 }), c: fc.nat(12), k: fc.nat(11) })
  .map(({ n, c, k }) => ({ n, c: c % (n + 1), k: 1 + (k % n) }));

/** Mean, deviation and correlations of the noise on 4,000 zeros, rounded as a reader would. */
async function noiseStatistics(noise: Mine["withNoise"], sigma: number): Promise<Record<string, number>> {
  const zeros = new Array<number>(4000).fill(0);
  const random = new Random(3);
  const first = await latentOf("z", () => noise(latentsOf([0], zeros), sigma, random));
  const second = await latentOf("z", () => noise(latentsOf([0], zeros), sigma, random));
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    mean: mean(first),
    deviation: Math.sqrt(mean(first.map((value) => value * value))),
    withNeighbour: mean(first.map((value, i) => value * first[(i + 1) % first.length]!)),
    withNextCall: mean(first.map((value, i) => value * second[i]!)),
  };
}

/** q and tokens of ten puzzles after three steps, with the latents disturbed before each. */
async function withHook(disturb?: Disturb): Promise<unknown> {
  const { model, task } = await loadRun(fileURLToPath(new URL("data/half-trained", import.meta.url)));
  const { test } = task.generate({ train: 10, test: 10, seed: 2 });
  const random = new Random(1);
  const hooks = disturb ? { before: (latents: Latents) => disturb(latents, random) } : {};
  let result: unknown;
  for await (const { tokens, qHalt } of predictions(model, test, 3, hooks))
    result = { q: [...qHalt], tokens: [...tokens] };
  model.dispose();
  return result;
}

export const check = (mine: Mine) => [
  part({
    name: "moves gives the mean absolute change of every puzzle",
    given: someMoves,
    expected: ({ puzzles, before, after }) => {
      const changes = before.map((value, i) => Math.abs(after[i]! - value));
      return Array.from({ length: puzzles }, (_, p) => {
        const own = changes.slice(4 * p, 4 * p + 4);
        return (own[0]! + own[1]! + own[2]! + own[3]!) / 4;
      });
    },
    received: ({ puzzles, before, after }) => mine.moves(before, after, puzzles),
    next: "Every puzzle owns four values here. Subtract, take absolute values, and average over these four only.",
  }),
  part({
    name: "withNoise leaves y as it is, bit for bit",
    given: fc.record({ y: quarterArray(3), z: quarterArray(3) }),
    expected: ({ y }) => y,
    received: ({ y, z }) => latentOf("y", () => mine.withNoise(latentsOf(y, z), 1, new Random(1))),
    next: "Return { ...latents, z: ... }: everything but z is the same.",
  }),
  part({
    name: "noise with sigma 0 leaves z as it is, bit for bit",
    given: fc.record({ y: quarterArray(3), z: quarterArray(3) }),
    expected: ({ z }) => z,
    received: ({ y, z }) => latentOf("z", () => mine.withNoise(latentsOf(y, z), 0, new Random(1))),
    next: "z + 0 · noise is z. Is something else done to z?",
  }),
  part({
    name: "the noise is normal with deviation sigma, independent between numbers and calls",
    given: fc.constantFrom(1, 0.5),
    show: (sigma) =>
      `sigma = ${sigma}, 4,000 numbers: mean, deviation, mean product with the neighbour and with the next call`,
    runs: 4,
    expected: (sigma) => ({ mean: 0, deviation: sigma, withNeighbour: 0, withNextCall: 0 }),
    received: (sigma) => noiseStatistics(mine.withNoise, sigma),
    tolerance: 0.06,
    next: "Draw sigma * random.normal() anew for every number of z, from the generator that you are given.",
  }),
  part({
    name: "bestByQ takes the highest q, and the first among equals",
    given: someRollouts,
    show: showRollouts,
    expected: (all) => {
      const highest = Math.max(...all.map(({ q }) => q));
      return all.find(({ q }) => q === highest)!.answer;
    },
    received: (all) => mine.bestByQ(all),
    next: "Find the highest q in the list. Which rollout has it first?",
  }),
  part({
    name: "mode takes the most frequent answer, and the first among equals",
    given: someRollouts,
    show: showRollouts,
    expected: (all) => {
      const countOf = (wanted: string): number => all.filter(({ answer }) => answer === wanted).length;
      const most = Math.max(...all.map(({ answer }) => countOf(answer)));
      return all.find(({ answer }) => countOf(answer) === most)!.answer;
    },
    received: (all) => mine.mode(all),
    next: "Count every answer. Of those with the highest count, take the one that occurs first.",
  }),
  part({
    name: "passAt agrees with counting all choices of k out of n",
    given: passInput,
    expected: ({ n, c, k }) => 1 - combinations(n - c, k) / combinations(n, k),
    received: ({ n, c, k }) => mine.passAt(n, c, k),
    tolerance: 1e-9,
    next: "List the factors (n - c - i) / (n - i) for i = 0 .. k - 1 with these numbers. A factor that is not positive makes the product 0.",
  }),
  part({
    name: "passAt rises with k and is never below the share of right rollouts",
    given: passInput,
    expected: () => "rises",
    received: ({ n, c }) => {
      const all = Array.from({ length: n }, (_, k) => mine.passAt(n, c, k + 1));
      const rises = all.every((value, i) => value >= (all[i - 1] ?? c / n) - 1e-9);
      return rises ? "rises" : `gives ${all.map((value) => value.toFixed(3)).join(", ")} for k = 1, 2, ...`;
    },
    next: "More rollouts cannot make it less likely that one is right. For k = 1 the value is c / n.",
  }),
  part({
    name: "on a real model, sigma 0 equals the plain prediction bit for bit",
    given: fc.constant(0),
    show: () => "q and tokens of ten puzzles after three supervision steps",
    runs: 1,
    isLong: true,
    expected: () => withHook(),
    received: (sigma) => withHook((latents, random) => mine.withNoise(latents, sigma, random)),
    next: "withNoise is called before every step with y and z of all puzzles. Nothing else may change.",
  }),
];

const noisy = (latents: Latents, names: readonly string[], draw: (i: number) => number): Latents => ({
  ...latents,
  ...Object.fromEntries(
    names.map((name) => {
      const { value, shape } = latents[name]!;
      const numbers = Float32Array.from({ length: value.size }, (_, i) => draw(i));
      return [name, add(latents[name]!, constant(tensor(numbers, { shape })))];
    }),
  ),
});

export const wrong: readonly PlantedBug<Mine>[] = [
  {
    name: "the signs cancel",
    mine: {
      moves: (before, after, puzzles) => {
        const size = before.length / puzzles;
        return Array.from({ length: puzzles }, (_, p) => {
          let sum = 0;
          for (let i = p * size; i < (p + 1) * size; i++) sum += after[i]! - before[i]!;
          return Math.abs(sum) / size;
        });
      },
    },
    says: "The changes are added before the absolute value is taken, so that changes up and down cancel.",
  },
  {
    name: "the sum of the changes",
    mine: {
      moves: (before, after, puzzles) => moves(before, after, puzzles).map((move) => (move * before.length) / puzzles),
    },
    says: "The changes are summed and not averaged. A larger board would seem to move more.",
  },
  {
    name: "one move for all",
    mine: {
      moves: (before, after, puzzles) => new Array<number>(puzzles).fill(moves(before, after, 1)[0]!),
    },
    says: "All puzzles get the mean over the batch. Each has a move of its own.",
  },
  {
    name: "noise on y",
    mine: { withNoise: (latents, sigma, random) => noisy(latents, ["y"], () => sigma * random.normal()) },
    says: "The noise is on y, the answer, and z is undisturbed. q reads y and can no longer judge it.",
  },
  {
    name: "noise on both",
    mine: { withNoise: (latents, sigma, random) => noisy(latents, ["y", "z"], () => sigma * random.normal()) },
    says: "y is disturbed as well as z. Only z gets noise.",
  },
  {
    name: "the variance in the place of the deviation",
    mine: { withNoise: (latents, sigma, random) => noisy(latents, ["z"], () => sigma * sigma * random.normal()) },
    says: "The noise has the deviation sigma squared.",
  },
  {
    name: "one number for all",
    mine: {
      withNoise: (latents, sigma, random) => {
        const number = sigma * random.normal();
        return noisy(latents, ["z"], () => number);
      },
    },
    says: "One number is drawn and added everywhere. Every number of z needs a draw of its own.",
  },
  {
    name: "the same noise in every step",
    mine: {
      withNoise: (latents, sigma) => {
        const random = new Random(7);
        return noisy(latents, ["z"], () => sigma * random.normal());
      },
    },
    says: "Every call draws the same numbers, because it makes a generator of its own. Use the one that is passed in.",
  },
  {
    name: "z replaced by noise",
    mine: {
      withNoise: (latents, sigma, random) => {
        const { z } = noisy(
          { z: constant(tensor(new Float32Array(latents.z!.value.size), { shape: latents.z!.shape })) },
          ["z"],
          () => sigma * random.normal(),
        );
        return { ...latents, z: z! };
      },
    },
    says: "z is replaced by the noise. It must be added to z.",
  },
  {
    name: "the last among equals by q",
    mine: {
      bestByQ: (all) => all.reduce((best, one) => (one.q >= best.q ? one : best)).answer,
    },
    says: "Among equal q the last rollout wins. Ties go to the first.",
  },
  {
    name: "the lowest q",
    mine: { bestByQ: (all) => all.reduce((best, one) => (one.q < best.q ? one : best)).answer },
    says: "The rollout with the lowest q is chosen.",
  },
  {
    name: "the last among equally frequent",
    mine: {
      mode: (all) => {
        const counts = new Map<string, number>();
        for (const { answer } of all) counts.set(answer, (counts.get(answer) ?? 0) + 1);
        return [...counts].reduce((best, one) => (one[1] >= best[1] ? one : best))[0];
      },
    },
    says: "Among equally frequent answers the last one wins. Ties go to the one that occurs first.",
  },
  {
    name: "votes weighted by q",
    mine: {
      mode: (all) => {
        const sums = new Map<string, number>();
        for (const { answer, q } of all) sums.set(answer, (sums.get(answer) ?? 0) + 1 + q);
        return [...sums].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
      },
    },
    says: "The votes are weighted by q. Every rollout has one vote.",
  },
  {
    name: "drawn with replacement",
    mine: { passAt: (n, c, k) => 1 - (1 - c / n) ** k },
    says: "This is the probability with replacement: the same rollout could be chosen twice.",
  },
  {
    name: "the first k only",
    mine: { passAt: (n, c, k) => Math.min(1, (c * k) / n) },
    says: "The probability is taken as proportional to k. Two right rollouts in one choice are counted twice.",
  },
];
