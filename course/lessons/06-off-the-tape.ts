/*md
# 6. T − 1 cycles off the tape

Backpropagation needs everything that was computed on the way. For forty-two layers in each of sixteen steps, this
takes a lot of memory. This lesson is about what TRM *does not* record, and why the gradient is still useful. You write
the second function of the paper and the hand-over between steps. Both are short; the difficulty is what happens to the
tape.

After this lesson you can

- count the entries of a tape and say which parameter they depend on,
- explain what the gradient of TRM is a gradient *of*,
- tell "off the tape" from "detached", and say where each belongs.

You need lesson 5, and from lesson 2: a tape entry keeps its inputs alive until backward has run.

## Deep recursion

A **deep recursion** makes $T$ latent recursions, here also called cycles. Only the last one is recorded:

$$
\begin{aligned}
&\text{repeat } T - 1 \text{ times, off the tape:} & (y, z) &\leftarrow \operatorname{latentRecursion}(x, y, z) \\
&\text{once, on the tape:} & (y, z) &\leftarrow \operatorname{latentRecursion}(x, y, z)
\end{aligned}
$$

```figure
cycles
```

The first $T - 1$ cycles improve the state and cost only computing time. Then the last cycle starts from an already
improved state, and learns to improve *that*.

What is its gradient? **Exactly the gradient of one latent recursion that starts from a frozen state.** Nothing is
approximated. The frozen state is simply a constant: "given where you are, how should the weights change so that one
more cycle does better?" Compare HRM, which records only the last call of each network and justifies this with a
theorem about fixed points. TRM records all $n + 1$ calls of a cycle and needs no theorem. In the paper's ablation
this is the largest single difference: 56.5% with the 1-step gradient against 87.4%.

## Two ways to leave the tape

- `noGrad(() => ...)` computes **without recording**. Nothing is kept. Use it for computation whose gradient you do
  not want.
- `v.detach()` takes a variable that *was* recorded and returns the same numbers **as a constant**. Use it for a
  result that is handed on.

If you record first and detach afterwards, the gradient is the same, but the memory for the tape has been used.

## Exercise 6.1

`deepRecursion` gets a function `recur` that makes one latent recursion, so that the same code runs every variant of
the model.
*/
import {
  add,
  affine,
  constant,
  gradients,
  multiply,
  noGrad,
  parameter,
  sum,
  tapeOf,
  type Variable,
} from "trm-ts/autograd";
import { latentRecursion, type Network, type State } from "./05-recursion.ts";

/** One latent recursion. */
export type Recursion = (x: Variable, state: State) => State;

/** T - 1 latent recursions off the tape, then one on it. */
export function deepRecursion(recur: Recursion, x: Variable, state: State, T: number): State {
  // BEGIN SOLUTION hint="A loop with T - 1 rounds that assigns noGrad(() => recur(x, state)) to state, and after it: return recur(x, state)."
  for (let i = 0; i < T - 1; i++) state = noGrad(() => recur(x, state));
  return recur(x, state);
  // END SOLUTION
}

/*md
## Exercise 6.2: the hand-over

After a supervision step the loss is computed, the weights are updated, and $y$ and $z$ go on to the next step: the
**carry**. They were computed on the tape. If they are handed on as they are, the tape of the next step is connected to the tape of this one, and so on: backward would run through all steps so far, with weights that have changed since. Write
`handOver`, which keeps the numbers and drops the history.
*/

/** The state for the next supervision step: the same numbers, off the tape. */
export function handOver(state: State): State {
  // BEGIN SOLUTION hint="detach() both variables and return a new state."
  return { y: state.y.detach(), z: state.z.detach() };
  // END SOLUTION
}

export async function program(print: (line: string) => void): Promise<void> {
  /*md
  ## Count

  A network of one multiplication makes the tape easy to count. An operation is recorded only if one of its inputs
  depends on a parameter. With $n = 2$, the first update of $z$ adds three constants, which is not recorded, and
  multiplies with the weight: 1 entry. The second update adds the new $z$ and multiplies: 2 entries. The update of $y$
  adds and multiplies: 2 more. A cycle has 5 entries.
  */
  const weight = parameter([0.5]);
  const net: Network = (...terms) =>
    multiply(
      terms.reduce((total, term) => add(total, term)),
      weight,
    );
  const recur: Recursion = (x, state) => latentRecursion(net, x, state, 2);
  const x = constant([1]);
  const zero: State = { y: constant([0]), z: constant([0]) };
  for (const T of [1, 2, 3]) {
    let recorded = zero;
    for (let cycle = 0; cycle < T; cycle++) recorded = recur(x, recorded);
    const [deep, all] = [deepRecursion(recur, x, zero, T), recorded].map(({ y }) => tapeOf(y).length);
    print(`T = ${T}: ${deep} entries, and ${all} if every cycle were recorded`);
  }
  /*md
  ```output
  T = 1: 5 entries, and 5 if every cycle were recorded
  T = 2: 5 entries, and 13 if every cycle were recorded
  T = 3: 5 entries, and 21 if every cycle were recorded
  ```

  (A second recorded cycle adds 8 entries, because now all of its sums depend on the weight.) Memory does not depend
  on $T$. The gradient does, because the last cycle starts from another state:
  */
  for (const T of [1, 2, 3]) {
    const [slope] = gradients(sum(deepRecursion(recur, x, zero, T).y), [weight]);
    print(`T = ${T}: dy/dweight = ${(await slope!.item()).toFixed(3)}`);
  }
  /*md
  ```output
  T = 1: dy/dweight = 1.750
  T = 2: dy/dweight = 3.344
  T = 3: dy/dweight = 4.855
  ```

  With the hand-over, a second supervision step has the same tape as the first:
  */
  const first = deepRecursion(recur, x, zero, 2);
  const [handed, hanging] = [handOver(first), first].map((state) => tapeOf(deepRecursion(recur, x, state, 1).y).length);
  print(`second step: ${handed} entries handed over, ${hanging} if the history is kept`);
  /*md
  ```output
  second step: 5 entries handed over, 13 if the history is kept
  ```
  */
}

/*md
## Compare with the library

```quote
src/trm/recursion.ts deepRecursion
```

In this project the hand-over is `Carry.advance` in `src/trm/carry.ts`. The paper writes both in one line,
`return (y.detach(), z.detach()), output_head(y), Q_head(y)`.

**Question to think about.** The first $T - 1$ cycles get no gradient at all. Why does the model nevertheless learn to
use them well? (What would happen in training if they made the state worse?) Does your argument say anything about
more cycles than the model was trained with?
*/
// BEGIN CHECK

import fc from "fast-check";
import { deepRecursion as libraryDeep, latentRecursion as libraryRecursion } from "trm-ts";
import { isRecording, scope } from "trm-ts/tensor";
import { latentNumbers, numbersOf, type PlantedBug, part, quarters, withWeight } from "../lesson.ts";

export const minutes = 50;

export const reference = { deepRecursion, handOver };

type Mine = typeof reference;

const cycles = fc.integer({ min: 1, max: 5 });

/** A network of one weight. It halves, roughly, and depends on its weight in every call. */
const networkOf =
  (weight: Variable): Network =>
  (...terms) =>
    multiply(
      terms.reduce((total, term) => add(total, term)),
      weight,
    );

const recursionOf =
  (weight: Variable, n = 2): Recursion =>
  (x, state) =>
    libraryRecursion(networkOf(weight), x, state, n);

/** Every cycle in a line: whether it was recorded. */
function cyclesOf(deep: Mine["deepRecursion"], T: number): string[] {
  const seen: string[] = [];
  const recur: Recursion = (_, state) => {
    seen.push(`cycle ${seen.length + 1} is ${isRecording() ? "on" : "off"} the tape`);
    if (seen.length > 50) throw new Error("more than 50 cycles");
    return { y: affine(state.y, 1), z: affine(state.z, 1) };
  };
  deep(recur, constant([1]), { y: constant([0]), z: constant([0]) }, T);
  return seen;
}

const start = fc.record({ x: quarters(2), y: quarters(2), z: quarters(2), T: cycles });

const stateOf = ({ y, z }: { y: number; z: number }): State => ({ y: constant([y]), z: constant([z]) });

/** The numbers of the state that a function of the weight computes, and the gradient of y with respect to the weight. */
async function resultOf(compute: (weight: Variable) => State): Promise<Record<string, unknown>> {
  const { slope, ...latents } = withWeight((weight) => {
    const { y, z } = compute(weight);
    return { y: y.value, z: z.value, slope: y.node ? gradients(sum(y), [weight])[0]! : null };
  });
  const gradient = slope ? (await numbersOf(slope))[0] : "none: y is not on the tape";
  return { ...(await latentNumbers(latents)), gradient };
}

export const check = (mine: Mine) => [
  part({
    name: "T - 1 cycles run off the tape, then one on it",
    given: cycles,
    show: (T) => `T = ${T}`,
    expected: (T) => scope(() => cyclesOf(libraryDeep, T)),
    received: (T) => scope(() => cyclesOf(mine.deepRecursion, T)),
    next: "Each line is one call of recur, in order. noGrad(() => recur(x, state)) is a call off the tape.",
  }),
  part({
    name: "the tape has as many entries as one cycle, whatever T is",
    given: cycles,
    show: (T) => `T = ${T}, n = 2, a network of one multiplication`,
    expected: () => 5,
    received: (T) =>
      withWeight((weight) => {
        const { y } = mine.deepRecursion(recursionOf(weight), constant([1]), stateOf({ y: 0, z: 0 }), T);
        return tapeOf(y).length;
      }),
    next: "One cycle with n = 2 has 5 entries here. More means that earlier cycles were recorded, 0 that the last one was not.",
  }),
  part({
    name: "the gradient is that of the last cycle from a frozen state",
    given: start,
    expected: ({ x, T, ...first }) =>
      resultOf((weight) => {
        let state = stateOf(first);
        for (let i = 1; i < T; i++) {
          const { y, z } = recursionOf(weight)(constant([x]), state);
          state = { y: y.detach(), z: z.detach() };
        }
        return recursionOf(weight)(constant([x]), state);
      }),
    received: ({ x, T, ...first }) =>
      resultOf((weight) => mine.deepRecursion(recursionOf(weight), constant([x]), stateOf(first), T)),
    tolerance: 1e-5,
    next: "y and z are the state after T cycles, and gradient is dy/dweight. If only the gradient differs, the wrong cycle is on the tape.",
  }),
  part({
    name: "handOver keeps the numbers",
    given: fc.record({ y: quarters(), z: quarters() }),
    expected: (numbers) => numbers,
    received: (numbers) =>
      latentNumbers(
        scope(() => {
          const { y, z } = mine.handOver(stateOf(numbers));
          return { y: y.value, z: z.value };
        }),
      ),
    next: "y stays y and z stays z.",
  }),
  part({
    name: "handOver takes y and z off the tape",
    given: fc.constant(2),
    show: (n) => `the state after one latent recursion with n = ${n}: entries of the tape behind y and behind z`,
    expected: () => ({ y: 0, z: 0 }),
    received: (n) =>
      withWeight((weight) => {
        const { y, z } = mine.handOver(recursionOf(weight, n)(constant([1]), stateOf({ y: 0, z: 0 })));
        return { y: tapeOf(y).length, z: tapeOf(z).length };
      }),
    runs: 1,
    next: "detach() returns the same numbers as a constant. Both latents need it.",
  }),
  part({
    name: "after handOver every supervision step has the same tape",
    given: fc.integer({ min: 2, max: 5 }),
    show: (steps) => `the tape after supervision steps 1 to ${steps}, with T = 1 and n = 2`,
    expected: (steps) => Array.from({ length: steps }, () => 5),
    received: (steps) =>
      withWeight((weight) => {
        const recur = recursionOf(weight);
        let state = stateOf({ y: 0, z: 0 });
        return Array.from({ length: steps }, () => {
          const next = recur(constant([1]), state);
          state = mine.handOver(next);
          return tapeOf(next.y).length;
        });
      }),
    next: "If the number grows from step to step, the state that is handed over is still on the tape. detach() takes a variable off it.",
  }),
];

/** T cycles of which those are recorded that `records` names, from 1. */
const cyclesWith =
  (count: (T: number) => number, records: (cycle: number, T: number) => boolean): Mine["deepRecursion"] =>
  (recur, x, state, T) => {
    for (let cycle = 1; cycle <= count(T); cycle++) {
      const before = state;
      state = records(cycle, T) ? recur(x, before) : noGrad(() => recur(x, before));
    }
    return state;
  };

export const wrong: readonly PlantedBug<Mine>[] = [
  {
    name: "every cycle on the tape",
    mine: {
      deepRecursion: cyclesWith(
        (T) => T,
        () => true,
      ),
    },
    says: "All cycles are recorded. Memory then grows with T, and the gradient flows through all of them.",
  },
  {
    name: "nothing on the tape",
    mine: {
      deepRecursion: cyclesWith(
        (T) => T,
        () => false,
      ),
    },
    says: "No cycle is recorded, not even the last. Nothing can be learned from a result that has no tape.",
  },
  {
    name: "T cycles off the tape and one more",
    mine: {
      deepRecursion: cyclesWith(
        (T) => T + 1,
        (cycle, T) => cycle > T,
      ),
    },
    says: "There are T + 1 cycles. The one on the tape is one of the T.",
  },
  {
    name: "the first cycle on the tape",
    mine: {
      deepRecursion: cyclesWith(
        (T) => T,
        (cycle) => cycle === 1,
      ),
    },
    says: "The first cycle is recorded in the place of the last. The loss is computed from the last one.",
  },
  {
    name: "recorded, then detached",
    mine: {
      deepRecursion: (recur, x, state, T) => {
        for (let i = 1; i < T; i++) {
          const { y, z } = recur(x, state);
          state = { y: y.detach(), z: z.detach() };
        }
        return recur(x, state);
      },
    },
    says: "The early cycles are recorded and detached afterwards. The gradient is right, but each of them has built a tape in vain; noGrad does not build it.",
  },
  {
    name: "always from the first state",
    mine: {
      deepRecursion: (recur, x, state, T) => {
        for (let i = 1; i < T; i++) noGrad(() => recur(x, state));
        return recur(x, state);
      },
    },
    says: "The result of the cycles off the tape is not used: the last cycle starts from the first state again.",
  },
  {
    name: "the carry undetached",
    mine: { handOver: (state) => ({ ...state }) },
    says: "The state is handed over with its history. The tape of every step then includes those of all steps before it.",
  },
  {
    name: "only y detached",
    mine: { handOver: ({ y, z }) => ({ y: y.detach(), z }) },
    says: "y is detached and z is not. z alone is enough to keep the history.",
  },
  {
    name: "y and z exchanged",
    mine: { handOver: ({ y, z }) => ({ y: z.detach(), z: y.detach() }) },
    says: "y and z have changed places.",
  },
];
