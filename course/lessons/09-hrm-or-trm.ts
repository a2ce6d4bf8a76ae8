/*md
# 9. HRM or TRM?

The Hierarchical Reasoning Model has two networks, an argument from neuroscience and a theorem about fixed points. The
Tiny Recursive Model has one network and none of these, and its paper reports better results with less than a fifth of
the parameters. Is it the single network? The gradient through the whole cycle? Something else? Such questions are
answered by an **ablation**: change one thing, and compare. This lesson is about comparing honestly. The data are
fifteen small trainings. The right answer to a question is often *"no difference shown"*.

After this lesson you can

- give two systems the same amount of computation before you compare them,
- put an interval on an accuracy, and on the difference of two accuracies,
- say what three repetitions can show and what they cannot.

You need no earlier exercise, but you should know what T, n and the 1-step gradient are (lessons 5 and 6).

## What differs

| aspect | HRM | TRM |
|---|---|---|
| networks | two of 4 layers, one for $z$ (called L) and one for $y$ (called H) | one of 2 layers for both |
| gradient | through the last call of each network only | through all $n + 1$ calls of the last cycle |
| mixing over the cells | self-attention | the MLP of lesson 4 |
| halting | a second head $q_\text{continue}$ and a further forward pass in training | $q$ alone |
| Sudoku-Extreme, full scale | 55.0% with 27 million parameters | 87.4% with 5 million |

The last row quotes published results, which come from runs of a day and more. Nothing at the scale of this course can
confirm or refute them. What you *can* do at this scale is learn to read such tables.

## Equal operations

A training step of HRM costs more than one of TRM. At an equal number of *steps*, HRM has done more computing; at
equal *time*, the better-tuned program wins. A fair currency is the number of **floating-point operations**. The
library counts them for a configuration (`trainingFlops`). Given a budget, a system gets as many steps as fit into it,
rounded to the nearest whole step.

## Exercise 9.1
*/
import records from "./data/records.json" with { type: "json" };

/** Training steps that a budget of operations pays for; at least 1. */
export function stepsFor(budget: number, operationsPerStep: number): number {
  // BEGIN SOLUTION hint="Divide and round to the nearest whole number. A budget below half a step still pays for one: Math.max."
  return Math.max(1, Math.round(budget / operationsPerStep));
  // END SOLUTION
}

/*md
## How sure is a share?

A model solves 168 of 200 puzzles. Its accuracy on *all* puzzles is probably near 84%, but 200 are not all. The **95%
interval** contains the true share in 95 of 100 such measurements. The interval of Wilson (1927) is simple and stays
sensible at the ends:

$$ \frac{p + \frac{z^2}{2n} \pm z \sqrt{\frac{p(1-p)}{n} + \frac{z^2}{4n^2}}}{1 + \frac{z^2}{n}}, \qquad z = 1.959964 $$

with $p$ the share and $n$ the number of puzzles. For 0 of 200 it gives 0% to 1.9%. The textbook formula
$p \pm z\sqrt{p(1-p)/n}$ gives 0% to 0%, as if two hundred failures proved that the model solves no puzzle at all.

## Exercise 9.2
*/

export type Interval = readonly [low: number, high: number];

/** The 95% Wilson interval of a share of `successes` in `trials`, both above or equal to 0; [0, 1] without trials. */
export function wilson(successes: number, trials: number): Interval {
  // BEGIN SOLUTION hint="Compute p, then centre = p + z²/(2n) and half = z √(p(1-p)/n + z²/(4n²)), and divide both by 1 + z²/n. Return [centre - half, centre + half], clamped to 0..1, and [0, 1] for n = 0."
  if (trials === 0) return [0, 1];
  const z = 1.959964;
  const p = successes / trials;
  const shrink = 1 + z ** 2 / trials;
  const centre = (p + z ** 2 / (2 * trials)) / shrink;
  const half = (z / shrink) * Math.sqrt((p * (1 - p)) / trials + z ** 2 / (4 * trials ** 2));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
  // END SOLUTION
}

/*md
## How sure is a difference?

A common test is whether two intervals overlap. It is too strict: two intervals can overlap a little although the
difference is clear, because it is unlikely that one share is at its upper end *while* the other is at its lower end.
The difference needs an interval of its own. Newcombe (1998) builds it from the two Wilson intervals $[l_1, u_1]$ and
$[l_2, u_2]$:

$$ \Big[\, d - \sqrt{(p_1 - l_1)^2 + (u_2 - p_2)^2},\;\; d + \sqrt{(u_1 - p_1)^2 + (p_2 - l_2)^2} \,\Big], \qquad d = p_1 - p_2 $$

If 0 lies inside, the measurement does not show which share is larger.

## Exercise 9.3
*/

/** A count of solved puzzles. */
export interface Count {
  readonly solved: number;
  readonly puzzles: number;
}

/** The 95% interval of share(a) - share(b), after Newcombe. Both have puzzles. */
export function differenceInterval(a: Count, b: Count): Interval {
  // BEGIN SOLUTION hint="const [l1, u1] = wilson(a.solved, a.puzzles), likewise for b. The lower end pairs the lower half of a with the upper half of b; the upper end the other way round."
  const [p1, p2] = [a.solved / a.puzzles, b.solved / b.puzzles];
  const [[l1, u1], [l2, u2]] = [wilson(a.solved, a.puzzles), wilson(b.solved, b.puzzles)];
  const d = p1 - p2;
  return [d - Math.hypot(p1 - l1, u2 - p2), d + Math.hypot(u1 - p1, p2 - l2)];
  // END SOLUTION
}

/*md
## Puzzles are not seeds

Most small comparisons make the following mistake. Train the same system three times with different seeds, and the
results differ far more than the interval of any one of them allows:
*/

/** One training: the seed, its steps, and the puzzles solved after supervision step 1, 2, ... 8. */
export type Record = (typeof records)[number];

export const runsOf = (system: string): readonly Record[] => records.filter((record) => record.system === system);

export const systems: readonly string[] = [...new Set(records.map(({ system }) => system))];

/** Puzzles that a training solves after the last supervision step. */
export const lastCount = ({ solved, puzzles }: Record): Count => ({ solved: solved.at(-1)!, puzzles });

export const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

export async function program(print: (line: string) => void): Promise<void> {
  for (const run of runsOf("TRM")) {
    const { solved, puzzles } = lastCount(run);
    print(
      `TRM, seed ${run.seed}: ${percent(solved / puzzles)}, interval ${wilson(solved, puzzles).map(percent).join(" to ")}`,
    );
  }
  /*md
  ```output
  TRM, seed 1: 84.0%, interval 78.3% to 88.4%
  TRM, seed 2: 97.5%, interval 94.3% to 98.9%
  TRM, seed 3: 84.5%, interval 78.8% to 88.9%
  ```

  Here are all fifteen trainings of this lesson, with these intervals:

  ```figure
  intervals
  ```

  The intervals answer "how would *this model* do on other puzzles?" They do not answer "how would *this system* do if
  it were trained again?" For that question the three trainings are **three** observations, not six hundred.

  What can three against three show? Suppose that the two systems are in fact equally good. Then every order of the six results
  is equally likely, and the probability that all three of system A come out above all three of system B is one in
  $\binom{6}{3} = 20$. So *complete separation* is what three repetitions need to show a difference at 5% (in one
  direction that you named beforehand). Anything less can be explained by the seeds.

  ## Exercise 9.4: the verdict

  Be strict and ask for both: the interval of the difference of the **summed** counts excludes 0, *and* the seeds
  separate completely. Otherwise the verdict is "no difference shown". This is not the same as "equal": it says that
  this measurement cannot tell.
  */
  for (const system of systems.slice(1)) {
    const [a, b] = [runsOf("TRM"), runsOf(system)].map((runs) => runs.map(lastCount));
    const counts = [a!, b!].map((all) => all.map(({ solved }) => solved).join(" "));
    print(`TRM ${counts[0]} against ${system} ${counts[1]}: ${verdict(a!, b!)}`);
  }
  /*md
  ```output
  TRM 168 195 169 against TRM with separate networks 171 151 187: no difference shown
  TRM 168 195 169 against TRM with 1-step gradient 174 188 179: no difference shown
  TRM 168 195 169 against TRM with a single z 196 197 194: no difference shown
  TRM 168 195 169 against HRM 0 0 0: a is better
  ```

  ## Read the result

  All fifteen trainings had the operations that TRM needs for 400 steps, on 4x4 Sudoku (`npm run course:data` in the
  repository makes them again). Before you read on, look at the table above and at the published numbers, and write
  down one sentence about each row.

  - **HRM** solved nothing. Is it worse? At this budget, yes: 0 of 600, and complete separation. Is it worse *as an
    idea*? Its budget paid for 145 steps, and after 150 steps TRM itself solves only 1 of 200: at that point learning is
    not visible yet in either system. The comparison shows that this budget is too small for HRM. It can show neither
    where HRM would end nor which difference matters: this HRM also mixes the cells with attention, unlike TRM. With equal
    operations on 6x6 Sudokus, HRM with attention solved 0.5% of 1,000 unseen puzzles (95% interval 0.2% to 1.2%). With
    the MLP, fewer supervision steps and a falling learning rate it solved 73.9% (71.1% to 76.5%). Each is a single run.
  - **The 1-step gradient** causes the largest drop in accuracy in the paper (56.5% against 87.4%). Here it shows nothing of the kind.
    A 4x4 board is solved in about one step, and the full gradient may matter only where long chains of reasoning do.
  - **A single $z$** is worse in the paper (71.9%). Here its three trainings are all near the top, and the summed
    counts alone would call it *better* than TRM. The seeds do not separate, so the strict verdict says no. What would
    you do next? (More seeds, decided **before** looking at their results.)

  A table of this size can refute a claim that an effect is *large everywhere*. It cannot support a ranking. Published
  tables with one run per row are in the same position, whatever the number of test puzzles.
  */
}

/** Which system solves more. `a` and `b` have one count per seed. */
export function verdict(
  a: readonly Count[],
  b: readonly Count[],
): "a is better" | "b is better" | "no difference shown" {
  // BEGIN SOLUTION hint="Sum solved and puzzles of each system, and take differenceInterval of the sums. Compare the worst share of one with the best share of the other: Math.min(...) of a above Math.max(...) of b."
  const sum = (counts: readonly Count[]): Count => ({
    solved: counts.reduce((total, { solved }) => total + solved, 0),
    puzzles: counts.reduce((total, { puzzles }) => total + puzzles, 0),
  });
  const shares = (counts: readonly Count[]): number[] => counts.map(({ solved, puzzles }) => solved / puzzles);
  const [low, high] = differenceInterval(sum(a), sum(b));
  if (low > 0 && Math.min(...shares(a)) > Math.max(...shares(b))) return "a is better";
  if (high < 0 && Math.min(...shares(b)) > Math.max(...shares(a))) return "b is better";
  return "no difference shown";
  // END SOLUTION
}

/*md
## Do recursive models reason, or do they guess?

Two claims contradict each other:

- *They reason.* The papers of HRM and TRM say so: the models solve puzzles that need long chains of deductions, and
  every step improves the answer.
- *They guess.* A paper of 2026 (arXiv 2601.10679) reports that HRM, which solves hard Sudokus, fails on some Sudokus
  with a **single blank** left, which need one deduction only.

Measure it. `trm probe` fills in all blanks of a puzzle but one, and prints the share of these puzzles that the model
solves, with the interval of exercise 9.2. The three models are in the repository; each command takes up to half a
minute. In this folder:

```text
npm run trm -- probe sudoku6 --limit 100
npm run trm -- probe hrm-sudoku6 --limit 100
npm run trm -- probe maze9 --limit 100
```

**Before you run them**, write down which share would convince you of which claim. Then fill in:

| model | correct after the last step | one blank left, with interval | for which claim? |
|---|---|---|---|
| `sudoku6`: TRM, 6x6 Sudokus | | | |
| `hrm-sudoku6`: HRM, equal operations | | | |
| `maze9`: TRM, 9x9 mazes (a blank is a cell of the path) | | | |

Now attack your own conclusion. These models were trained on whole puzzles only, never on nearly finished ones. A
failure with one blank left is consistent with guessing, and also with a model that reasons only on the kind of input
that it was trained on. Does your table tell the two apart? Which training would? Every row is *one* training: what
does it say about HRM and TRM as systems? "Not decided by this measurement" is an answer. The view "Failures" of the
explorer shows single puzzles with one blank.

**Question to think about.** You have compared four changes with TRM. If none of them had any real effect, how often would at least one of four comparisons at 5% look like a difference? What does this say about a table with
twelve rows?
*/
// BEGIN CHECK

import fc from "fast-check";
import { wilson95 } from "trm-ts";
import { type PlantedBug, part } from "../lesson.ts";

export const minutes = 60;

export const reference = { stepsFor, wilson, differenceInterval, verdict };

type Mine = typeof reference;

const count = (puzzles: fc.Arbitrary<number>) =>
  puzzles.chain((total) => fc.record({ solved: fc.integer({ min: 0, max: total }), puzzles: fc.constant(total) }));

const someCount = count(fc.constantFrom(10, 20, 200));

const threeOf = (solved: fc.Arbitrary<number>): fc.Arbitrary<Count[]> =>
  fc.array(fc.record({ solved, puzzles: fc.constant(200) }), { minLength: 3, maxLength: 3 });

/** Two systems with three seeds each: any counts, or counts that separate by a few puzzles only. */
const twoSystems = fc.oneof(
  fc.record({
    a: threeOf(fc.constantFrom(170, 180, 160, 150, 190, 0, 200)),
    b: threeOf(fc.constantFrom(170, 180, 160, 150, 190, 0, 200)),
  }),
  fc
    .record({
      high: threeOf(fc.integer({ min: 173, max: 175 })),
      low: threeOf(fc.integer({ min: 170, max: 172 })),
      swap: fc.boolean(),
    })
    .map(({ high, low, swap }) => (swap ? { a: low, b: high } : { a: high, b: low })),
);

const showCounts = (counts: readonly Count[]): string =>
  counts.map(({ solved, puzzles }) => `${solved}/${puzzles}`).join(", ");

/** The bounds of Newcombe, written from the formula in another way: with the two half widths as squares. */
const newcombe = (a: Count, b: Count): number[] => {
  const [u, v] = [wilson95(a.solved, a.puzzles), wilson95(b.solved, b.puzzles)];
  const [p, q] = [a.solved / a.puzzles, b.solved / b.puzzles];
  return [p - q - Math.sqrt((p - u[0]) ** 2 + (v[1] - q) ** 2), p - q + Math.sqrt((u[1] - p) ** 2 + (q - v[0]) ** 2)];
};

const strictVerdict = (a: readonly Count[], b: readonly Count[]): string => {
  const sum = (all: readonly Count[]): Count => ({
    solved: all.reduce((total, one) => total + one.solved, 0),
    puzzles: 200 * all.length,
  });
  const [low, high] = newcombe(sum(a), sum(b));
  const [x, y] = [a, b].map((all) => all.map(({ solved }) => solved));
  if (low! > 0 && x!.every((one) => y!.every((other) => one > other))) return "a is better";
  if (high! < 0 && y!.every((one) => x!.every((other) => one > other))) return "b is better";
  return "no difference shown";
};

export const check = (mine: Mine) => [
  part({
    name: "stepsFor gives every system the same operations",
    given: fc.record({ budget: fc.integer({ min: 0, max: 40 }), operations: fc.integer({ min: 1, max: 8 }) }),
    expected: ({ budget, operations }) => Math.max(1, Math.floor(budget / operations + 0.5)),
    received: ({ budget, operations }) => mine.stepsFor(budget, operations),
    next: "How often does one step fit into the budget? Round to the nearest whole number, and never below 1.",
  }),
  part({
    name: "stepsFor agrees with the recorded trainings",
    given: fc.constantFrom(...records.filter(({ seed }) => seed === 1)),
    show: ({ system, operations }) =>
      `${system}: ${operations} operations per step, and the budget of 400 steps of TRM`,
    runs: 10,
    expected: ({ steps }) => steps,
    received: ({ operations }) => mine.stepsFor(400 * runsOf("TRM")[0]!.operations, operations),
    next: "HRM's step takes about 2.8 times the operations of TRM's, so that it gets 1/2.8 of its 400 steps.",
  }),
  part({
    name: "wilson gives the 95% interval of a share, also at the ends",
    given: fc.oneof(someCount, fc.constant({ solved: 0, puzzles: 0 })),
    show: ({ solved, puzzles }) => `${solved} of ${puzzles}`,
    expected: ({ solved, puzzles }) => wilson95(solved, puzzles),
    received: ({ solved, puzzles }) => mine.wilson(solved, puzzles),
    tolerance: 1e-6, // the text gives z with seven digits
    next: "Compute p, then the centre and the half width of the formula for these numbers. Both are divided by 1 + z²/n.",
  }),
  part({
    name: "differenceInterval combines the halves of the two intervals that matter",
    given: fc.record({ a: someCount, b: someCount }),
    show: ({ a, b }) => `a solved ${a.solved} of ${a.puzzles}, b solved ${b.solved} of ${b.puzzles}`,
    expected: ({ a, b }) => newcombe(a, b),
    received: ({ a, b }) => mine.differenceInterval(a, b),
    tolerance: 1e-6, // the text gives z with seven digits
    next: "The difference is smallest if a is at its lower end and b at its upper end: p1 - l1 goes with u2 - p2.",
  }),
  part({
    name: "verdict asks for an interval without 0 and for seeds that separate",
    given: twoSystems,
    show: ({ a, b }) => `a: ${showCounts(a)}\nb: ${showCounts(b)}`,
    runs: 400,
    expected: ({ a, b }) => strictVerdict(a, b),
    received: ({ a, b }) => mine.verdict(a, b),
    next: "Write the six shares in order. If they mix, the verdict is no difference shown. Else look at the interval of the sums.",
  }),
  part({
    name: "the ablation table is read from the recorded trainings",
    given: fc.constantFrom(...systems.slice(1)),
    show: (system) => `TRM against ${system}, after the last supervision step`,
    runs: 10,
    expected: (system) => strictVerdict(runsOf("TRM").map(lastCount), runsOf(system).map(lastCount)),
    received: (system) => mine.verdict(runsOf("TRM").map(lastCount), runsOf(system).map(lastCount)),
    next: "npm run program -- 9 prints the counts of every system.",
  }),
];

const share = ({ solved, puzzles }: Count): number => solved / puzzles;

const total = (all: readonly Count[]): Count => ({
  solved: all.reduce((sum, one) => sum + one.solved, 0),
  puzzles: all.reduce((sum, one) => sum + one.puzzles, 0),
});

/** "a is better" if `above(a, b)`, and the same for b. */
const verdictBy =
  (above: (x: readonly Count[], y: readonly Count[]) => boolean): Mine["verdict"] =>
  (a, b) =>
    above(a, b) ? "a is better" : above(b, a) ? "b is better" : "no difference shown";

export const wrong: readonly PlantedBug<Mine>[] = [
  {
    name: "rounded down",
    mine: { stepsFor: (budget, operations) => Math.max(1, Math.floor(budget / operations)) },
    says: "The steps are rounded down. Rounding to the nearest step keeps the budgets closest to each other.",
  },
  {
    name: "no step at all",
    mine: { stepsFor: (budget, operations) => Math.round(budget / operations) },
    says: "A small budget gives 0 steps. A training has at least one.",
  },
  {
    name: "the textbook interval",
    mine: {
      wilson: (successes, trials) => {
        if (trials === 0) return [0, 1];
        const p = successes / trials;
        const half = 1.959963984540054 * Math.sqrt((p * (1 - p)) / trials);
        return [Math.max(0, p - half), Math.min(1, p + half)];
      },
    },
    says: "This is p ± z √(p(1-p)/n). It collapses to a point for 0 of 200, as if that were certain.",
  },
  {
    name: "the centre not shrunk",
    mine: {
      wilson: (successes, trials) => {
        if (trials === 0) return [0, 1];
        const [low, high] = wilson(successes, trials);
        const shrink = 1 + 1.959963984540054 ** 2 / trials;
        return [Math.max(0, low * shrink), Math.min(1, high * shrink)];
      },
    },
    says: "The division by 1 + z²/n is missing.",
  },
  {
    name: "nothing for no trials",
    mine: { wilson: (successes, trials) => (trials === 0 ? [Number.NaN, Number.NaN] : wilson(successes, trials)) },
    says: "Without trials the formula divides by 0. Nothing is known then: the interval is [0, 1].",
  },
  {
    name: "the halves exchanged",
    mine: {
      differenceInterval: (a, b) => {
        const [u, v] = [wilson(a.solved, a.puzzles), wilson(b.solved, b.puzzles)];
        const [p, q] = [share(a), share(b)];
        return [p - q - Math.hypot(u[1] - p, q - v[0]), p - q + Math.hypot(p - u[0], v[1] - q)];
      },
    },
    says: "The wrong halves are combined. The difference is smallest if a is at its lower and b at its upper end.",
  },
  {
    name: "the ends subtracted",
    mine: {
      differenceInterval: (a, b) => {
        const [u, v] = [wilson(a.solved, a.puzzles), wilson(b.solved, b.puzzles)];
        return [u[0] - v[1], u[1] - v[0]];
      },
    },
    says: "The ends are subtracted from each other. That is the test of overlapping intervals, which is too wide.",
  },
  {
    name: "b minus a",
    mine: { differenceInterval: (a, b) => differenceInterval(b, a) },
    says: "This is the interval of b minus a.",
  },
  {
    name: "the larger number wins",
    mine: { verdict: verdictBy((x, y) => share(total(x)) > share(total(y))) },
    says: "The larger sum wins, whatever the noise. Some difference is always there; the question is whether it is shown.",
  },
  {
    name: "the interval alone",
    mine: { verdict: verdictBy((x, y) => differenceInterval(total(x), total(y))[0] > 0) },
    says: "Only the interval of the sums is checked. It treats the puzzles of three trainings as independent, and the seeds mix.",
  },
  {
    name: "the seeds alone",
    mine: {
      verdict: verdictBy((x, y) => Math.min(...x.map(share)) > Math.max(...y.map(share))),
    },
    says: "Only the order of the seeds is checked. The interval of the sums must exclude 0 too.",
  },
  {
    name: "intervals that do not overlap",
    mine: {
      verdict: verdictBy((x, y) => {
        const [p, q] = [total(x), total(y)];
        return wilson(p.solved, p.puzzles)[0] > wilson(q.solved, q.puzzles)[1];
      }),
    },
    says: "The check requires that two intervals do not overlap. That is neither the interval of the difference nor the order of the seeds.",
  },
];
