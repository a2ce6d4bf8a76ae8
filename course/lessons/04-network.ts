/*md
# 4. The network

A Tiny Recursive Model has *one* network of two layers. With the paper's settings for Sudoku, it applies this network
21 times per supervision step. This lesson builds one of the layers. The parts are common to most language models
today: a norm, a gated pair of matrices, and an addition around them. The difference is that the output of this network
becomes its input again and again, so it must not change the size of its numbers. At the end you will measure what
happens without the norm.

After this lesson you can

- say what RMS normalisation keeps and what it throws away,
- write SwiGLU from a matrix product, a slice and a product,
- explain why the norm stands *after* the addition in a recursive model.

You need lessons 1 to 3. From here on you compute with `Variable`s, which are tensors on the library's tape: you write
the forward, and the gradients come by themselves.

## What goes in and out

A puzzle of $L$ cells is a table of $L$ rows with $D$ numbers each; a batch of $B$ puzzles has the shape $[B, L, D]$.
The network takes such a table and returns one of the same shape. Row $i$ of the result may depend on all rows: a
digit of a Sudoku depends on the whole board. So a layer **mixes twice**, over the cells and then over the features of
each cell:

| half of the layer | mixes along | how |
|---|---|---|
| first | the $L$ cells | a small network on the transposed table |
| second | the $D$ features | the same kind of network on the table |

(For mazes and ARC the first half is self-attention. The recursion is the same.)

## RMS normalisation

The root mean square of a list is its typical size. `rmsNorm` divides every row by it:

$$ \operatorname{rmsNorm}(x)_i = \frac{x_i}{\sqrt{\frac{1}{D} \sum_j x_j^2 + \varepsilon}} $$

The small $\varepsilon = 10^{-5}$ stands **under the root** and keeps a row of zeros from dividing by zero. The result
always has size 1. What remains is the *direction* of the row, and its length is lost: `rmsNorm(4 x)` equals
`rmsNorm(x)`. Remember this property. The check uses it, because it holds for all inputs and needs no second
implementation.

## Exercise 4.1

Write `rmsNorm` with the operations imported below. `mean(v, [-1], true)` is the mean over the last axis and keeps
that axis with length 1, so that the division broadcasts (lesson 1). `affine(v, 1, c)` adds the number `c`, and
`rsqrt(v)` is $1 / \sqrt v$.
*/
import {
  add,
  affine,
  constant,
  linear,
  mean,
  multiply,
  rsqrt,
  silu,
  slice,
  square,
  transpose,
  type Variable,
} from "trm-ts/autograd";
import { linearWeight } from "trm-ts/nn";
import { Random, scope, tensor } from "trm-ts/tensor";

/** Divides every row of the last axis by its root mean square: [.., D] -> [.., D]. */
export function rmsNorm(x: Variable, epsilon = 1e-5): Variable {
  // BEGIN SOLUTION hint="Read the formula from the inside: square, mean over the last axis with the axis kept, affine with epsilon, rsqrt, and multiply x with it."
  return multiply(x, rsqrt(affine(mean(square(x), [-1], true), 1, epsilon)));
  // END SOLUTION
}

/*md
## SwiGLU

The second part is a small network. Two matrices of the same size each turn a row of $D$ numbers into $I$ numbers: the
*gate* $g$ and the *up* part $u$. The gate decides how much of $u$ passes, and a third matrix leads back to $D$:

$$ \operatorname{swiglu}(x) = W_{\text{down}} \, \big( \operatorname{silu}(W_{\text{gate}} x) \odot W_{\text{up}} x \big), \qquad \operatorname{silu}(v) = v \, \sigma(v) $$

$\odot$ multiplies entry by entry. The library stores gate and up as **one** matrix of $2I$ rows, the gate first,
because one large product is faster than two small ones.

## Exercise 4.2

`linear(x, weight)` multiplies every row of `x` with a matrix of shape `[to, from]`. `slice(v, axis, start, end)`
takes a part of an axis, and `-1` is the last axis.
*/

/** The weights of a SwiGLU on rows of W numbers: gateUp [2I, W] (gate first), down [W, I]. */
export interface Weights {
  readonly gateUp: Variable;
  readonly down: Variable;
}

/** [.., W] -> [.., W] */
export function swiglu(x: Variable, { gateUp, down }: Weights): Variable {
  // BEGIN SOLUTION hint="const both = linear(x, gateUp); its last axis has length 2 I. Slice it into 0..I and I..2 I. Only the first half goes through silu."
  const both = linear(x, gateUp);
  const inner = both.shape.at(-1)! / 2;
  const gate = slice(both, -1, 0, inner);
  const up = slice(both, -1, inner, 2 * inner);
  return linear(multiply(silu(gate), up), down);
  // END SOLUTION
}

/*md
## Exercise 4.3: a layer

Both halves of a layer have the same form. The input is **added** to what was computed (the *residual*), and the sum
is normalised:

$$ h \leftarrow \operatorname{rmsNorm}(h + \operatorname{swiglu}(h)) $$

The first half does this on the transposed table `[B, D, L]`, so that a row holds the same feature of all cells, and
transposes back. `transpose` exchanges the last two axes.
*/

/** One layer: mixes over the cells with `cells` (rows of L), then over the features with `features` (rows of D). [B, L, D] -> [B, L, D] */
export function layer(h: Variable, cells: Weights, features: Weights): Variable {
  // BEGIN SOLUTION hint="let t = transpose(h); t = rmsNorm(add(t, swiglu(t, cells))); then transpose back and do the same with features."
  let t = transpose(h);
  t = rmsNorm(add(t, swiglu(t, cells)));
  h = transpose(t);
  return rmsNorm(add(h, swiglu(h, features)));
  // END SOLUTION
}

/*md
## Why the norm comes last

Many models normalise *before* each part and leave the sum alone ("pre-norm"). Their layers are applied once. Ours are
applied again and again, and a sum that grows a little in every round grows without limit. Below, the same random
weights are applied 40 times, once without any norm and once with yours. The number is the root mean square of the
table.
*/

export async function program(print: (line: string) => void): Promise<void> {
  const random = new Random(1);
  const weights: Weights = { gateUp: linearWeight(48, 16, random), down: linearWeight(16, 24, random) };
  const start = constant(
    tensor(
      Float32Array.from({ length: 16 }, () => random.normal()),
      { shape: [1, 16] },
    ),
  );
  const size = (x: Variable): Promise<number> => mean(square(x)).value.item().then(Math.sqrt);
  let [free, normed] = [start, rmsNorm(start)];
  for (let round = 1; round <= 40; round++) {
    free = scope(() => add(free, swiglu(free, weights)));
    normed = scope(() => rmsNorm(add(normed, swiglu(normed, weights))));
    if (![1, 5, 10, 40].includes(round)) continue;
    const without = await size(free);
    const magnitude = without < 1e38 ? `about 10^${Math.floor(Math.log10(without))}` : "beyond float32";
    print(`round ${round}: without norm ${magnitude}, with norm ${(await size(normed)).toFixed(2)}`);
  }
  /*md
  ```output
  round 1: without norm about 10^0, with norm 1.00
  round 5: without norm about 10^0, with norm 1.00
  round 10: without norm about 10^7, with norm 1.00
  round 40: without norm beyond float32, with norm 1.00
  ```

  With the norm last, every row that the network returns has size 1, and the recursion can run for any number of steps.

  ## What you have now

  Two of your layers, one after the other, are the network of TRM-MLP. From the next lesson on, the library's version
  runs in its place (`swigluBlock`, one fused kernel). You have just shown that it computes the same, and it is
  several times faster.

  **Question to think about.** `rmsNorm` throws away the length of every row. So $y$ and $z$ always have size 1. What
  does it mean to add noise of size $\sigma = 0.3$ to such a state? Lesson 10 does it.
  */
}

// BEGIN CHECK

import fc from "fast-check";
import {
  checkGradient,
  rmsNorm as libraryNorm,
  swiglu as librarySwiglu,
  relu,
  sigmoid,
  subtract,
  swigluBlock,
} from "trm-ts/autograd";

import { numbersOf, type PlantedBug, part, quarterArray, todoOf } from "../lesson.ts";

export const minutes = 50;

export const reference = { rmsNorm, swiglu, layer };

type Mine = typeof reference;

/** The numbers of a computed variable. Its tape and all other tensors of the computation are released. */
const computed = (compute: () => Variable): Promise<number[]> => numbersOf(scope(() => compute().value));

const variable = (values: readonly number[], shape: readonly number[]): Variable => constant(tensor(values, { shape }));

/** Two rows of three numbers, none of them all zero. */
const rows = quarterArray(6).filter((x) => x.slice(0, 3).some(Boolean) && x.slice(3).some(Boolean));

const showRows = (x: readonly number[]): string => `x = [[${x.slice(0, 3).join(", ")}], [${x.slice(3).join(", ")}]]`;

const byDefinition = (row: readonly number[]): number[] => {
  const meanSquare = row.reduce((sum, value) => sum + value * value, 0) / row.length;
  return row.map((value) => value / Math.sqrt(meanSquare + 1e-5));
};

/** Weights of a SwiGLU on rows of `width` numbers with two inner ones. */
const weightsFor = (width: number, limit = 2) =>
  fc.record({ gateUp: quarterArray(4 * width, limit), down: quarterArray(2 * width, limit) });

const weightsOf = ({ gateUp, down }: { gateUp: number[]; down: number[] }, width: number): Weights => ({
  gateUp: variable(gateUp, [4, width]),
  down: variable(down, [width, 2]),
});

const swigluInput = fc.record({ x: quarterArray(2, 2), weights: weightsFor(2) });

const layerInput = fc.record({ h: quarterArray(6, 2), cells: weightsFor(3, 1), features: weightsFor(2, 1) });

export const check = (mine: Mine) => [
  part({
    name: "rmsNorm divides every row by its root mean square",
    given: quarterArray(6),
    show: showRows,
    expected: (x) => [...byDefinition(x.slice(0, 3)), ...byDefinition(x.slice(3))],
    received: (x) => computed(() => mine.rmsNorm(variable(x, [2, 3]))),
    tolerance: 1e-5,
    next: "Compute the root mean square of the first row by hand: the sum of the squares, divided by 3, and the root of it.",
  }),
  part({
    name: "rmsNorm keeps only the direction: 4 x gives the same as x",
    given: rows,
    show: showRows,
    expected: (x) => computed(() => mine.rmsNorm(variable(x, [2, 3]))),
    received: (x) => {
      const larger = x.map((value) => 4 * value);
      return computed(() => mine.rmsNorm(variable(larger, [2, 3])));
    },
    tolerance: 1e-3,
    next: "If x is four times as large, the divisor must be four times as large too.",
  }),
  part({
    name: "the gradient of rmsNorm agrees with difference quotients",
    given: rows,
    show: showRows,
    runs: 20,
    expected: () => "agrees",
    received: (x) => {
      try {
        checkGradient("rmsNorm", (v) => mine.rmsNorm(v, 0.01), [{ shape: [2, 3], values: x }]);
        return "agrees";
      } catch (error) {
        if (todoOf(error)) throw error;
        return "differs";
      }
    },
    next: "The values are right and the gradient is not: some step is off the tape. Use only operations on variables, without detach() and without numbers read from .value.",
  }),
  part({
    name: "swiglu lets silu of the gate decide how much of up passes",
    given: swigluInput,
    show: ({ x, weights }) =>
      `x = [${x.join(", ")}]\ngateUp = [${weights.gateUp.join(", ")}]\ndown = [${weights.down.join(", ")}]`,
    expected: ({ x, weights }) => computed(() => librarySwiglu(variable(x, [1, 2]), weightsOf(weights, 2))),
    received: ({ x, weights }) => computed(() => mine.swiglu(variable(x, [1, 2]), weightsOf(weights, 2))),
    tolerance: 1e-5,
    next: "gateUp has the two rows of the gate first, then the two rows of up. Compute linear(x, gateUp) by hand: four numbers.",
  }),
  part({
    name: "a layer mixes over the cells, then over the features, each with residual and norm",
    given: layerInput,
    show: ({ h }) => `h = [${h.join(", ")}] as 3 cells with 2 features, and random weights`,
    expected: ({ h, cells, features }) =>
      computed(() => {
        const mixed = swigluBlock(variable(h, [1, 3, 2]), weightsOf(cells, 3), -2);
        return swigluBlock(mixed, weightsOf(features, 2));
      }),
    received: ({ h, cells, features }) =>
      computed(() => mine.layer(variable(h, [1, 3, 2]), weightsOf(cells, 3), weightsOf(features, 2))),
    tolerance: 1e-4,
    next: "Print h after each half. After a half, the rows along which it normalised have size 1 (first half: columns of the table).",
  }),
];

const halves = (x: Variable, { gateUp }: Weights): [gate: Variable, up: Variable] => {
  const both = linear(x, gateUp);
  const inner = both.shape.at(-1)! / 2;
  return [slice(both, -1, 0, inner), slice(both, -1, inner, 2 * inner)];
};

const twoHalves =
  (half: (h: Variable, weights: Weights) => Variable): Mine["layer"] =>
  (h, cells, features) =>
    half(transpose(half(transpose(h), cells)), features);

export const wrong: readonly PlantedBug<Mine>[] = [
  {
    name: "the sum in the place of the mean",
    mine: { rmsNorm: (x, e = 1e-5) => multiply(x, rsqrt(affine(mean(square(x), [-1], true), x.shape.at(-1)!, e))) },
    says: "The squares are summed, not averaged. Then the size of the result depends on the number of entries.",
  },
  {
    name: "the mean over everything",
    mine: { rmsNorm: (x, e = 1e-5) => multiply(x, rsqrt(affine(mean(square(x)), 1, e))) },
    says: "The mean goes over all rows together. Each row has its own size: average over the last axis only, and keep it.",
  },
  {
    name: "the root forgotten",
    mine: {
      rmsNorm: (x, e = 1e-5) => {
        const inverse = rsqrt(affine(mean(square(x), [-1], true), 1, e));
        return multiply(x, multiply(inverse, inverse));
      },
    },
    says: "The row is divided by its mean square, without the root.",
  },
  {
    name: "the mean subtracted",
    mine: { rmsNorm: (x, e = 1e-5) => libraryNorm(subtract(x, mean(x, [-1], true)), -1, e) },
    says: "The mean of the row is subtracted first. That is layer normalisation; the RMS norm keeps the mean.",
  },
  {
    name: "the size off the tape",
    mine: {
      rmsNorm: (x, e = 1e-5) => multiply(x, rsqrt(affine(mean(square(x), [-1], true), 1, e)).detach()),
    },
    says: "The divisor is treated as a constant. It depends on x too, so that the gradient has a second term.",
  },
  {
    name: "gate and up exchanged",
    mine: {
      swiglu: (x, weights) => {
        const [gate, up] = halves(x, weights);
        return linear(multiply(gate, silu(up)), weights.down);
      },
    },
    says: "silu is applied to the second half. The gate comes first in gateUp.",
  },
  {
    name: "the sigmoid in the place of silu",
    mine: {
      swiglu: (x, weights) => {
        const [gate, up] = halves(x, weights);
        return linear(multiply(sigmoid(gate), up), weights.down);
      },
    },
    says: "The gate goes through the sigmoid alone. silu(v) is v times the sigmoid of v.",
  },
  {
    name: "relu in the place of silu",
    mine: {
      swiglu: (x, weights) => {
        const [gate, up] = halves(x, weights);
        return linear(multiply(relu(gate), up), weights.down);
      },
    },
    says: "The gate goes through relu, which is 0 for all negative numbers. silu is smooth and slightly negative there.",
  },
  {
    name: "no residual",
    mine: { layer: twoHalves((h, weights) => libraryNorm(swiglu(h, weights))) },
    says: "The input of a half is not added to its result. Without the residual, every layer starts from nothing.",
  },
  {
    name: "the norm before the network",
    mine: { layer: twoHalves((h, weights) => add(h, swiglu(libraryNorm(h), weights))) },
    says: "This is pre-norm: the input of swiglu is normalised and the sum is not. Here the norm comes last, around the sum.",
  },
  {
    name: "the second mixing first",
    mine: { layer: (h, cells, features) => transpose(half(transpose(half(h, features)), cells)) },
    says: "The features are mixed before the cells. The layer mixes over the cells first.",
  },
];

const half = (h: Variable, weights: Weights): Variable => libraryNorm(add(h, swiglu(h, weights)));
