/*md
# 3. Finding a bug

A wrong gradient does not crash. The loss still falls, but less far, and a week later you wonder why the paper's
number is out of reach. Gradients must therefore be tested, and this lesson is about tests that *can fail*. You write
one test. Then the checker hands it nine implementations: three that are right and six with a planted bug. A test that accepts a bug has not tested for it.

After this lesson you can

- write a property: a rule that must hold for every input, checked on random ones,
- test a gradient in a random direction with two evaluations, whatever the number of inputs,
- say of a test which bugs it cannot see.

You need lesson 2: the central difference, and what the gradient of an output means.

## Examples see little

Here is a rule that squares every number of a list. `forward` computes the outputs. `backward` gets `dy`, the gradient
of some loss with respect to the outputs, and returns the gradient with respect to the inputs:

$$ y_i = x_i^2, \qquad dx_i = dy_i \cdot 2 x_i $$
*/
import fc from "fast-check";
import { centralDifference } from "./02-tape.ts";

/** A function from a list of numbers to a list of the same length, and its derivative. */
export interface Rule {
  readonly name: string;
  forward(x: readonly number[]): number[];
  /** dx from dy. */
  backward(dy: readonly number[], x: readonly number[]): number[];
}

export const squares: Rule = {
  name: "squares",
  forward: (x) => x.map((value) => value * value),
  backward: (dy, x) => x.map((value, i) => dy[i]! * 2 * value),
};

export const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/*md
A test by example might take `x = [2]` and `dy = [1]` and expect `[4]`. It passes. It also passes for each of these
wrong rules:

| wrong rule | why the example does not see it |
|---|---|
| `2 * value`, without `dy` | `dy` was 1 |
| `dy * 2 * Math.abs(value)` | `value` was positive |
| `dy * value * value` | $2 \cdot 2 = 2^2$: both rules agree at 2 |
| the gradients in reversed order | the list had one entry |
| 0 for the last entry of longer lists | the list had one entry |

Each row is a kind of input that the test never tried. You could add five examples. It is better to let the computer
draw inputs that have *no special properties*, and to state what must hold for all of them.

## A property for gradients

What must hold? Choose a loss that is easy: $\ell(x) = \sum_i dy_i \, y_i(x)$. Its gradient with respect to $y$ is
exactly $dy$, so its gradient with respect to $x$ is what `backward` claims. Now move $x$ a little along a direction
$d$. The slope of $\ell$ along $d$ is known twice:

$$ \underbrace{\frac{\ell(x + h\,d) - \ell(x - h\,d)}{2h}}_{\text{measured}} \approx \underbrace{\sum_i dx_i \, d_i}_{\text{claimed}} $$

Two evaluations test *all* entries of $dx$ at once, because a random direction moves all of them by different amounts.
This also tells you what not to do. With $d = [1, 1, \dots]$ the right side is the sum of $dx$, and a rule that
returns its gradients in reversed order has the same sum.

Two practical points:

- **Tolerance.** The measured side has a rounding error. Compare with a tolerance that grows with the size of the
  numbers, such as $10^{-5} \, (1 + |\text{measured}|)$. If it is too tight, right rules fail; if it is too loose,
  wrong ones pass.
- **Kinks.** At $x = 0$ the slope of $|x|$ is not defined, and a central difference gives 0, the mean of both sides.
  The rules of this lesson have no kinks. The library keeps its random inputs away from them.

## Exercise 3.1: the property

Write `expectRightGradient`. It throws if the gradient of `rule` is wrong, and returns if it is right. `fc.property`
draws inputs from arbitraries and calls your function; `fc.assert` throws if one call throws or returns false, and
shrinks the input first. Pass the `seed` on, so that a failure can be replayed.

`fc.integer({ min: -8, max: 8 }).map((i) => i / 4)` draws quarters. A counterexample of quarters is one that you can
read.
*/

/** @throws Error if the gradient of `rule` is wrong for some of many random inputs */
export function expectRightGradient(rule: Rule, seed: number): void {
  // BEGIN SOLUTION hint="Draw triples { x, dy, d } of one length: fc.array(fc.tuple(quarter, quarter, quarter), { minLength: 1, maxLength: 4 }) gives all three at once. Inside, centralDifference of (t) => dot(dy, rule.forward(x + t d)) at 0 must be close to dot(rule.backward(dy, x), d); throw an Error if it is not."
  const quarter = fc.integer({ min: -8, max: 8 }).map((i) => i / 4);
  const entries = fc.array(fc.tuple(quarter, quarter, quarter), { minLength: 1, maxLength: 4 });
  const property = fc.property(entries, (all) => {
    const [x, dy, d] = [all.map((entry) => entry[0]), all.map((entry) => entry[1]), all.map((entry) => entry[2])];
    const loss = (t: number): number => dot(dy, rule.forward(x.map((value, i) => value + t * d[i]!)));
    const measured = centralDifference(loss, 0, 1e-4);
    const claimed = dot(rule.backward(dy, x), d);
    if (Math.abs(measured - claimed) > 1e-5 * (1 + Math.abs(measured))) {
      throw new Error(`${rule.name}: claimed ${claimed}, measured ${measured} along d = [${d}]`);
    }
  });
  fc.assert(property, { seed });
  // END SOLUTION
}

/*md
## Exercise 3.2: the repair

The rule below multiplies a list with its own mean, $y_i = x_i \cdot m$ with $m = \frac{1}{n}\sum_j x_j$. Every input
reaches every output through the mean, so its gradient has two terms, one for each way (compare `a + a` in lesson
2):

$$ dx_i = dy_i \cdot m + \frac{1}{n} \sum_j dy_j \, x_j $$

The code below was written in a hurry. **One line of it is wrong**, and the mistake is not the same for every learner:
the name that you gave to `start --seed` has chosen it. Let your property find it. `npm run program -- 3` applies it
to the rule and prints the counterexample. Then follow the code by hand on this counterexample, and repair it.
*/

const mean = (x: readonly number[]): number => x.reduce((sum, value) => sum + value, 0) / x.length;

// BEGIN REPAIR
export function meanScaleBackward(dy: readonly number[], x: readonly number[]): number[] {
  const m = mean(x);
  let shared = 0;
  for (let j = 0; j < x.length; j++) shared += dy[j]! * x[j]!;
  return dy.map((own) => own * m + shared / x.length);
}
// END REPAIR

export const meanScale: Rule = {
  name: "meanScale",
  forward: (x) => x.map((value) => value * mean(x)),
  backward: (dy, x) => meanScaleBackward(dy, x),
};

export function program(print: (line: string) => void): void {
  /*md
  Once both exercises are solved, the program prints:
  */
  for (const rule of [squares, meanScale]) {
    expectRightGradient(rule, 1);
    print(`${rule.name}: no counterexample`);
  }
  /*md
  ```output
  squares: no counterexample
  meanScale: no counterexample
  ```
  */
}

/*md
## How this project does it

`checkGradient` in `trm-ts/autograd` is your property for tensors, with a more exact difference quotient and a relative
tolerance of $10^{-6}$ in float64. Every operation of the library states the inputs that its test draws, and
`npm test` in the repository plants mutants into *every* backward rule: scaled, negated, exchanged with its
neighbours. All of them must be caught. This is the method of this lesson.

**Question to think about.** "The loss goes down" is a test too. Which of the six bugs does it see? Try to find one
that makes training slower but not impossible, and say how you would notice it.
*/
// BEGIN CHECK

import { type Plant, type PlantedBug, part, todoOf } from "../lesson.ts";

export const minutes = 45;

export const reference = { expectRightGradient, meanScaleBackward };

type Mine = typeof reference;

/** The mistake in the learner's stub is one of these. */
export const plants: readonly Plant[] = [
  { name: "x in the place of the mean", from: "own * m +", to: "own * x[0]! +" },
  { name: "the sum instead of the mean", from: "shared / x.length", to: "shared" },
  { name: "the shared term subtracted", from: "* m + shared", to: "* m - shared" },
  { name: "the first entry left out", from: "let j = 0", to: "let j = 1" },
  { name: "one dy for all", from: "dy[j]! * x[j]!", to: "dy[0]! * x[j]!" },
  { name: "x left out of the shared term", from: "dy[j]! * x[j]!", to: "dy[j]!" },
];

/** y_i = x_i · x_(i+1), the last times the first: outputs with two inputs each. */
const neighbours: Rule = {
  name: "neighbours",
  forward: (x) => x.map((value, i) => value * x[(i + 1) % x.length]!),
  backward: (dy, x) =>
    x.map((_, i) => {
      const [before, after] = [(i + x.length - 1) % x.length, (i + 1) % x.length];
      return dy[i]! * x[after]! + dy[before]! * x[before]!;
    }),
};

/** Steep enough that a tight absolute tolerance refuses it. */
const exponentials: Rule = {
  name: "exponentials",
  forward: (x) => x.map(Math.exp),
  backward: (dy, x) => x.map((value, i) => dy[i]! * Math.exp(value)),
};

interface Mutant {
  readonly name: string;
  readonly rule: Rule;
  readonly next: string;
}

const wrongSquares = (backward: Rule["backward"]): Rule => ({ ...squares, backward });

/** The six rules that a property must refuse, each seen only by some kind of input. */
const mutants: readonly Mutant[] = [
  {
    name: "a rule with a flipped sign",
    rule: wrongSquares((dy, x) => x.map((value, i) => -dy[i]! * 2 * value)),
    next: "Your property accepts almost anything. Does it call rule.backward at all, and does it throw (or return false) if the two sides differ?",
  },
  {
    name: "a rule without the factor 2",
    rule: wrongSquares((dy, x) => x.map((value, i) => dy[i]! * value)),
    next: "Compare the measured slope with the claimed one as numbers. Comparing signs, or a tolerance of the size of the gradient, misses a factor.",
  },
  {
    name: "a rule without dy",
    rule: wrongSquares((_, x) => x.map((value) => 2 * value)),
    next: "This rule is right whenever every dy is 1. Draw dy at random too.",
  },
  {
    name: "a rule that is right for positive numbers only",
    rule: wrongSquares((dy, x) => x.map((value, i) => dy[i]! * 2 * Math.abs(value))),
    next: "This rule is right whenever x is positive. Let your arbitrary draw negative numbers.",
  },
  {
    name: "a rule that reverses the gradients",
    rule: wrongSquares((dy, x) => x.map((value, i) => dy[i]! * 2 * value).reverse()),
    next: "This rule is right for lists of one number, and its gradients have the right sum. Draw longer lists, and a random direction instead of [1, 1, ...].",
  },
  {
    name: "a rule that forgets the last entry of a longer list",
    rule: wrongSquares((dy, x) => x.map((value, i) => (i > 0 && i === x.length - 1 ? 0 : dy[i]! * 2 * value))),
    next: "Only one entry is wrong. Move all entries: a direction that is 0 at the end does not see it.",
  },
];

/** "accepted", or "refused" with the first line of the reason. */
function verdict(mine: Mine, rule: Rule, seed: number): { verdict: string; reason: string } {
  try {
    mine.expectRightGradient(rule, seed);
    return { verdict: "accepted", reason: "" };
  } catch (error) {
    if (todoOf(error)) throw error;
    const own = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return { verdict: "refused", reason: own.split("\n")[0]! };
  }
}

const seeds = fc.integer({ min: 1, max: 1000 });

export const check = (mine: Mine) => [
  part({
    name: "the property accepts rules that are right",
    given: fc.record({ rule: fc.constantFrom(squares, neighbours, exponentials), seed: seeds }),
    show: ({ rule, seed }) => `${rule.name}, a rule that is right; seed ${seed}`,
    expected: () => "accepted",
    received: ({ rule, seed }) => {
      const own = verdict(mine, rule, seed);
      return own.verdict === "accepted" ? own.verdict : `refused: ${own.reason}`;
    },
    runs: 15,
    next: "A right rule was refused. Is the tolerance relative, so that it grows with the numbers? Is h near 1e-4? Does loss use x + t d in every entry?",
  }),
  ...mutants.map(({ name, rule, next }) =>
    part({
      name: `the property refuses ${name}`,
      given: seeds,
      show: (seed) => `squares, ${name}; seed ${seed}`,
      expected: () => "refused",
      received: (seed) => verdict(mine, rule, seed).verdict,
      runs: 3,
      next,
    }),
  ),
  part({
    name: "meanScaleBackward is repaired",
    given: fc
      .array(fc.tuple(fc.integer({ min: -8, max: 8 }), fc.integer({ min: -8, max: 8 })), { minLength: 1, maxLength: 4 })
      .map((entries) => ({ x: entries.map(([a]) => a / 4), dy: entries.map(([, b]) => b / 4) })),
    show: ({ x, dy }) => `x = [${x.join(", ")}], dy = [${dy.join(", ")}]`,
    expected: ({ x, dy }) => dy.map((own) => own * mean(x) + dot(dy, x) / x.length),
    received: ({ x, dy }) => mine.meanScaleBackward(dy, x),
    tolerance: 1e-12,
    next: "Compute both terms of the formula by hand for this x and dy, and compare them with the two terms of the code.",
  }),
];

/** A property that draws its inputs from `entries` and moves along a direction made from them. */
const propertyOn =
  (entries: fc.Arbitrary<[x: number, dy: number, d: number][]>, tolerance = 1e-5): Mine["expectRightGradient"] =>
  (rule, seed) => {
    const property = fc.property(entries, (all) => {
      const [x, dy, d] = [all.map((entry) => entry[0]), all.map((entry) => entry[1]), all.map((entry) => entry[2])];
      const loss = (t: number): number => dot(dy, rule.forward(x.map((value, i) => value + t * d[i]!)));
      const measured = centralDifference(loss, 0, 1e-4);
      return Math.abs(measured - dot(rule.backward(dy, x), d)) <= tolerance * (1 + Math.abs(measured));
    });
    fc.assert(property, { seed });
  };

const many = { minLength: 1, maxLength: 4 };
const quarter = fc.integer({ min: -8, max: 8 }).map((i) => i / 4);
const positive = fc.integer({ min: 1, max: 8 }).map((i) => i / 4);
const one = fc.constant(1);

export const wrong: readonly PlantedBug<Mine>[] = [
  {
    name: "a property that tests nothing",
    mine: { expectRightGradient: () => {} },
    says: "The property accepts every rule, also one with a flipped sign.",
  },
  {
    name: "only positive numbers",
    mine: { expectRightGradient: propertyOn(fc.array(fc.tuple(positive, quarter, quarter), many)) },
    says: "The property never draws a negative x.",
  },
  {
    name: "every dy is 1",
    mine: { expectRightGradient: propertyOn(fc.array(fc.tuple(quarter, one, quarter), many)) },
    says: "The property never draws a dy other than 1.",
  },
  {
    name: "only the direction of ones",
    mine: { expectRightGradient: propertyOn(fc.array(fc.tuple(quarter, quarter, one), many)) },
    says: "The property only sees the sum of the gradients, because every entry of its direction is 1.",
  },
  {
    name: "lists of one number",
    mine: {
      expectRightGradient: propertyOn(fc.array(fc.tuple(quarter, quarter, quarter), { minLength: 1, maxLength: 1 })),
    },
    says: "The property only tries lists of one number.",
  },
  {
    name: "a tolerance that is too tight",
    mine: { expectRightGradient: propertyOn(fc.array(fc.tuple(quarter, quarter, quarter), many), 1e-13) },
    says: "The tolerance is below the rounding error of the measured slope.",
  },
  {
    name: "a tolerance that is too loose",
    mine: { expectRightGradient: propertyOn(fc.array(fc.tuple(quarter, quarter, quarter), many), 0.6) },
    says: "The tolerance is so wide that a missing factor fits in.",
  },
  {
    name: "the mistake not repaired",
    mine: { meanScaleBackward: (dy, x) => dy.map((own) => own * mean(x) + dot(dy, x)) },
    says: "The shared term is not divided by the number of entries.",
  },
];
