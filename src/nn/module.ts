// Module: an object whose parameters have names. A parameter is any property that holds a Variable with requiresGradient. Modules
// nest: as properties, in arrays, Maps and plain objects, and as properties of functions (a network is one): `net.blocks.0.mlp.gateUp`.
import { Variable } from "../autograd/index.ts";

/**
 * A part of a model. Its parameters are the Variables that require a gradient in its properties, also inside other modules, arrays, Maps
 * and plain objects. Properties with a # and objects of other classes are not searched.
 */
export abstract class Module {
  /** Every parameter with its path, in the order of declaration. A shared parameter is listed once, under its first path. */
  *namedParameters(prefix = ""): Iterable<[name: string, parameter: Variable]> {
    const seen = new Set<Variable>();
    for (const [key, value] of Object.entries(this)) {
      for (const [path, parameter] of parametersIn(`${prefix}${key}`, value)) {
        if (!seen.has(parameter)) yield [path, parameter];
        seen.add(parameter);
      }
    }
  }

  parameters(): Variable[] {
    return [...this.namedParameters()].map(([, parameter]) => parameter);
  }

  /** Total number of elements in all parameters. */
  parameterCount(): number {
    return this.parameters().reduce((total, parameter) => total + parameter.value.size, 0);
  }

  /** Releases the memory of all parameters. */
  dispose(): void {
    for (const parameter of this.parameters()) parameter.value.dispose();
  }
}

function* parametersIn(path: string, value: unknown): Iterable<[string, Variable]> {
  if (value instanceof Variable) {
    if (value.requiresGradient && !value.node) yield [path, value];
  } else if (value instanceof Module) yield* value.namedParameters(`${path}.`);
  else if (value instanceof Map) {
    for (const [key, item] of value) yield* parametersIn(`${path}.${String(key)}`, item);
  } else if (Array.isArray(value) || typeof value === "function" || isPlainObject(value)) {
    for (const [key, item] of Object.entries(value)) yield* parametersIn(`${path}.${key}`, item);
  }
}

const isPlainObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
