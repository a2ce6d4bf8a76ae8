/*md
# 2. A derivative, then a tape

A network learns by changing its numbers a little in the direction that lowers the loss. The direction is the
**gradient**: for every number, how fast the loss changes if this number changes. A model has thousands of numbers and
one loss. This lesson builds the method that finds all derivatives in one pass, *reverse-mode differentiation*, in
about forty lines. The library does the same on tensors.

After this lesson you can

- estimate a derivative with two evaluations, and say why the estimate is never exact,
- write down what a tape records and read a gradient off it by hand,
- explain why the order of the sweep matters, with the smallest graph on which a wrong order fails.

You need lesson 1 only for one question. From school you need two facts: the derivative is a slope, and the derivative
of $x^2$ is $2x$.

## A derivative from two evaluations

The slope of $f$ at $x$ is nearly the slope of a short line through two points beside it, the **central difference**:

$$ f'(x) \approx \frac{f(x + h) - f(x - h)}{2h} $$

A smaller $h$ makes the line shorter and the estimate better, until rounding spoils it: both values of $f$ agree in
more and more digits, and their difference keeps only the digits that are left. Look at the error for $f(x) = x^3$ at
$x = 1$, where the slope is 3:
*/

/** The slope of f at x, from two evaluations. */
export const centralDifference = (f: (x: number) => number, x: number, h = 1e-5): number =>
  (f(x + h) - f(x - h)) / (2 * h);

/** A number that remembers how it was computed. */
export interface Node {
  readonly value: number;
  /** The nodes that it was computed from; empty for an input. */
  readonly inputs: readonly Node[];
  /** The derivative of this value with respect to each input. */
  readonly slopes: readonly number[];
}

export const input = (value: number): Node => ({ value, inputs: [], slopes: [] });

export function program(print: (line: string) => void): void {
  for (const h of [1e-1, 1e-3, 1e-5, 1e-8, 1e-11]) {
    const error = Math.abs(centralDifference((x) => x ** 3, 1, h) - 3);
    print(`h = ${h.toExponential(0)}: error below ${(10 ** Math.ceil(Math.log10(error))).toExponential(0)}`);
  }
  /*md
  ```output
  h = 1e-1: error below 1e-1
  h = 1e-3: error below 1e-6
  h = 1e-5: error below 1e-10
  h = 1e-8: error below 1e-8
  h = 1e-11: error below 1e-6
  ```

  The best $h$ lies in between, and even there some digits are lost. The estimate is good enough to *check* a gradient
  (lesson 3 does so), but far too slow to *compute* one: a model with 22,000 numbers would need 44,000 evaluations for
  a single step.

  ## The chain rule on a tape

  Take $y = a \cdot b + a$. Every operation has slopes of its own, and they are simple:

  - The sum $s = p + q$ changes by as much as $p$ does, and by as much as $q$ does: both slopes are 1.
  - The product $m = p \cdot q$ changes by $q$ times as much as $p$ does, and by $p$ times as much as $q$ does: the
    slopes are $q$ and $p$.

  Record every operation with its inputs and its slopes while you compute. This record is the **tape**. Then go
  backwards. Begin with the output, whose derivative with respect to itself is 1. Each node passes on *its own
  gradient times the slope* to each of its inputs:

  $$ \bar{x} \mathrel{+}= \bar{n} \cdot \frac{\partial n}{\partial x} $$

  Here $\bar{n}$ is the derivative of the output with respect to node $n$. Note the `+=`. A node that is used in
  two places influences the output in two ways, and the two influences **add up**.
  */
  const [a, b] = [input(3), input(2)];
  const y = add(multiply(a, b), a); // 3 · 2 + 3
  const [byA, byB] = gradients(y, [a, b]);
  print(`y = ${y.value}, dy/da = ${byA}, dy/db = ${byB}`);
  /*md
  ```output
  y = 9, dy/da = 3, dy/db = 3
  ```

  By hand: $dy/da = b + 1 = 3$ and $dy/db = a = 3$.

  ## Order

  ```figure
  diamond
  ```

  In this graph, the *diamond*, $b$ and $c$ are both computed from $a$, and $d = b \cdot c$. The sweep may pass on the
  gradient of $a$ only after **both** $b$ and $c$ have passed on their shares. A sweep that follows one path to its end,
  `d → b → a`, and then the other, `d → c → a`, still comes out right here, because `a` only collects. Make the
  diamond one node longer, so that $a$ itself was computed from $x$: now the sweep visits $a$ too early, passes on an
  incomplete gradient, and has to visit it again. Either it passes the same amount on twice, or it never passes on the
  rest. Both are wrong, and the numbers look plausible.

  The cure is an order in which every node comes **after everything that was computed from it**. Collect the nodes so
  that inputs come before the nodes that use them (a depth-first walk that adds a node *after* its inputs does this),
  then go through that list from its end.
  */
}

/*md
## Exercises 2.1 and 2.2: two operations

Return a node with its value, its inputs and its slopes. There is nothing to differentiate yet; you only record.
*/

export function add(p: Node, q: Node): Node {
  // BEGIN SOLUTION hint="A node is an object: { value: ..., inputs: [p, q], slopes: [..., ...] }. How much does p + q change if p changes by a little?"
  return { value: p.value + q.value, inputs: [p, q], slopes: [1, 1] };
  // END SOLUTION
}

export function multiply(p: Node, q: Node): Node {
  // BEGIN SOLUTION hint="The slope with respect to p is the number that p is multiplied with."
  return { value: p.value * q.value, inputs: [p, q], slopes: [q.value, p.value] };
  // END SOLUTION
}

/*md
## Exercise 2.3: the sweep

`gradients` returns the derivative of `output` with respect to each of the `wanted` nodes. Two cases deserve a thought
before you type: a node that the output does not depend on, and `add(a, a)`, which has the same input twice.

Keep the gradients in a `Map` from node to number. Do not store them in the nodes: then two sweeps over the same tape
cannot disturb each other, and nothing has to be reset to zero.
*/

/** The derivatives of `output` with respect to each of `wanted`; 0 for a node that it does not depend on. */
export function gradients(output: Node, wanted: readonly Node[]): number[] {
  // BEGIN SOLUTION hint="First list all nodes, inputs before users, with a recursive function that skips nodes it has seen and pushes a node after its inputs. Then set the output's gradient to 1 and walk the list from its end; for every input add gradient times slope to what the map already holds."
  const order: Node[] = [];
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    node.inputs.forEach(visit);
    order.push(node);
  };
  visit(output);
  const gradientOf = new Map<Node, number>([[output, 1]]);
  for (const node of order.reverse()) {
    const gradient = gradientOf.get(node)!;
    node.inputs.forEach((input, i) => {
      gradientOf.set(input, (gradientOf.get(input) ?? 0) + gradient * node.slopes[i]!);
    });
  }
  return wanted.map((node) => gradientOf.get(node) ?? 0);
  // END SOLUTION
}

/*md
## What the library does differently

`src/autograd/tape.ts` and `src/autograd/backward.ts` are your forty lines on tensors. Three differences are worth a
look once the check passes:

1. **Depth instead of recursion.** Your walk calls itself once per node of a chain, and a chain of 20,000 additions
   overflows the stack. The library stores with every node its depth, one more than its deepest input, and sorts by
   it.
2. **Rules instead of slopes.** The slope of a matrix product is a four-dimensional array, which is never stored. The
   tape stores a rule that multiplies with it.
3. **Memory.** A tape keeps alive everything that its rules will read. In lesson 6 this decides how deep a recursion
   may be.

Here is the answer to the question of lesson 1: broadcasting uses one number in many places, so on the way back the
gradients of all places are **summed**. It is the `+=` again.

**Question to think about.** Your sweep visits every node once and does one multiplication per edge. How does its cost
compare with the cost of computing the output? Why is this astonishing if there are a million inputs?
*/
// BEGIN CHECK

import fc from "fast-check";
import { type PlantedBug, part, quarterArray } from "../lesson.ts";

export const minutes = 60;

export const reference = { add, multiply, gradients };

type Mine = typeof reference;

/** A step of a program: an operation on two earlier values. */
interface Step {
  readonly operation: "+" | "*";
  readonly p: number;
  readonly q: number;
}

/** A random program on two inputs a and b; every value, the inputs included, has a letter. */
interface Program {
  readonly at: readonly number[];
  readonly steps: readonly Step[];
}

const letters = "abcdefgh";

const programs: fc.Arbitrary<Program> = fc.record({
  at: quarterArray(2, 2),
  steps: fc
    .array(fc.record({ operation: fc.constantFrom("+" as const, "*" as const), p: fc.nat(7), q: fc.nat(7) }), {
      minLength: 1,
      maxLength: 5,
    })
    // An operand is one of the values that exist by then.
    .map((steps) => steps.map((step, i) => ({ ...step, p: step.p % (i + 2), q: step.q % (i + 2) }))),
});

const showProgram = ({ at, steps }: Program): string =>
  [
    `a = ${at[0]}, b = ${at[1]}`,
    ...steps.map(
      ({ operation, p, q }, i) => `${letters[i + 2]} = ${letters[p]} ${operation === "+" ? "+" : "·"} ${letters[q]}`,
    ),
    `gradient of ${letters[steps.length + 1]} with respect to a and b`,
  ].join("\n");

/** The program on plain numbers. */
function resultOf({ steps }: Program, at: readonly number[]): number {
  const values = [...at];
  for (const { operation, p, q } of steps) {
    values.push(operation === "+" ? values[p]! + values[q]! : values[p]! * values[q]!);
  }
  return values.at(-1)!;
}

/** The gradient on numbers that carry their derivatives forward, which needs no tape: a second method as a witness. */
function forwardGradient({ at, steps }: Program): number[] {
  return at.map((_, wanted) => {
    const values = at.map((value, i) => ({ value, slope: i === wanted ? 1 : 0 }));
    for (const { operation, p, q } of steps) {
      const [u, v] = [values[p]!, values[q]!];
      values.push(
        operation === "+"
          ? { value: u.value + v.value, slope: u.slope + v.slope }
          : { value: u.value * v.value, slope: u.slope * v.value + u.value * v.slope },
      );
    }
    return values.at(-1)!.slope;
  });
}

/** The program on nodes, with the operations of `mine`. */
function nodesOf({ at, steps }: Program, mine: Pick<Mine, "add" | "multiply">): Node[] {
  const nodes = at.map(input);
  for (const { operation, p, q } of steps) {
    nodes.push(operation === "+" ? mine.add(nodes[p]!, nodes[q]!) : mine.multiply(nodes[p]!, nodes[q]!));
  }
  return nodes;
}

/** A sweep that is given its nodes from the output on, in their order, and a way to collect a gradient. */
const sweep =
  (order: (output: Node) => Node[], collect: (before: number, more: number) => number): Mine["gradients"] =>
  (output, wanted) => {
    const gradientOf = new Map<Node, number>([[output, 1]]);
    for (const node of order(output)) {
      node.inputs.forEach((one, i) => {
        gradientOf.set(one, collect(gradientOf.get(one) ?? 0, gradientOf.get(node)! * node.slopes[i]!));
      });
    }
    return wanted.map((node) => gradientOf.get(node) ?? 0);
  };

const fromTheEnd = (output: Node): Node[] => {
  const order = new Set<Node>();
  const visit = (node: Node): void => {
    node.inputs.forEach(visit);
    order.add(node);
  };
  visit(output);
  return [...order].reverse();
};

/** Every node as soon as it is reached, once. */
const asReached = (output: Node): Node[] => {
  const order = new Set<Node>();
  const visit = (node: Node): void => {
    if (order.has(node)) return;
    order.add(node);
    node.inputs.forEach(visit);
  };
  visit(output);
  return [...order];
};

const single = fc.record({ operation: fc.constantFrom("add", "multiply"), at: quarterArray(2) });

export const check = (mine: Mine) => [
  part({
    name: "add and multiply record their value, their inputs and their slopes",
    given: single,
    show: ({ operation, at }) => `${operation} of p = ${at[0]} and q = ${at[1]}`,
    expected: ({ operation, at: [p, q] }) => ({
      value: operation === "add" ? p! + q! : p! * q!,
      inputs: [p, q],
      slopes: operation === "add" ? [1, 1] : [q, p],
    }),
    received: ({ operation, at }) => {
      const [p, q] = at.map(input);
      const { value, inputs, slopes } = operation === "add" ? mine.add(p!, q!) : mine.multiply(p!, q!);
      return { value, inputs: inputs.map((node) => node.value), slopes };
    },
    next: "Change p by a little and ask by how much the result changes; that factor is the first slope. Do the same for q.",
  }),
  part({
    name: "gradients agree with central differences",
    given: programs,
    show: showProgram,
    expected: (program) =>
      program.at.map((x, i) => centralDifference((value) => resultOf(program, program.at.with(i, value)), x)),
    received: (program) => {
      const nodes = nodesOf(program, reference);
      return mine.gradients(nodes.at(-1)!, nodes.slice(0, 2));
    },
    tolerance: 1e-5,
    runs: 200,
    next: "Draw the program as a graph and write the gradient of every node beside it, from the last one back. Where do two arrows meet?",
  }),
  part({
    name: "gradients are exact, also with your own operations",
    given: programs,
    show: showProgram,
    expected: forwardGradient,
    received: (program) => {
      const nodes = nodesOf(program, mine);
      mine.gradients(nodes.at(-1)!, nodes.slice(0, 2)); // a first sweep must not disturb the second one
      return mine.gradients(nodes.at(-1)!, nodes.slice(0, 2));
    },
    runs: 200,
    next: "All numbers here are quarters, so that no rounding occurs: a difference in any digit is a mistake.",
  }),
  part({
    name: "a node that the output does not depend on has gradient 0, and the output itself 1",
    given: fc.constant([1, 2]),
    show: () => "a = 1, b = 2, c = a + a; gradient of c with respect to b and c",
    expected: () => [0, 1],
    received: ([p, q]) => {
      const [a, b] = [input(p!), input(q!)];
      const c = reference.add(a, a);
      return mine.gradients(c, [b, c]);
    },
    runs: 1,
    next: "A node that the sweep never reaches is not in the map. Return 0 for it.",
  }),
];

export const wrong: readonly PlantedBug<Mine>[] = [
  {
    name: "a + a is overwritten",
    mine: { gradients: sweep(fromTheEnd, (_, more) => more) },
    says: "A gradient replaces the one that was there before. A node that is used twice, as in a + a, receives a share from each use, and the shares add up.",
  },
  {
    name: "the diamond in the wrong order",
    mine: { gradients: sweep(asReached, (before, more) => before + more) },
    says: "A node passes its gradient on before all nodes that use it have contributed. List inputs before their users, then walk that list from its end.",
  },
  {
    name: "the slopes of a product are exchanged",
    mine: { multiply: (p, q) => ({ value: p.value * q.value, inputs: [p, q], slopes: [p.value, q.value] }) },
    says: "The slope with respect to p is p itself. If p grows by 1, p · q grows by q.",
  },
  {
    name: "unreached nodes are undefined",
    mine: {
      gradients: (output, wanted) => {
        const found = fromTheEnd(output);
        const all = gradients(output, wanted);
        return wanted.map((node, i) => (found.includes(node) ? all[i]! : (undefined as unknown as number)));
      },
    },
    says: "A node that the output does not depend on has no number. Its gradient is 0: changing it changes nothing.",
  },
];
