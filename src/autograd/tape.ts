// The tape: one node per recorded operation, linked to the nodes its inputs came from. There is no recursion anywhere, so a
// chain of 200,000 operations is as safe as one of two.
import type { Shape, Tensor } from "../tensor/index.ts";
import { GradientError } from "./errors.ts";
import type { AnyOperation } from "./operation.ts";
import type { Variable } from "./variable.ts";

/** Where an input came from: an operation on the tape, a leaf that wants a gradient, or neither. */
export type Origin = TapeNode | Variable | null;

interface Saved {
  readonly tensor: Tensor;
  readonly version: number;
}

export class TapeNode {
  /** One more than the deepest origin: sorting by it is a topological order. */
  readonly depth: number;
  private consumed = false;
  private readonly inputs: readonly (Saved | null)[];
  private readonly output: Saved | null;

  constructor(
    readonly operation: AnyOperation,
    readonly attributes: unknown,
    readonly origins: readonly Origin[],
    readonly inputShapes: readonly Shape[],
    readonly outputShape: Shape,
    inputs: readonly Tensor[],
    output: Tensor,
    /** What the forward rule computed for the backward rule alone. */
    private readonly memory: readonly Tensor[],
  ) {
    this.depth = 1 + Math.max(0, ...origins.map((origin) => (origin instanceof TapeNode ? origin.depth : 0)));
    const { saves } = operation;
    this.inputs = inputs.map((tensor, i) => (saves.inputs === "all" || saves.inputs.includes(i) ? save(tensor) : null));
    this.output = saves.output ? save(output) : null;
  }

  /** The tensors this node keeps alive until backward has run. */
  *savedTensors(): Iterable<Tensor> {
    if (this.consumed) return;
    for (const saved of this.inputs) if (saved) yield saved.tensor;
    if (this.output) yield this.output.tensor;
    yield* this.memory;
  }

  /** dy -> the gradient of every input, and gives the saved tensors back. */
  runBackward(dy: Tensor): readonly (Tensor | null)[] {
    if (this.consumed) {
      throw new GradientError(
        `${this.operation.name}: its tape was used already, expected one backward pass per forward pass`,
      );
    }
    const { operation, inputs, output } = this;
    const gradients = operation.backward(dy, {
      inputs: inputs.map((saved) => (saved ? current(saved, operation.name) : null)) as Tensor[],
      output: (output ? current(output, operation.name) : null) as Tensor,
      memory: this.memory,
      attributes: this.attributes,
      shapes: this.inputShapes,
      needs: this.origins.map((origin) => origin !== null),
    });
    this.release();
    return gradients;
  }

  release(): void {
    for (const tensor of this.savedTensors()) tensor.dispose();
    this.consumed = true;
  }
}

/** A handle of the tape's own, so that it does not matter when others let go of theirs. */
function save(tensor: Tensor): Saved {
  return { tensor: tensor.view(tensor.shape), version: tensor.storage.version };
}

function current(saved: Saved, operation: string): Tensor {
  const { version } = saved.tensor.storage;
  if (version !== saved.version) {
    throw new GradientError(
      `${operation}: an input was changed in place after it was used (version ${version}, expected ${saved.version})`,
    );
  }
  return saved.tensor;
}

/** All nodes that the given ones were computed from, themselves included, deepest first. */
export function reachableNodes(roots: readonly TapeNode[]): TapeNode[] {
  const found = new Set(roots);
  // A Set is iterated in insertion order and sees what is added meanwhile: this loop is the whole graph walk.
  for (const node of found) {
    for (const origin of node.origins) if (origin instanceof TapeNode) found.add(origin);
  }
  return [...found].sort((a, b) => b.depth - a.depth);
}

/** One operation of a tape as plain data, for tools that list or draw it. */
export interface TapeEntry {
  readonly index: number;
  readonly operation: string;
  readonly shape: Shape;
  /** Indices of the entries its inputs came from; "leaf" for a variable that wants a gradient, null for a constant. */
  readonly inputs: readonly (number | "leaf" | null)[];
  readonly inputShapes: readonly Shape[];
}

/** The tape behind variables, in the order in which it was computed, as plain data. */
export function tapeOf(...variables: readonly Variable[]): TapeEntry[] {
  const nodes = reachableNodes(variables.flatMap((variable) => variable.node ?? [])).reverse();
  const indexOf = new Map(nodes.map((node, index) => [node, index]));
  return nodes.map((node, index) => ({
    index,
    operation: node.operation.name,
    shape: node.outputShape,
    inputs: node.origins.map((origin) =>
      origin === null ? null : origin instanceof TapeNode ? indexOf.get(origin)! : ("leaf" as const),
    ),
    inputShapes: node.inputShapes,
  }));
}
