// Module: an object whose parameters have names. A parameter is any property that holds a Variable with requiresGradient. Modules
// nest: as properties, in arrays, Maps and plain objects, and as properties of functions (a network is one): `net.blocks.0.mlp.gateUp`.
import { Variable } from "../autograd/index.ts";

/**
 * A part of a model. Its parameters are the Variables that require a gradient in its properties, also inside other modules, arrays, Maps
 * and plain objects. Properties with a # and objects of other classes are not searched. A module that only refers to another model must
 * keep it in a property with a #; in any other property, the parameters of that model are its own.
 */
export abstract class Module {
  /**
   * Every parameter with its path, in the order of declaration. A shared parameter is listed once, under its first path.
   * @throws Error if two parameters have the same path, as with the keys 1 and "1" of a Map
   */
  *namedParameters(prefix = ""): Iterable<[name: string, parameter: Variable]> {
    const listed = new Set<Variable | string>(); // parameters and their paths
    for (const [path, parameter] of parametersIn(prefix, this, new Set([this]))) {
      if (listed.has(parameter)) continue;
      if (listed.has(path)) throw new Error(`Module: two parameters have the path ${path}`);
      listed.add(parameter).add(path);
      yield [path, parameter];
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

/** @param seen  what contains parameters and has been searched already: a part may refer back to the whole */
function* parametersIn(prefix: string, value: object, seen: Set<unknown>): Iterable<[string, Variable]> {
  const entries = value instanceof Map ? value : Object.entries(value);
  for (const [key, item] of entries) {
    if (seen.has(item)) continue;
    const path = `${prefix}${String(key)}`;
    if (item instanceof Variable) {
      if (item.requiresGradient && !item.node) yield [path, item];
    } else if (isSearched(item)) {
      seen.add(item);
      if (item instanceof Module && item.namedParameters !== Module.prototype.namedParameters) {
        yield* item.namedParameters(`${path}.`);
      } else yield* parametersIn(`${path}.`, item, seen);
    }
  }
}

const isSearched = (value: unknown): value is object =>
  value instanceof Module ||
  value instanceof Map ||
  Array.isArray(value) ||
  typeof value === "function" ||
  isPlainObject(value);

const isPlainObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
