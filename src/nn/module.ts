// Module: an object whose parameters have names. A parameter is any property that holds a Variable which wants a gradient;
// modules nest, alone or in arrays: `blocks.0.mlp.gateUp`.

import { Variable } from "../autograd/index.ts";
import { assign, ShapeError, sameShape, showShape } from "../tensor/index.ts";

export abstract class Module {
  /** Every parameter with its path, in the order of declaration. */
  *namedParameters(prefix = ""): Iterable<[name: string, parameter: Variable]> {
    for (const [key, value] of Object.entries(this)) yield* parametersIn(`${prefix}${key}`, value);
  }

  parameters(): Variable[] {
    return [...this.namedParameters()].map(([, parameter]) => parameter);
  }

  /** Number of trained numbers. */
  parameterCount(): number {
    return this.parameters().reduce((total, parameter) => total + parameter.value.size, 0);
  }

  /** Takes over the numbers of a module of the same form. @throws ShapeError naming the parameter that differs */
  async copyFrom(other: Module): Promise<void> {
    const sources = new Map(other.namedParameters());
    for (const [name, parameter] of this.namedParameters()) {
      const source = sources.get(name);
      if (!source || !sameShape(source.shape, parameter.shape)) {
        const got = source ? showShape(source.shape) : "nothing";
        throw new ShapeError(`copyFrom: got ${got} for ${name}, expected ${showShape(parameter.shape)}`);
      }
      assign(parameter.value, await source.value.data());
    }
  }

  /** Gives the memory of all parameters back. */
  dispose(): void {
    for (const parameter of this.parameters()) parameter.value.dispose();
  }
}

function* parametersIn(path: string, value: unknown): Iterable<[string, Variable]> {
  if (value instanceof Variable && value.requiresGradient && !value.node) yield [path, value];
  else if (value instanceof Module) yield* value.namedParameters(`${path}.`);
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* parametersIn(`${path}.${i}`, item);
}
