// The tape: one node per recorded operation, linked to the nodes that its inputs came from. Nothing here is recursive, so a
// chain of 200,000 operations needs no deeper stack than a chain of two.
import { type Backend, type DType, keepsOutputs, type Shape, type Tensor } from "../tensor/index.ts";
import { GradientError } from "./errors.ts";

/** A T for every input of an operation. */
export type Each<Inputs extends readonly unknown[], T> = { readonly [K in keyof Inputs]: T };

/** What a backward rule reads besides dy, the gradient of the output. */
export interface BackwardContext<Inputs extends readonly unknown[], A> {
  /** The inputs that the operation saves (see `saves`). */
  readonly inputs: Each<Inputs, Tensor>;
  /** The output, if the operation saves it (see `saves`). */
  readonly output: Tensor;
  /** The extra tensors that the forward rule returned. */
  readonly memory: readonly Tensor[];
  readonly attributes: A;
  /** Shapes of the inputs. */
  readonly shapes: Each<Inputs, Shape>;
  /** Which inputs need a gradient; for the others the rule may return null. */
  readonly needs: Each<Inputs, boolean>;
}

/** The part of an operation that the tape runs. */
export interface BackwardRule<Inputs extends readonly unknown[] = readonly unknown[], A = unknown> {
  readonly name: string;
  /** The tensors that the backward rule reads. Default: all inputs, but not the output. */
  readonly saves: { readonly inputs: "all" | readonly number[]; readonly output: boolean };
  /** The gradient of every input, computed from the gradient of the output. */
  backward(dy: Tensor, context: BackwardContext<Inputs, A>): Each<Inputs, Tensor | null>;
}

/** A variable that was not computed by an operation. The tape compares leaves by identity only. */
export interface Leaf {
  readonly shape: Shape;
}

/** Where an input came from: an operation on the tape, a leaf that requires a gradient, or neither. */
export type Origin = TapeNode | Leaf | null;

interface Saved {
  readonly tensor: Tensor;
  readonly version: number;
}

/** One application of an operation: everything that `new TapeNode` records. */
export interface TapeRecord {
  readonly rule: BackwardRule;
  readonly attributes: unknown;
  readonly origins: readonly Origin[];
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  /** Tensors that the forward rule computed only for the backward rule. */
  readonly memory: readonly Tensor[];
}

export class TapeNode {
  readonly rule: BackwardRule;
  readonly origins: readonly Origin[];
  readonly inputShapes: readonly Shape[];
  readonly inputTypes: readonly DType[];
  readonly backend: Backend;
  readonly outputShape: Shape;
  /** One more than the deepest origin, so that sorting by depth gives a topological order. */
  readonly depth: number;
  readonly attributes: unknown;
  /** The output, if the scope says that the tape keeps outputs. */
  readonly kept: Tensor | null;
  readonly #inputs: readonly (Saved | null)[];
  readonly #output: Saved | null;
  readonly #memory: readonly Tensor[];
  #consumed = false;

  constructor({ rule, attributes, origins, inputs, output, memory }: TapeRecord) {
    const { saves } = rule;
    this.rule = rule;
    this.origins = origins;
    this.inputShapes = inputs.map((tensor) => tensor.shape);
    this.inputTypes = inputs.map((tensor) => tensor.dtype);
    this.outputShape = output.shape;
    this.backend = output.backend;
    this.depth = 1 + Math.max(0, ...origins.map((origin) => (origin instanceof TapeNode ? origin.depth : 0)));
    this.attributes = attributes;
    this.kept = keepsOutputs() ? output.view(output.shape) : null;
    this.#inputs = inputs.map((tensor, i) =>
      saves.inputs === "all" || saves.inputs.includes(i) ? save(tensor) : null,
    );
    this.#output = saves.output ? save(output) : null;
    this.#memory = memory;
  }

  /** The tensors that this node keeps alive until its backward rule has run. */
  *savedTensors(): Iterable<Tensor> {
    if (this.#consumed) return;
    for (const saved of this.#inputs) if (saved) yield saved.tensor;
    if (this.#output) yield this.#output.tensor;
    yield* this.#memory;
  }

  /** Runs the backward rule and releases the saved tensors. Returns the gradient of every input. */
  runBackward(dy: Tensor): readonly (Tensor | null)[] {
    const { name } = this.rule;
    if (this.#consumed) {
      throw new GradientError(`${name}: its tape was used already, expected one backward pass per forward pass`);
    }
    const gradients = this.rule.backward(dy, {
      inputs: this.#inputs.map((saved) => (saved ? current(saved, name) : null)) as Tensor[],
      output: (this.#output ? current(this.#output, name) : null) as Tensor,
      memory: this.#memory,
      attributes: this.attributes,
      shapes: this.inputShapes,
      needs: this.origins.map((origin) => origin !== null),
    });
    for (const tensor of this.savedTensors()) tensor.dispose();
    this.#consumed = true;
    return gradients;
  }
}

/** The tape keeps a separate handle, so that the caller may dispose its own. */
function save(tensor: Tensor): Saved {
  return { tensor: tensor.view(tensor.shape), version: tensor.storage.version };
}

function current(saved: Saved, operation: string): Tensor {
  const { version } = saved.tensor.storage;
  if (version !== saved.version) {
    throw new GradientError(
      `${operation}: a tensor that its backward rule reads was changed in place (version ${version}, expected ${saved.version})`,
    );
  }
  return saved.tensor;
}

/** The given nodes and all nodes that they were computed from, deepest first. */
export function reachableNodes(roots: readonly TapeNode[]): TapeNode[] {
  const found = new Set(roots);
  // Iterating over a Set also visits the elements added meanwhile, so this loop walks the whole graph.
  for (const node of found) {
    for (const origin of node.origins) if (origin instanceof TapeNode) found.add(origin);
  }
  return [...found].sort((a, b) => b.depth - a.depth);
}
