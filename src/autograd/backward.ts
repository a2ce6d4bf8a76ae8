// Reverse-mode differentiation: one sweep over the tape, from the output back to the leaves.
import {
  add,
  assign,
  emptyLike,
  expectArray,
  expectTensors,
  full,
  sameShape,
  scope,
  showShape,
  showValue,
  Tensor,
  zeros,
} from "../tensor/index.ts";
import { GradientError } from "./errors.ts";
import { type Origin, reachableNodes, TapeNode } from "./tape.ts";
import { expectVariables, type Variable } from "./variable.ts";

/**
 * The gradients d output / d variable, each with the shape of its variable. The gradient of a variable that the output does not
 * depend on is zero. The results share no memory with each other or with the seed. The tape is consumed.
 *
 * @param seed  gradient of the loss with respect to the output; 1 by default if the output is a scalar
 * @throws GradientError if a variable is a constant, a non-scalar output has no seed, or the tape was used already
 */
export function gradients(output: Variable, variables: readonly Variable[], seed?: Tensor): Tensor[] {
  expectVariables("gradients", [output]);
  expectArray("gradients", "the variables", variables);
  expectVariables("gradients", variables);
  if (seed !== undefined) expectTensors("gradients", seed);
  variables.forEach(expectNotConstant);
  const wanted = new Set<Origin>(variables.map((variable) => variable.node ?? variable));
  return scope(() => {
    const gradientOf = new Map<Origin, Tensor>();
    const accumulate = (origin: Origin, gradient: Tensor): void => {
      const before = gradientOf.get(origin);
      if (!before) {
        gradientOf.set(origin, gradient);
        return;
      }
      gradientOf.set(origin, add(before, gradient));
      before.dispose();
      gradient.dispose();
    };
    accumulate(output.node ?? output, seed ? checkedSeed(output, seed) : unitSeed(output));
    for (const node of output.node ? reachableNodes([output.node]) : []) {
      const dy = gradientOf.get(node)!; // Deepest first: every consumer has already contributed its gradient.
      const inputGradients = node.runBackward(dy);
      node.origins.forEach((origin, i) => {
        if (!origin) return;
        const gradient = expectGradient(node, i, inputGradients[i]);
        // A second handle, because a rule may return one tensor for several inputs, or dy itself.
        if (origin instanceof TapeNode || wanted.has(origin)) accumulate(origin, gradient.view(gradient.shape));
      });
      for (const gradient of inputGradients) if (gradient !== dy) gradient?.dispose();
      if (!wanted.has(node)) {
        gradientOf.delete(node);
        dy.dispose();
      }
    }
    const taken = new Set(seed ? [seed.storage] : []);
    return variables.map((variable) => {
      const found = gradientOf.get(variable.node ?? variable);
      if (!found) return zeros(variable.shape, variable.dtype, variable.value.backend);
      const own = taken.has(found.storage) ? copyOf(found) : found;
      taken.add(own.storage);
      return own;
    });
  });
}

/** A tensor with memory that no other tensor shares: rules pass views of dy on, so that several gradients can share theirs. */
function copyOf(x: Tensor): Tensor {
  const copy = emptyLike(x);
  assign(copy, x);
  return copy;
}

function expectNotConstant(variable: Variable, index: number): void {
  if (variable.requiresGradient) return;
  throw new GradientError(
    `gradients: variable ${index} of shape ${showShape(variable.shape)} is a constant, expected a parameter or something computed from one`,
  );
}

function unitSeed(output: Variable): Tensor {
  if (output.value.size !== 1) {
    throw new GradientError(
      `gradients: got an output of shape ${showShape(output.shape)}, expected a scalar or a seed`,
    );
  }
  return full(output.shape, 1, output.dtype, output.value.backend);
}

function checkedSeed(output: Variable, seed: Tensor): Tensor {
  if (!sameShape(seed.shape, output.shape)) {
    throw new GradientError(
      `gradients: got a seed of shape ${showShape(seed.shape)}, expected ${showShape(output.shape)}`,
    );
  }
  const { backend } = output.value;
  if (seed.dtype !== output.dtype || seed.backend !== backend) {
    throw new GradientError(
      `gradients: got a ${seed.dtype} seed on ${seed.backend.name}, expected ${output.dtype} on ${backend.name}, as the output`,
    );
  }
  return seed.view(seed.shape);
}

function expectGradient(node: TapeNode, input: number, gradient: Tensor | null | undefined): Tensor {
  const { name } = node.rule;
  if (!gradient) throw new GradientError(`${name}: its backward rule gave no gradient for input ${input}`);
  if (!(gradient instanceof Tensor)) {
    throw new GradientError(
      `${name}: its backward rule gave ${showValue(gradient)} for input ${input}, expected a Tensor`,
    );
  }
  const expected = node.inputShapes[input]!;
  if (!sameShape(gradient.shape, expected)) {
    throw new GradientError(
      `${name}: its backward rule gave shape ${showShape(gradient.shape)} for input ${input}, expected ${showShape(expected)}`,
    );
  }
  const type = node.inputTypes[input]!;
  if (gradient.dtype !== type || gradient.backend !== node.backend) {
    const [given, wanted] = [gradient, { dtype: type, backend: node.backend }].map(
      ({ dtype, backend }) => `${dtype} on ${backend.name}`,
    );
    throw new GradientError(
      `${name}: its backward rule gave ${given} for input ${input}, expected ${wanted} (pass both, as in t.zeros(shape, dy.dtype, dy.backend))`,
    );
  }
  return gradient;
}
