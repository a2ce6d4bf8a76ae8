// Variable: a tensor that can be on the tape. Tensor and Variable are separate types, so that the types show what is differentiated.
import {
  ArgumentError,
  type DType,
  expectArray,
  expectDType,
  expectFunction,
  expectTypeName,
  keep,
  type Nested,
  type Shape,
  scope,
  showValue,
  Tensor,
  tensor,
  tensorsHeld,
} from "../tensor/index.ts";
import { reachableNodes, type TapeNode } from "./tape.ts";

/** A tensor that can be on the tape. */
export class Variable {
  constructor(
    readonly value: Tensor,
    /** The operation that computed the value, if it was recorded. */
    readonly node: TapeNode | null,
    /** Whether gradients can be computed with respect to this variable, or to a variable that it was computed from. */
    readonly requiresGradient: boolean,
  ) {}

  get shape(): Shape {
    return this.value.shape;
  }

  get dtype(): DType {
    return this.value.dtype;
  }

  /** The same numbers off the tape: gradients do not flow through the result. */
  detach(): Variable {
    return new Variable(this.value, null, false);
  }

  toString(): string {
    const origin = this.node ? `from ${this.node.rule.name}` : this.requiresGradient ? "parameter" : "constant";
    return `Variable (${origin}) of ${this.value}`;
  }

  /** What console.log prints in Node, Bun and Deno. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** A Variable that is returned from a scope keeps the tensors that its tape has saved, and the outputs if the tape keeps them. */
  *[tensorsHeld](): Iterable<Tensor> {
    yield this.value;
    if (!this.node) return;
    for (const node of reachableNodes([this.node])) {
      yield* node.savedTensors();
      if (node.kept) yield node.kept;
    }
  }
}

/**
 * A variable without a gradient.
 *
 * @param dtype  element type of the numbers, float32 by default; a tensor keeps its type
 * @throws DTypeError if `values` is a tensor of another element type than `dtype`
 */
export function constant(values: Tensor | Nested, dtype?: DType): Variable {
  return new Variable(asTensor("constant", values, dtype), null, false);
}

/** A variable that requires a gradient. It outlives every scope until it is disposed. Arguments as for `constant`. */
export function parameter(values: Tensor | Nested, dtype?: DType): Variable {
  return new Variable(keep(asTensor("parameter", values, dtype)), null, true);
}

/** @throws ArgumentError unless every input is a Variable */
export function expectVariables(name: string, inputs: readonly unknown[]): void {
  const wrong = inputs.findIndex((input) => !(input instanceof Variable));
  if (wrong < 0) return;
  throw new ArgumentError(
    `${name}: got ${showValue(inputs[wrong])} as operand ${wrong + 1}, expected a Variable (see parameter and constant)`,
  );
}

function asTensor(name: string, values: Tensor | Nested | Variable, dtype?: DType): Tensor {
  if (values instanceof Variable) {
    throw new ArgumentError(`${name}: got a Variable, expected numbers or a Tensor (see its value)`);
  }
  if (!(values instanceof Tensor)) {
    if (typeof values !== "number") expectArray(name, "the numbers", values);
    if (dtype !== undefined) expectTypeName(name, dtype);
    return tensor(values, { dtype: dtype ?? "float32" });
  }
  if (dtype) expectDType(name, values, dtype);
  return values;
}

/** Runs `body` in a new scope without recording: its operations leave no tape. */
export function noGrad<T>(body: () => T): T {
  expectFunction("noGrad", "the body", body);
  return scope(body, { recording: false });
}
