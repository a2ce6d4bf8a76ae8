// Variable: a tensor that can be on the tape. Tensor and Variable are separate types, so that what is differentiated is visible.
import {
  type DType,
  expectDType,
  keep,
  type Nested,
  type Shape,
  scope,
  Tensor,
  tensor,
  tensorsHeld,
} from "../tensor/index.ts";
import { reachableNodes, type TapeNode } from "./tape.ts";

export class Variable {
  constructor(
    readonly value: Tensor,
    /** How the value was computed, if that was recorded. */
    readonly node: TapeNode | null,
    /** Whether a gradient with respect to this variable, or to something it was computed from, can be asked for. */
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

  /** A Variable that leaves a scope takes along what its tape has saved. */
  *[tensorsHeld](): Iterable<Tensor> {
    yield this.value;
    if (this.node) for (const node of reachableNodes([this.node])) yield* node.savedTensors();
  }
}

/**
 * Numbers that gradients are not asked for.
 *
 * @param dtype  float32 if left out; a tensor has its own
 * @throws DTypeError if a tensor is of another one
 */
export function constant(values: Tensor | Nested, dtype?: DType): Variable {
  return new Variable(asTensor("constant", values, dtype), null, false);
}

/** Numbers that gradients are asked for. They outlive every scope, until disposed. Otherwise as `constant`. */
export function parameter(values: Tensor | Nested, dtype?: DType): Variable {
  return new Variable(keep(asTensor("parameter", values, dtype)), null, true);
}

function asTensor(name: string, values: Tensor | Nested, dtype?: DType): Tensor {
  if (!(values instanceof Tensor)) return tensor(values, { dtype: dtype ?? "float32" });
  if (dtype) expectDType(name, values, dtype);
  return values;
}

/** Runs `body` in a scope of its own without recording: its operations leave no tape. */
export const noGrad = <T>(body: () => T): T => scope(body, { recording: false });
