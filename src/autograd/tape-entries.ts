// The tape as plain data, for tools that list or draw it: the operations, and on request the value and the gradient of each.
import {
  ArgumentError,
  expectFunction,
  expectObject,
  type NumberArray,
  type Shape,
  scope,
  showValue,
  zeros,
} from "../tensor/index.ts";
import { gradients } from "./backward.ts";
import { GradientError } from "./errors.ts";
import { operationNamed } from "./operation.ts";
import { reachableNodes, TapeNode } from "./tape.ts";
import { expectVariables, Variable } from "./variable.ts";

/** One recorded operation. */
export interface TapeEntry {
  readonly index: number;
  readonly operation: string;
  /** The name that was given to the output; null without one. */
  readonly name: string | null;
  readonly shape: Shape;
  /** Numbers and flags that are not differentiated; undefined for an operation without any. */
  readonly attributes: unknown;
  /** Indices of the entries that the inputs came from; "leaf" for a variable that requires a gradient, null for a constant. */
  readonly inputs: readonly (number | "leaf" | null)[];
  /** The names that were given to the inputs, such as the path of a parameter. */
  readonly inputNames: readonly (string | null)[];
  readonly inputShapes: readonly Shape[];
}

/** Names for the listing of a tape. */
export interface TapeOptions {
  /** Names of variables: leaves (`model.namedParameters()`) and intermediate ones (`["z", z]`). */
  readonly names?: Iterable<readonly [name: string, variable: Variable]> | undefined;
}

/**
 * The operations that the variables were computed with. Every operation comes after those that its inputs came from.
 *
 * @param given  variables, and names for the listing as an optional last argument: `tapeOf(loss, { names })`
 */
export function tapeOf(...given: readonly Variable[] | readonly [...Variable[], TapeOptions]): TapeEntry[] {
  const last = given.at(-1);
  const options: TapeOptions = last === undefined || last instanceof Variable ? {} : last;
  expectObject("tapeOf", "the options", options);
  const { names = [] } = options;
  expectNames("tapeOf", names);
  const variables = (last instanceof Variable ? given : given.slice(0, -1)) as readonly Variable[];
  expectVariables("tapeOf", variables);
  const nodes = nodesOf(variables);
  const indexOf = new Map(nodes.map((node, index) => [node, index]));
  const nameOf = new Map<unknown, string>(Array.from(names, ([name, variable]) => [variable.node ?? variable, name]));
  return nodes.map((node, index) => ({
    index,
    operation: node.rule.name,
    name: nameOf.get(node) ?? null,
    shape: node.outputShape,
    attributes: node.attributes,
    inputs: node.origins.map((origin) => {
      if (origin instanceof TapeNode) return indexOf.get(origin)!;
      return origin && "leaf";
    }),
    inputNames: node.origins.map((origin) => nameOf.get(origin) ?? null),
    inputShapes: node.inputShapes,
  }));
}

const nodesOf = (variables: readonly Variable[]): TapeNode[] =>
  reachableNodes(variables.flatMap((variable) => variable.node ?? [])).reverse();

/** The numbers of a variable on a tape. */
export interface TapeNumbers {
  /** In row-major order. */
  readonly value: NumberArray;
  /** Gradient of the output with respect to the value, of the same shape. */
  readonly gradient: NumberArray;
}

/** A tape with the value and the gradient of every entry and leaf. */
export interface InspectedTape {
  /** Every operation comes after those that its inputs came from; the last one computes the output. */
  readonly entries: readonly (TapeEntry & TapeNumbers)[];
  /** The leaves: variables that require a gradient. */
  readonly leaves: readonly (TapeNumbers & { readonly name: string | null; readonly shape: Shape })[];
}

/**
 * Runs `body`, differentiates its scalar result, and lists the tape with the value and the gradient of every entry, as plain data.
 * All memory is released.
 *
 * @param body  returns the output and the names of variables that it created
 * @param options.fused  false to list the definitions of fused operations instead of the operations themselves
 * @throws GradientError if the result is no scalar, or depends on no variable that requires a gradient
 */
export async function inspectTape(
  body: () => { readonly output: Variable } & TapeOptions,
  options: { readonly fused?: boolean } = {},
): Promise<InspectedTape> {
  expectFunction("inspectTape", "the body", body);
  expectObject("inspectTape", "the options", options);
  const { fused = true } = options;
  const settings = { recording: true, keepOutputs: true, fused };
  const reads = scope(() => {
    const result = body();
    expectObject("inspectTape", "the result of the body", result, ["output"]);
    const { output, names = [] } = result;
    expectVariables("inspectTape", [output]);
    expectNames("inspectTape", names);
    const named = [...names];
    const nodes = nodesOf([output]);
    if (nodes.length === 0) throw new GradientError("inspectTape: got a constant, expected a result with a tape");
    const entries = tapeOf(output, { names: named });
    const leaves = new Set<Variable>();
    for (const { origins } of nodes) for (const origin of origins) if (origin instanceof Variable) leaves.add(origin);
    const computed = nodes.map((node) => {
      if (node.kept) return new Variable(node.kept, node, true);
      throw new GradientError(
        "inspectTape: got an operation from before the call, expected a body that records the whole tape",
      );
    });
    const all = [...computed, ...leaves];
    // Reads start before the scope ends, so that they see the tensors.
    const values = all.map(({ value }) => value.data());
    const slopes = gradients(output, all).map((gradient) => gradient.data());
    const nameOf = new Map(named.map(([name, variable]) => [variable, name]));
    const about = [...leaves].map((leaf) => ({ name: nameOf.get(leaf) ?? null, shape: leaf.shape }));
    return { entries, about, values, slopes };
  }, settings);
  const [values, slopes] = await Promise.all([Promise.all(reads.values), Promise.all(reads.slopes)]);
  const numbersAt = (i: number): TapeNumbers => ({ value: values[i]!, gradient: slopes[i]! });
  return {
    entries: reads.entries.map((entry, i) => ({ ...entry, ...numbersAt(i) })),
    leaves: reads.about.map((leaf, i) => ({ ...leaf, ...numbersAt(reads.entries.length + i) })),
  };
}

/**
 * The operations that a fused operation is composed of, on inputs of the shapes of the entry; the leaves are named "input 0",
 * "input 1", ... An operation among them that is fused itself is unfolded by another call. Empty for an operation that is not fused.
 */
export function definitionOf(entry: Pick<TapeEntry, "operation" | "attributes" | "inputShapes">): TapeEntry[] {
  expectObject("definitionOf", "the entry", entry, ["operation", "inputShapes"]);
  const { operation, attributes, inputShapes } = entry;
  const { definition, types = {} } = operationNamed(operation);
  if (!definition) return [];
  const body = (): TapeEntry[] => {
    const inputs = inputShapes.map((shape, i) => {
      const dtype = types[i] ?? "float32";
      return new Variable(zeros(shape, dtype), null, dtype !== "int32");
    });
    const names = inputs.map((input, i) => [`input ${i}`, input] as const);
    return tapeOf(definition(inputs, attributes), { names });
  };
  return scope(body, { recording: true });
}

/** @throws ArgumentError unless the names of a listing can be read one by one */
function expectNames(where: string, names: unknown): void {
  if (typeof names === "object" && names !== null && Symbol.iterator in names) return;
  throw new ArgumentError(`${where}: got ${showValue(names)} as names, expected pairs of a name and a Variable`);
}
