/*md
# 1. Numbers with shapes

A recursive model is a small function that is applied to its own output. Before you write one, you need the material
it works on: **tensors**, which are arrays of numbers with a shape. This lesson builds the one rule that almost every
line of a neural network uses implicitly, *broadcasting*. It is also a frequent source of silent bugs.

After this lesson you can

- say what the shape, the rank and the flat index of a tensor are,
- compute the shape of `a + b` by hand, lengths 0 and 1 included,
- find the number that broadcasting reads, without copying anything.

You need TypeScript functions and loops. You need no mathematics beyond multiplication.

## A tensor is a flat list and a shape

Computer memory is linear. A tensor of shape `[2, 3]` has two rows of three numbers, but it is stored as six numbers
in a row: first row first. This order is called *row-major*. The shape says how to read this sequence.

```figure
broadcast
```

The number in row $r$ and column $c$ has the flat index $3r + c$. In general each axis has a **stride**, the distance
in the flat list between neighbours along this axis. The stride of the last axis is 1. Every other stride is the
stride of the next axis times its length:

$$ s_k = s_{k+1} \cdot d_{k+1}, \qquad \text{flat index} = \sum_k i_k \, s_k $$

The number of axes is the **rank**. A single number has rank 0 and shape `[]`, and it still has one element: the
product of no lengths is 1. A tensor with a length of 0 on any axis has no elements at all. This occurs in practice: a
batch can be empty.
*/
import { broadcastShapes, showShape, tensor } from "trm-ts/tensor";

export type Shape = readonly number[];

export async function program(print: (line: string) => void): Promise<void> {
  /*md
  In this project a tensor is made from nested arrays, and its numbers are read back with `data()`. Reading is
  asynchronous because the numbers may be on a GPU.
  */
  const t = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  print(`${showShape(t.shape)} holds ${(await t.data()).join(" ")}`);
  /*md
  ```output
  [2, 3] holds 1 2 3 4 5 6
  ```

  ## Broadcasting

  A network adds one bias to every row of a batch, or multiplies every row by its own factor. There is no need to copy
  the bias into every row first. For this purpose `a + b` is defined for some shapes that differ:

  1. Write both shapes so that their **last** axes stand below each other. Missing axes on the left count as 1.
  2. On every axis the two lengths must be equal, or one of them must be 1.
  3. Where one of them is 1, its single entry is used again and again. The result has the other length.

  Two examples and one refusal:

  | shapes | axes, aligned at the right | result |
  |---|---|---|
  | `[2, 3]` and `[3]` | `2 3` over `· 3` | `[2, 3]`: the row is repeated |
  | `[2, 1]` and `[3]` | `2 1` over `· 3` | `[2, 3]`: both are repeated |
  | `[2, 3]` and `[2]` | `2 3` over `· 2` | refused: 3 against 2 |

  The last row surprises people. `[2]` *could* mean one number per row, but the rule aligns at the right, so it would
  mean one number per column. To get one number per row you write `[2, 1]`. Refusing is better than guessing: with a
  wrong guess the network still trains, and the mistake goes unnoticed.

  What is the length if 0 meets 1? Rule 3 has no exception for 0. The single entry is repeated zero times, and the
  result is empty.
  */
  print(showShape(broadcastShapes("add", [2, 1], [3])));
  print(showShape(broadcastShapes("add", [0, 3], [1, 3])));
  /*md
  ```output
  [2, 3]
  [0, 3]
  ```
  */
}

/*md
## Exercise 1.1: the shape

Write `broadcastShape`. It returns the shape of the result, or throws an error if the shapes do not fit. Name both shapes in
the error, so that its reader sees at once which ones do not fit. Before you run the check, predict on paper what your code gives for `[]` and `[2]`, and for `[0]` and `[1]`.
*/

/** The shape of a + b. @throws Error if the shapes do not fit */
export function broadcastShape(a: Shape, b: Shape): number[] {
  // BEGIN SOLUTION hint="Count axes from the right: a[a.length - back] for back = 1, 2, ... A missing axis reads as undefined, and (undefined ?? 1) is 1."
  const rank = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let back = rank; back >= 1; back--) {
    const p = a[a.length - back] ?? 1;
    const q = b[b.length - back] ?? 1;
    if (p !== q && p !== 1 && q !== 1) throw new Error(`shapes [${a}] and [${b}] do not fit: ${p} against ${q}`);
    out.push(p === 1 ? q : p);
  }
  return out;
  // END SOLUTION
}

/*md
## Exercise 1.2: the index

A fast library never copies the repeated numbers. It computes *where to read*. For the element with flat index `index`
of the result, `sourceIndex` gives the flat index of the operand's element that is read there.

One method needs almost no thought about indices: give every axis of the operand a stride, but **stride 0 where it is
repeated**. Moving along a repeated axis then does not move in the operand. Take the position apart axis by axis, from
the last axis to the first: the remainder of dividing by the axis length is the index on this axis, and the quotient is
what is left for the axes before it.

For `shape = [2, 1]`, `out = [2, 3]` the six results read the elements 0 0 0 1 1 1. For `shape = [3]` they read 0 1 2
0 1 2.
*/

/** The flat index in an operand of shape `shape` that the element `index` of the result of shape `out` reads. `shape` fits `out`. */
export function sourceIndex(shape: Shape, out: Shape, index: number): number {
  // BEGIN SOLUTION hint="Walk over the axes of out from last to first. Keep three numbers: what is left of index, the stride of the operand so far, and the sum. Add i * stride only if the operand's length on this axis is not 1."
  let [left, stride, source] = [index, 1, 0];
  for (let axis = out.length - 1; axis >= 0; axis--) {
    const length = out[axis]!;
    const i = left % length;
    left = Math.floor(left / length);
    const own = shape[axis - (out.length - shape.length)] ?? 1;
    if (own !== 1) source += i * stride;
    stride *= own;
  }
  return source;
  // END SOLUTION
}

/*md
## What you have now

With these two functions the sum of two tensors is a loop of one line. `src/tensor/shape.ts` has the library's
versions, `broadcastShapes` and `broadcastStrides`. Compare them with yours after the check passes: the library
computes the strides once per operation, you compute them once per element. What does that cost for a tensor of a
million numbers?
*/

/** a + b in plain loops, on flat lists. It uses your two functions. */
export function addLists(a: readonly number[], shapeA: Shape, b: readonly number[], shapeB: Shape): number[] {
  const out = broadcastShape(shapeA, shapeB);
  const size = out.reduce((product, length) => product * length, 1);
  return Array.from({ length: size }, (_, i) => a[sourceIndex(shapeA, out, i)]! + b[sourceIndex(shapeB, out, i)]!);
}

/*md
The check compares your functions with the library on random shapes of up to three axes, with lengths from 0 to 3. If
it fails, it shrinks the example: it looks for the smallest shapes on which your result is still wrong. Read that
example first. It is usually so small that you can do it by hand.

**Question to think about.** Adding broadcast repeats numbers. If the loss depends on the sum, then one number of the
operand influences many results. What must happen to their derivatives on the way back? Lesson 2 answers this.
*/
// BEGIN CHECK

import fc from "fast-check";
import { broadcastTo, scope } from "trm-ts/tensor";
import { numbersOf, type PlantedBug, part, resultOrError } from "../lesson.ts";

export const minutes = 40;

export const reference = { broadcastShape, sourceIndex };

type Mine = typeof reference;

const lengths = fc.constantFrom<number[]>(2, 1, 3, 0);

/** A shape, and two that are repeated to fill it: their leading axes may be missing, and other axes may have length 1. */
const shapesFor = (length: fc.Arbitrary<number>) =>
  fc
    .record({
      axes: fc.array(fc.record({ length, isOneA: fc.boolean(), isOneB: fc.boolean() }), { maxLength: 3 }),
      missingA: fc.nat(3),
      missingB: fc.nat(3),
    })
    .map(({ axes, missingA, missingB }) => ({
      out: axes.map((axis) => axis.length),
      a: axes.slice(missingA).map((axis) => (axis.isOneA ? 1 : axis.length)),
      b: axes.slice(missingB).map((axis) => (axis.isOneB ? 1 : axis.length)),
    }));

const fitting = shapesFor(lengths).map(({ a, b }) => ({ a, b }));

const fits = ({ a, b }: { a: number[]; b: number[] }): boolean =>
  resultOrError(() => broadcastShapes("add", a, b)) !== "an error";

const shapes = fc.array(lengths, { maxLength: 3 });
const unfitting = fc.record({ a: shapes, b: shapes }).filter((pair) => !fits(pair));

const reading = shapesFor(fc.constantFrom<number[]>(2, 1, 3)).map(({ a, out }) => ({ shape: a, out }));

export const check = (mine: Mine) => [
  part({
    name: "broadcastShape gives the library's shape, for lengths 0 and 1 too",
    given: fitting,
    expected: ({ a, b }) => broadcastShapes("add", a, b),
    received: ({ a, b }) => mine.broadcastShape(a, b),
    runs: 300,
    next: "Write the two shapes of the counterexample below each other, last axes aligned, and apply the three rules axis by axis.",
  }),
  part({
    name: "broadcastShape refuses shapes that do not fit",
    given: unfitting,
    expected: () => "an error",
    received: ({ a, b }) => resultOrError(() => mine.broadcastShape(a, b)),
    next: "Two lengths that differ are allowed only if one of them is 1. Throw an error otherwise.",
  }),
  part({
    name: "sourceIndex reads the elements that broadcasting repeats",
    given: reading,
    expected: ({ shape, out }) => {
      const size = shape.reduce((product, length) => product * length, 1);
      const numbers = Array.from({ length: size }, (_, i) => i);
      return numbersOf(scope(() => broadcastTo(tensor(numbers, { shape }), out)));
    },
    received: ({ shape, out }) => {
      const size = out.reduce((product, length) => product * length, 1);
      return Array.from({ length: size }, (_, i) => mine.sourceIndex(shape, out, i));
    },
    runs: 300,
    next: "The lists hold the element that each result reads. Take the first index that differs apart into its indices per axis, then add index times stride, with stride 0 on repeated axes.",
  }),
];

export const wrong: readonly PlantedBug<Mine>[] = [
  {
    name: "aligned at the left",
    mine: {
      broadcastShape: (a, b) => {
        const rank = Math.max(a.length, b.length);
        const pad = (shape: Shape): number[] => [...shape, ...Array<number>(rank - shape.length).fill(1)];
        const [p, q] = [pad(a), pad(b)];
        return p.map((length, axis) => {
          if (length !== q[axis] && length !== 1 && q[axis] !== 1) throw new Error("do not fit");
          return length === 1 ? q[axis]! : length;
        });
      },
    },
    says: "The shapes are aligned at the left. Missing axes belong on the left, so that the last axes stand below each other.",
  },
  {
    name: "the longer length wins",
    mine: {
      broadcastShape: (a, b) => {
        const rank = Math.max(a.length, b.length);
        return Array.from({ length: rank }, (_, axis) => {
          const [p, q] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
          if (p !== q && p !== 1 && q !== 1) throw new Error("do not fit");
          return Math.max(p, q);
        });
      },
    },
    says: "The result takes the larger of the two lengths. That is right for all lengths but 0: repeated zero times, an entry is gone.",
  },
  {
    name: "nothing is refused",
    mine: {
      broadcastShape: (a, b) => {
        const rank = Math.max(a.length, b.length);
        return Array.from({ length: rank }, (_, axis) => {
          const [p, q] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
          return p === 1 ? q : p;
        });
      },
    },
    says: "The function gives a shape although two lengths differ and neither is 1. A sum over such shapes would read past the end.",
  },
  {
    name: "repeated as a whole",
    mine: {
      sourceIndex: (shape, _out, index) => index % shape.reduce((product, length) => product * length, 1),
    },
    says: "The operand is repeated as a whole, one copy after the other. This holds only if the repeated axes come first; [2, 1] repeats every entry three times instead.",
  },
  {
    name: "strides from the first axis",
    mine: {
      sourceIndex: (shape, out, index) => {
        const missing = out.length - shape.length;
        let left = index;
        const indices = out.map(() => 0);
        for (let axis = out.length - 1; axis >= 0; axis--) {
          indices[axis] = left % out[axis]!;
          left = Math.floor(left / out[axis]!);
        }
        let [stride, source] = [1, 0];
        shape.forEach((length, axis) => {
          if (length !== 1) source += indices[axis + missing]! * stride;
          stride *= length;
        });
        return source;
      },
    },
    says: "The strides grow from the first axis to the last, as in Fortran and MATLAB. Here the last axis has stride 1.",
  },
  {
    name: "a repeated axis moves",
    mine: {
      sourceIndex: (shape, out, index) => {
        let [left, stride, source] = [index, 1, 0];
        for (let axis = out.length - 1; axis >= 0; axis--) {
          source += (left % out[axis]!) * stride;
          left = Math.floor(left / out[axis]!);
          stride *= shape[axis - (out.length - shape.length)] ?? 1;
        }
        return source;
      },
    },
    says: "Moving along a repeated axis moves in the operand too. An axis of length 1, or one that is missing, needs stride 0.",
  },
];
