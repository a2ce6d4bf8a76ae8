// An operation is one literal with its equation, shape rule, forward rule, backward rule and test domain. The registry holds
// all operations and the tests loop over it, so a new operation is tested without any further edit.
import {
  ArgumentError,
  type DType,
  expectAlike,
  expectDType,
  expectObject,
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
import type { Domain, InputDomain } from "./domain.ts";
import { GradientError } from "./errors.ts";
import { type BackwardRule, type Each, TapeNode } from "./tape.ts";
import { expectVariables, Variable } from "./variable.ts";

/** An output together with extra tensors that only the backward rule reads. */
export interface WithMemory {
  readonly output: Tensor;
  readonly memory: readonly Tensor[];
}

/** The inputs of an operation as a tuple type: [InputDomain, InputDomain?] stands for one or two inputs. */
type InputTuple = readonly (InputDomain | undefined)[];

/** `Inputs` counts the inputs; the attributes A are numbers and flags that are not differentiated. */
export interface Operation<Inputs extends InputTuple = readonly InputDomain[], A = unknown>
  extends BackwardRule<Inputs, A> {
  /** Value and gradient in one line of mathematics. */
  readonly equation: string;
  /** The inputs and attributes that the operation is tested on. */
  readonly domain: Domain<Inputs, A>;
  /** Largest magnitude of the extreme inputs that it is tested on, because larger ones overflow in float32. Default: no limit. */
  readonly maxMagnitude?: number;
  /** The shape of the output. @throws ShapeError if the inputs do not fit */
  shape(shapes: Each<Inputs, Shape>, attributes: A): Shape;
  /** The value. `recording` is true if the backward rule may run later. */
  forward(inputs: Each<Inputs, Tensor>, attributes: A, recording: boolean): Tensor | WithMemory;
  /** Fused operations only: the same value composed of other operations. It is the specification of the kernel. */
  definition?(inputs: Each<Inputs, Variable>, attributes: A): Variable;
  /** Fused operations only: the kernel. On a backend without it the definition runs. */
  readonly kernel?: keyof FusedKernels;
  /** Fused operations only: element types of inputs such as labels. All other inputs have the type of the first. */
  readonly types?: Readonly<Record<number, DType>>;
}

/** What `defineOperation` takes: an operation whose `saves` may be left out, in part or altogether. */
type Literal<Inputs extends InputTuple, A> = Omit<Operation<Inputs, A>, "saves"> & {
  readonly saves?: Partial<BackwardRule["saves"]>;
};

/** Applies an operation to variables: `square(x)`, `add(a, b)`; attributes come last. Carries the operation itself. */
export interface OperationFunction<Inputs extends InputTuple, A> {
  (
    ...given: A extends undefined ? Each<Inputs, Variable> : [...inputs: Each<Inputs, Variable>, attributes: A]
  ): Variable;
  readonly operation: Operation<Inputs, A>;
}

/** Every operation by name. */
const registry = new Map<string, Operation>();

/** All registered operations, for tests and tools. */
export const allOperations = (): readonly Operation[] => [...registry.values()];

/** The operation with the given name. @throws GradientError if there is none */
export function operationNamed(name: string): Operation {
  const operation = registry.get(name);
  if (!operation)
    throw new GradientError(`operationNamed: got "${name}", expected one of ${[...registry.keys()].join(", ")}`);
  return operation;
}

/**
 * Registers an operation and returns the function that applies it.
 *
 * The number of inputs and the type of the attributes are inferred from `domain`, which therefore comes before the rules.
 *
 * @throws GradientError if the name is taken, or the literal has no domain to test its gradient on
 */
export function defineOperation<const Inputs extends InputTuple, A = undefined>(
  literal: Literal<Inputs, A>,
): OperationFunction<Inputs, A> {
  expectObject("defineOperation", "the operation", literal, ["name", "equation", "shape", "forward", "backward"]);
  const { name } = literal;
  if (registry.has(name)) throw new GradientError(`defineOperation: the name "${name}" is taken`);
  if (typeof literal.domain !== "function") {
    throw new GradientError(`defineOperation: "${name}" has no domain, expected one to test its gradient on`);
  }
  const operation: Operation<Inputs, A> = { ...literal, saves: { inputs: "all", output: false, ...literal.saves } };
  registry.set(name, operation as unknown as Operation);
  let form: Form | undefined;
  const call = (...given: readonly unknown[]): Variable => {
    form ??= formOf(literal.domain as Domain<readonly InputDomain[], unknown>);
    const { least, most, hasAttributes, isIndex } = form;
    const count = Math.min(most, Math.max(least, given.at(-1) instanceof Variable ? given.length : given.length - 1));
    const inputs = Array.from({ length: count }, (_, i) => given[i]);
    expectVariables(name, inputs);
    const expected = count + Number(hasAttributes);
    if (given.length > expected) {
      throw new ArgumentError(`${name}: got ${given.length} arguments, expected ${expected}`);
    }
    const variables = (inputs as Variable[]).map((input, i) => (isIndex[i] ? input.detach() : input));
    return apply(operation, variables as unknown as Each<Inputs, Variable>, given[count] as A);
  };
  Object.defineProperty(call, "name", { value: name }); // the name that stack traces show
  return Object.assign(call, { operation });
}

/** What the samples of a domain show about the arguments of an operation. */
interface Form {
  /** Fewest and most inputs. */
  readonly least: number;
  readonly most: number;
  readonly hasAttributes: boolean;
  /** Which inputs are indices or conditions, which are not differentiated. */
  readonly isIndex: readonly boolean[];
}

function formOf(domain: Domain<readonly InputDomain[], unknown>): Form {
  // The extremes of every choice, and its middle. An operation whose samples differ in length takes any number of inputs.
  const samples = [0, 0.5, 1].map((part) =>
    domain({
      integer: (min, max) => Math.floor(min + part * (max - min)),
      oneOf: (choices) => choices[Math.floor(part * (choices.length - 1))]!,
    }),
  );
  const counts = samples.map(({ inputs }) => inputs.length);
  const least = Math.min(...counts);
  return {
    least,
    most: Math.max(...counts) === least ? least : Number.POSITIVE_INFINITY,
    hasAttributes: samples.some(({ attributes }) => attributes !== undefined),
    isIndex: samples[0]!.inputs.map(({ kind }) => kind === "index"),
  };
}

/** Runs an operation on variables, and records it if one of them requires a gradient. */
export function apply<Inputs extends InputTuple, A>(
  operation: Operation<Inputs, A>,
  inputs: Each<Inputs, Variable>,
  attributes: A,
): Variable {
  const variables: readonly Variable[] = inputs;
  expectVariables(operation.name, variables);
  const tensors = variables.map((variable) => variable.value);
  const shapes = tensors.map((tensor) => tensor.shape);
  const shape = operation.shape(shapes as unknown as Each<Inputs, Shape>, attributes);
  if (operation.definition) {
    expectOperands(operation, tensors);
    if (!runsFused(operation, tensors[0]!)) return operation.definition(inputs, attributes);
  }
  const recording = isRecording() && variables.some((variable) => variable.requiresGradient);
  const result = operation.forward(tensors as unknown as Each<Inputs, Tensor>, attributes, recording);
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
  const rule = operation as BackwardRule;
  return new Variable(output, new TapeNode({ rule, attributes, origins, inputs: tensors, output, memory }), true);
}

/** Whether the kernel of a fused operation runs: the scope allows it, and the backend has it for the type of the first input. */
function runsFused({ kernel }: { readonly kernel?: keyof FusedKernels }, { backend, dtype }: Tensor): boolean {
  if (!usesFusedOperations()) return false;
  return !kernel || (backend.fused[kernel] !== undefined && backend.fusedTypes.includes(dtype));
}

/** Fused kernels do not validate their operands, so element types and backends are checked here. */
function expectOperands({ name, types = {} }: Pick<Operation, "name" | "types">, tensors: readonly Tensor[]): void {
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
