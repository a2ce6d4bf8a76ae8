// The tape as plain data, for tools that list or draw it.
import type { Shape } from "../tensor/index.ts";
import { reachableNodes, TapeNode } from "./tape.ts";
import { expectVariables, type Variable } from "./variable.ts";

/** One recorded operation. */
export interface TapeEntry {
  readonly index: number;
  readonly operation: string;
  readonly shape: Shape;
  /** Indices of the entries that the inputs came from; "leaf" for a variable that requires a gradient, null for a constant. */
  readonly inputs: readonly (number | "leaf" | null)[];
  readonly inputShapes: readonly Shape[];
}

/** The operations that the variables were computed with, in the order in which they ran. */
export function tapeOf(...variables: readonly Variable[]): TapeEntry[] {
  expectVariables("tapeOf", variables);
  const nodes = reachableNodes(variables.flatMap((variable) => variable.node ?? [])).reverse();
  const indexOf = new Map(nodes.map((node, index) => [node, index]));
  return nodes.map((node, index) => ({
    index,
    operation: node.rule.name,
    shape: node.outputShape,
    inputs: node.origins.map((origin) => {
      if (origin instanceof TapeNode) return indexOf.get(origin)!;
      return origin && "leaf";
    }),
    inputShapes: node.inputShapes,
  }));
}
