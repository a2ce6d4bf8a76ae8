// What an operation is: one literal with its equation, shape rule, forward, backward and test domain. The registry holds all
// of them; the tests loop over it, so a new operation is tested with no other edit.
import {
  type Backend,
  type DType,
  expectAlike,
  expectDType,
  expectOneBackend,
  type FusedKernels,
  isRecording,
  type Shape,
  ShapeError,
  sameShape,
  showShape,
  type Tensor,
  usesFusedOperations,
} from "../tensor/index.ts";
import type { Domain } from "./domain.ts";
import { GradientError } from "./errors.ts";
import { TapeNode } from "./tape.ts";
import { Variable } from "./variable.ts";

/** N values; `number` stands for any count. */
export type Tuple<T, N extends number> = number extends N
  ? readonly T[]
  : N extends 1
    ? readonly [T]
    : N extends 2
      ? readonly [T, T]
      : readonly [T, T, T];

export interface BackwardContext<N extends number, A> {
  /** The saved inputs (see `saves`). */
  readonly inputs: Tuple<Tensor, N>;
  /** The saved output (see `saves`). */
  readonly output: Tensor;
  /** What the forward rule returned as memory. */
  readonly memory: readonly Tensor[];
  readonly attributes: A;
  readonly shapes: Tuple<Shape, N>;
  /** Which inputs want a gradient; for the others the rule may return null. */
  readonly needs: Tuple<boolean, N>;
}

/** An output together with tensors for the backward rule alone. */
export interface WithMemory {
  readonly output: Tensor;
  readonly memory: readonly Tensor[];
}

/** N inputs, attributes A (numbers and flags that are not differentiated). */
export interface Operation<N extends number = number, A = unknown> {
  readonly name: string;
  /** The mathematics in one line: value and gradient. */
  readonly equation: string;
  /** From which inputs it is tested. */
  readonly domain: Domain<A>;
  /** The shape of the output. @throws ShapeError */
  shape(shapes: Tuple<Shape, N>, attributes: A): Shape;
  /** The value. `recording` says that the backward rule may run later. */
  forward(inputs: Tuple<Tensor, N>, attributes: A, recording: boolean): Tensor | WithMemory;
  /** The gradient of every input from the gradient of the output. */
  backward(dy: Tensor, context: BackwardContext<N, A>): Tuple<Tensor | null, N>;
  /** What the backward rule reads; by default all inputs and not the output. */
  readonly saves: { readonly inputs: "all" | readonly number[]; readonly output: boolean };
  /** Fused operations only: the same value composed of other operations. It is the specification. */
  definition?(inputs: Tuple<Variable, N>, attributes: A): Variable;
  /** Fused operations only: the kernel a backend must have, or the definition runs. */
  readonly kernel?: keyof FusedKernels;
  /** Fused operations only: inputs of an element type of their own, such as labels. All others have the type of the first. */
  readonly types?: Readonly<Record<number, DType>>;
}

/** Any operation, where only its form matters. */
export type AnyOperation = Operation;

type Literal<N extends number, A> = Omit<Operation<N, A>, "saves"> & {
  readonly saves?: Partial<Operation<N, A>["saves"]>;
};

/** Every operation by name: the one registry. */
const registry = new Map<string, AnyOperation>();

/** All registered operations, for tests and tools. */
export const allOperations = (): readonly AnyOperation[] => [...registry.values()];

/** The operation of a name. @throws GradientError if there is none */
export function operationNamed(name: string): AnyOperation {
  const operation = registry.get(name);
  if (!operation)
    throw new GradientError(`operation: got "${name}", expected one of ${[...registry.keys()].join(", ")}`);
  return operation;
}

/**
 * Registers an operation and returns the function that applies it: `(inputs, attributes) => Variable`.
 *
 * @throws GradientError if the name is taken, or the literal has no domain to test it on
 */
export function defineOperation<N extends number, A>(
  literal: Literal<N, A>,
): (inputs: Tuple<Variable, N>, attributes: A) => Variable {
  if (registry.has(literal.name)) throw new GradientError(`defineOperation: the name "${literal.name}" is taken`);
  if (typeof literal.domain !== "function") {
    throw new GradientError(`defineOperation: "${literal.name}" has no domain, expected one to test its gradient on`);
  }
  const operation: Operation<N, A> = { ...literal, saves: { inputs: "all", output: false, ...literal.saves } };
  registry.set(literal.name, operation as unknown as AnyOperation);
  return (inputs, attributes) => apply(operation, inputs, attributes);
}

/** Runs an operation on variables, and records it if a gradient may be asked for. */
export function apply<N extends number, A>(
  operation: Operation<N, A>,
  inputs: Tuple<Variable, N>,
  attributes: A,
): Variable {
  const variables: readonly Variable[] = inputs;
  const tensors = variables.map((variable) => variable.value);
  const shapes = tensors.map((tensor) => tensor.shape);
  const shape = operation.shape(shapes as unknown as Tuple<Shape, N>, attributes);
  if (operation.definition) {
    if (!runsFused(operation, tensors[0]!)) return operation.definition(inputs, attributes);
    expectOperands(operation, tensors);
  }
  const recording = isRecording() && variables.some((variable) => variable.requiresGradient);
  const result = operation.forward(tensors as unknown as Tuple<Tensor, N>, attributes, recording);
  const { output, memory } = "memory" in result ? result : { output: result, memory: [] };
  if (!sameShape(output.shape, shape)) {
    throw new ShapeError(
      `${operation.name}: forward gave ${showShape(output.shape)}, its shape rule says ${showShape(shape)}`,
    );
  }
  if (!recording) {
    for (const tensor of memory) tensor.dispose();
    return new Variable(output, null, false);
  }
  const origins = variables.map((variable) => variable.node ?? (variable.requiresGradient ? variable : null));
  const registered = operation as unknown as AnyOperation;
  return new Variable(
    output,
    new TapeNode(registered, attributes, origins, shapes, shape, tensors, output, memory),
    true,
  );
}

/** Whether a fused operation runs as such: allowed by the scope, and its kernel takes the first input on its backend. */
function runsFused({ kernel }: { kernel?: keyof FusedKernels }, { backend, dtype }: Tensor): boolean {
  if (!usesFusedOperations()) return false;
  return !kernel || (backend.fused[kernel] !== undefined && backend.fusedTypes.includes(dtype));
}

/** Kernels read memory as they are told to: what does not belong together is refused here, as the definition would. */
function expectOperands({ name, types = {} }: Pick<AnyOperation, "name" | "types">, tensors: readonly Tensor[]): void {
  const first = tensors[0]!;
  for (const [i, tensor] of tensors.entries()) {
    const type = types[i];
    if (type === undefined) expectAlike(name, first, tensor);
    else {
      expectOneBackend(name, first, tensor);
      expectDType(name, tensor, type);
    }
  }
}

/** A fused kernel that `runsFused` has found. */
export function fusedKernel<K extends keyof FusedKernels>(backend: Backend, kernel: K): FusedKernels[K] {
  return backend.fused[kernel]! as FusedKernels[K];
}
