/*md
# 5. Recursion

Here is the idea of the Tiny Recursive Model. A large network is applied once and has many layers. A tiny
network is applied many times, with the same two layers, and **improves a state** with every application. The state has two parts. $y$
is the current answer; a small head reads the digits off it. $z$ is a scratchpad: nothing reads it but the network
itself.

After this lesson you can

- write the recursion of the paper from memory: it has two updates,
- say how one network does two jobs, and what tells it which,
- compute how deep the model effectively is.

You need lesson 4: a network from $[B, L, D]$ to the same shape, with outputs of size 1.

## Two updates

Let $x$ be the embedded question. It never changes during the recursion. One **latent recursion** updates $z$ several
times and then $y$ once:

$$
\begin{aligned}
&\text{repeat } n \text{ times:} & z &\leftarrow \operatorname{net}(x + y + z) \\
&\text{then once:} & y &\leftarrow \operatorname{net}(y + z)
\end{aligned}
$$

```figure
recursion
```

Read the first line as *reasoning*: given the question, my present answer and my notes, write better notes. Read the
second as *answering*: given my answer and my notes, write a better answer.

Both lines call **the same network with the same weights**. Only the input tells the network which of its two jobs it
has: if $x$ is in the sum, it must update $z$; if not, it must update $y$. HRM, the model that TRM
simplified, has two networks for this. The TRM paper reports that one network with two jobs does better on its
Sudokus: 87.4% against 82.4% with separate ones, at half the weights.

Three details carry the method, and the check is about them:

1. **Each update uses the newest values.** The second update of $z$ starts from the first one's result.
2. **$y$ rests while $z$ moves.** All $n$ updates see the same $y$.
3. **$x$ is absent from the update of $y$.** If it were there, both jobs would look alike to the network.

## How deep is that?

A supervision step makes $T$ latent recursions of $n + 1$ calls each, and the network has 2 layers:

$$ \text{effective depth} = T \cdot (n + 1) \cdot \text{layers} = 3 \cdot (6 + 1) \cdot 2 = 42 $$

with the paper's settings for Sudoku. A puzzle gets up to 16 supervision steps, one after another, and all of them use
the weights of the same two layers.

## Exercise 5.1

Write `latentRecursion`. `net(a, b, c)` adds its arguments and applies the network, so you pass $x$, $y$ and $z$ as
they are. Return a new state.
*/
import { add, affine, constant, type Variable } from "trm-ts/autograd";

/** A network over the sum of its arguments: net(x, y, z) stands for net(x + y + z). All [B, L, D]. */
export type Network = (...terms: Variable[]) => Variable;

export interface State {
  readonly y: Variable;
  readonly z: Variable;
}

/** n updates of z, then one of y. */
export function latentRecursion(net: Network, x: Variable, { y, z }: State, n: number): State {
  // BEGIN SOLUTION hint="A for loop with n rounds that overwrites z, then one line that overwrites y, then return { y, z }."
  for (let i = 0; i < n; i++) z = net(x, y, z); // reason: net(x + y + z)
  y = net(y, z); // answer: net(y + z), without x
  return { y, z };
  // END SOLUTION
}

export async function program(print: (line: string) => void): Promise<void> {
  /*md
  ## Watch it move

  To see the order of the updates, take a network that you can follow in your head: it halves the sum of its arguments.
  With $x = 8$ and a state of zeros:
  */
  const net: Network = (...terms) => {
    const half = affine(
      terms.reduce((sum, term) => add(sum, term)),
      0.5,
    );
    calls.push(half);
    return half;
  };
  const calls: Variable[] = [];
  let state: State = { y: constant([0]), z: constant([0]) };
  for (let recursion = 1; recursion <= 3; recursion++) {
    calls.length = 0;
    state = latentRecursion(net, constant([8]), state, 2);
    const numbers = await Promise.all(calls.map(({ value }) => value.item()));
    print(`recursion ${recursion}: z = ${numbers[0]}, z = ${numbers[1]}, y = ${numbers[2]}`);
  }
  /*md
  ```output
  recursion 1: z = 4, z = 6, y = 3
  recursion 2: z = 8.5, z = 9.75, y = 6.375
  recursion 3: z = 12.0625, z = 13.21875, y = 9.796875
  ```

  Follow the first line with a pencil: $z = \tfrac12 (8 + 0 + 0) = 4$, then $z = \tfrac12 (8 + 0 + 4) = 6$, then
  $y = \tfrac12 (0 + 6) = 3$.

  The numbers of this toy keep growing, because it has no norm (lesson 4). A trained network has one, and its state
  may come to rest at a **fixed point**, which the recursion no longer changes. Whether it does, and whether that is a
  good sign, is a question on which published papers disagree. Lesson 10 measures it.
  */
}

/*md
## Compare with the library

Open this after your check has passed. This is the source that the trainings of this project use, not a copy.

```quote
src/trm/recursion.ts latentRecursion
```

`src/trm/variants.ts` has the published alternatives one below the other: HRM's two networks, one state instead of two,
several $z$. Each is a few lines long, and you can now read all of them.

**Question to think about.** The paper calls $y$ the answer and $z$ the reasoning. No term of the loss requires $z$ to be
readable. If you apply the answer's head to $z$ anyway, what do you expect: noise, or digits? The explorer measures it
on a trained model. Make your guess first.
*/
// BEGIN CHECK

import fc from "fast-check";
import { latentRecursion as libraryRecursion } from "trm-ts";
import { multiply, tapeOf } from "trm-ts/autograd";
import { scope, type Tensor } from "trm-ts/tensor";
import { latentNumbers, type PlantedBug, part, quarters, withWeight } from "../lesson.ts";

export const minutes = 40;

export const reference = { latentRecursion };

type Mine = typeof reference;

/** The calls of the network, one a line, with the results named r1, r2, ... */
function callsOf(recursion: Mine["latentRecursion"], n: number): string[] {
  const names = new Map<Variable, string>();
  const named = (name: string): Variable => {
    const variable = constant([0]);
    names.set(variable, name);
    return variable;
  };
  const nameOf = (variable: Variable): string => names.get(variable) ?? "a variable of its own";
  // x before y before z before results: the order of the terms of a sum does not matter.
  const rank = (name: string): number => ["x", "y", "z"].indexOf(name) + (name.startsWith("r") ? 10 : 0);
  const calls: string[] = [];
  const net: Network = (...terms) => {
    const result = constant([0]);
    const sorted = terms.map(nameOf).sort((a, b) => rank(a) - rank(b));
    names.set(result, `r${calls.length + 1}`);
    calls.push(`r${calls.length + 1} = net(${sorted.join(", ")})`);
    if (calls.length > 100) throw new Error("more than 100 calls of the network");
    return result;
  };
  const [x, y, z] = [named("x"), named("y"), named("z")];
  const state = recursion(net, x, { y, z }, n);
  calls.push(`returns y = ${nameOf(state.y)}, z = ${nameOf(state.z)}`);
  return calls;
}

const counts = fc.integer({ min: 1, max: 5 });

/** A network of one weight per feature, which is on the tape. */
const weighted =
  (weight: Variable): Network =>
  (...terms) =>
    multiply(
      terms.reduce((sum, term) => add(sum, term)),
      weight,
    );

/** y and z after a recursion whose network halves the sum of its arguments. */
const halved = (
  recursion: Mine["latentRecursion"],
  { x, y, z, n }: { x: number; y: number; z: number; n: number },
): { y: Tensor; z: Tensor } =>
  scope(() => {
    const net = weighted(constant([0.5]));
    const state = recursion(net, constant([x]), { y: constant([y]), z: constant([z]) }, n);
    return { y: state.y.value, z: state.z.value };
  });

export const check = (mine: Mine) => [
  part({
    name: "the network is called with (x, y, z) n times, then with (y, z)",
    given: counts,
    show: (n) => `n = ${n}`,
    expected: (n) => scope(() => callsOf(libraryRecursion, n)),
    received: (n) => scope(() => callsOf(mine.latentRecursion, n)),
    next: "Read your calls line by line. r1 is the result of the first call; each later line must use the newest z.",
  }),
  part({
    name: "the numbers are those of the library",
    given: fc.record({ x: quarters(), y: quarters(), z: quarters(), n: counts }),
    expected: (numbers) => latentNumbers(halved(libraryRecursion, numbers)),
    received: (numbers) => latentNumbers(halved(mine.latentRecursion, numbers)),
    next: "The network here halves the sum of its arguments. Follow x, y and z through your lines with the numbers of the counterexample.",
  }),
  part({
    name: "all n + 1 calls are on the tape",
    given: counts,
    show: (n) => `n = ${n}; the tape holds one entry "multiply" per call of the network`,
    expected: (n) => n + 1,
    received: (n) =>
      withWeight((weight) => {
        const { y } = mine.latentRecursion(weighted(weight), constant([1]), { y: constant([1]), z: constant([1]) }, n);
        return tapeOf(y).filter(({ operation }) => operation === "multiply").length;
      }),
    next: "Gradients must flow through every update. Do not detach and do not use noGrad here: that is the subject of lesson 6.",
  }),
];

/** The solution with its three lines exchanged for others. */
const variant =
  (
    updateZ: (net: Network, x: Variable, state: State, first: State) => Variable,
    updateY: typeof updateZ,
    extra = 0,
  ): Mine["latentRecursion"] =>
  (net, x, state, n) => {
    let { y, z } = state;
    for (let i = 0; i < n + extra; i++) z = updateZ(net, x, { y, z }, state);
    y = updateY(net, x, { y, z }, state);
    return { y, z };
  };

export const wrong: readonly PlantedBug<Mine>[] = [
  {
    name: "x in the update of y",
    mine: {
      latentRecursion: variant(
        (net, x, { y, z }) => net(x, y, z),
        (net, x, { y, z }) => net(x, y, z),
      ),
    },
    says: "x is in the sum when y is updated. The network can no longer tell its two jobs apart.",
  },
  {
    name: "stale z",
    mine: {
      latentRecursion: variant(
        (net, x, { y }, first) => net(x, y, first.z),
        (net, _, { y, z }) => net(y, z),
      ),
    },
    says: "Every update of z starts from the first z. Each must start from the result of the one before.",
  },
  {
    name: "one update too many",
    mine: {
      latentRecursion: variant(
        (net, x, { y, z }) => net(x, y, z),
        (net, _, { y, z }) => net(y, z),
        1,
      ),
    },
    says: "z is updated n + 1 times. The call that updates y is the (n + 1)st.",
  },
  {
    name: "y from the old z",
    mine: {
      latentRecursion: variant(
        (net, x, { y, z }) => net(x, y, z),
        (net, _, { y }, first) => net(y, first.z),
      ),
    },
    says: "y is updated with the z from before the loop. Then the reasoning reaches the answer one recursion late.",
  },
  {
    name: "y moves in the loop",
    mine: {
      latentRecursion: (net, x, { y, z }, n) => {
        for (let i = 0; i < n; i++) {
          z = net(x, y, z);
          y = net(y, z);
        }
        return { y, z };
      },
    },
    says: "y is updated after every z. It rests until all n updates of z are done.",
  },
  {
    name: "z without y",
    mine: {
      latentRecursion: variant(
        (net, x, { z }) => net(x, z),
        (net, _, { y, z }) => net(y, z),
      ),
    },
    says: "y is missing when z is updated. The reasoning must see the present answer, or it cannot improve on it.",
  },
  {
    name: "z off the tape",
    mine: {
      latentRecursion: variant(
        (net, x, { y, z }) => net(x, y, z.detach()),
        (net, _, { y, z }) => net(y, z),
      ),
    },
    says: "z is detached between the updates: only the last update of z and the one of y learn. That is HRM's 1-step gradient, not TRM.",
  },
];
