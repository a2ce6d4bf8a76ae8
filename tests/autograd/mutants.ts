// Mutants of backward rules: typical errors in a rule, and whether the gradient check catches them.
import { apply, checkGradient, GradientError, type Operation } from "../../src/autograd/index.ts";
import { affine, sameShape, type Tensor } from "../../src/tensor/index.ts";
import type { OperationExample } from "../../src/testing.ts";
import { isDifferentiable } from "./examples.ts";

/** Examples per operation. mutants.full.test.ts shows with other seeds that these suffice. */
export const EXAMPLES = 30;

/** Mutants that equal the original, because the swapped gradients hold the same numbers. */
export const equalMutants: Readonly<Record<string, string>> = {
  "add: gradients 0 and 1 swapped": "both are dy",
  "rmsNorm: gradients 0 and 1 swapped": "only h + r enters, so both have the gradient of the sum",
};

type Gradients = readonly (Tensor | null)[];

export interface Mutant {
  readonly name: string;
  readonly operation: Operation;
  /** Whether the example can reveal the mutant: the affected inputs exist, and swapped inputs have the same shape. */
  appliesTo(example: OperationExample): boolean;
}

export const scalings = { zero: 0, negated: -1, "times 2": 2, "times 1.01": 1.01 };

export const mutantOf = (
  original: Operation,
  what: string,
  mutate: (gradients: Gradients) => Gradients,
  appliesTo: Mutant["appliesTo"],
): Mutant => ({
  name: `${original.name}: ${what}`,
  operation: { ...original, backward: (dy, context) => mutate(original.backward(dy, context)) },
  appliesTo,
});

/** All mutants that at least one of the examples can reveal. */
export function mutantsOf(operation: Operation, examples: readonly OperationExample[]): Mutant[] {
  const mayHave = (example: OperationExample, i: number): boolean =>
    i < example.inputs.length && isDifferentiable(example.inputs[i]!);
  const most = Math.max(...examples.map(({ inputs }) => inputs.length));
  const positions = [...Array(most).keys()].filter((i) => examples.some((example) => mayHave(example, i)));
  const scaled = positions.flatMap((i) =>
    Object.entries(scalings).map(([what, factor]) =>
      mutantOf(
        operation,
        `gradient ${i} ${what}`,
        (gradients) => gradients.map((own, at) => (at === i && own ? affine(own, factor) : own)),
        (example) => mayHave(example, i),
      ),
    ),
  );
  const swapped = positions.flatMap((i) =>
    positions
      .filter((j) => j > i)
      .map((j) =>
        mutantOf(
          operation,
          `gradients ${i} and ${j} swapped`,
          (gradients) => gradients.map((own, at) => gradients[at === i ? j : at === j ? i : at] ?? own),
          (example) =>
            mayHave(example, i) && mayHave(example, j) && sameShape(example.inputs[i]!.shape, example.inputs[j]!.shape),
        ),
      ),
  );
  return [...scaled, ...swapped].filter((mutant) => examples.some((example) => mutant.appliesTo(example)));
}

export function isCaught(
  { operation, appliesTo }: Mutant,
  examples: readonly OperationExample[],
  tolerance = 1e-6,
): boolean {
  return examples.filter(appliesTo).some(({ inputs, attributes }) => {
    try {
      checkGradient(operation.name, (...variables) => apply(operation, variables, attributes), inputs, { tolerance });
      return false;
    } catch (error) {
      if (error instanceof GradientError) return true;
      throw error;
    }
  });
}

/** Names of the mutants that the check passes on every example. */
export const survivors = (operation: Operation, examples: readonly OperationExample[], tolerance?: number): string[] =>
  mutantsOf(operation, examples)
    .filter((mutant) => !isCaught(mutant, examples, tolerance))
    .map((mutant) => mutant.name);

/** The mutants of an operation that are listed as equal to the original. */
export const listedAsEqual = (operation: Operation): string[] =>
  Object.keys(equalMutants).filter((name) => name.startsWith(`${operation.name}:`));
