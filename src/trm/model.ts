// The model around the network: embedding of the question, the two heads, the initial states, and the recursion of its
// configuration.

import {
  add,
  affine,
  concat,
  constant,
  linear,
  pad,
  parameter,
  reshape,
  slice,
  type Variable,
} from "../autograd/index.ts";
import {
  Embedding,
  Linear,
  Module,
  PuzzleEmbedding,
  type RotaryTables,
  rotaryTables,
  truncatedNormal,
} from "../nn/index.ts";
import { full, keep, type Random, scope, type Tensor } from "../tensor/index.ts";
import { fullLength, type ModelConfig, puzzleSlots } from "./config.ts";
import { Network } from "./network.ts";
import type { Latents, Net, Recursive } from "./recursion.ts";
import { type Nets, type Variant, variantOf } from "./variants.ts";

/** Q_head: the first position of y to q_halt and q_continue. Weight 0 and bias -5: at first nothing halts. */
class QHead extends Module {
  readonly weight: Variable;
  readonly bias: Variable;
  constructor(hiddenSize: number) {
    super();
    this.weight = parameter(full([2, hiddenSize], 0));
    this.bias = parameter(full([2], -5));
  }
}

/** The embedded question, and the rows of the puzzle embedding that went into it (they are trained apart). */
export interface Embedded {
  /** [B, P + L, D] */
  readonly x: Variable;
  /** [B, puzzleEmbeddingSize] */
  readonly puzzleRows: Variable | null;
}

export class Model extends Module implements Recursive<Latents> {
  readonly embedding: Embedding;
  readonly positions: Embedding | null;
  /** Updates z, and y too unless there is a network of its own for it. */
  readonly net: Network;
  readonly netY: Network | null;
  readonly outputWeights: Linear;
  readonly qWeights: QHead;
  /** Rows per puzzle id; not among the parameters, see PuzzleEmbedding. */
  readonly puzzleEmbedding: PuzzleEmbedding | null;
  /** y_init, z_init ...: fixed vectors [D], by the name of the latent. */
  readonly initial: ReadonlyMap<string, Tensor>;
  readonly #variant: Variant;
  readonly #nets: Nets;
  readonly #rotary: RotaryTables | undefined;

  /** @param sharedPuzzles  the puzzle embedding of another model, to be used instead of one of its own */
  constructor(
    readonly config: ModelConfig,
    random: Random,
    sharedPuzzles: PuzzleEmbedding | null = null,
  ) {
    super();
    const { hiddenSize, vocabularySize, positions, separateNets, puzzleEmbeddingSize, puzzleIds, heads } = config;
    this.embedding = new Embedding(vocabularySize, hiddenSize, random);
    this.positions = positions === "learned" ? new Embedding(fullLength(config), hiddenSize, random) : null;
    this.net = new Network(config, random);
    this.netY = separateNets ? new Network(config, random, config.layersY) : null;
    this.outputWeights = new Linear(hiddenSize, vocabularySize, random);
    this.qWeights = new QHead(hiddenSize);
    this.puzzleEmbedding =
      sharedPuzzles ?? (puzzleEmbeddingSize > 0 ? new PuzzleEmbedding(puzzleIds, puzzleEmbeddingSize) : null);
    this.#variant = variantOf(config);
    const { latents } = this.#variant;
    this.initial = new Map(latents.map((name) => [name, keep(truncatedNormal([hiddenSize], 1, random))]));
    this.#rotary = positions === "rotary" ? rotaryTables(fullLength(config), hiddenSize / heads) : undefined;
    const asNet =
      (network: Network): Net =>
      (...terms) =>
        network.apply(terms, this.#rotary);
    this.#nets = { z: asNet(this.net), y: asNet(this.netY ?? this.net) };
  }

  get T(): number {
    return this.config.recursion === "direct" ? 1 : this.config.T;
  }

  latentRecursion(x: Variable, state: Latents): Latents {
    return this.#variant.recursion(this.#nets, x, state);
  }

  answer(state: Latents): Variable {
    return state[this.#variant.answer]!;
  }

  /** x = √D · embedding, the puzzle slots first. inputs [B, L] and puzzleIds [B], int32 */
  embed(inputs: Tensor, puzzleIds: Tensor): Embedded {
    const { hiddenSize } = this.config;
    const tokens = this.embedding.apply(constant(inputs)); // [B, L, D]
    const puzzleRows = this.puzzleEmbedding?.lookup(puzzleIds) ?? null;
    let x = puzzleRows ? concat([this.#asSlots(puzzleRows), tokens], 1) : tokens; // [B, P + L, D]
    if (this.positions) x = affine(add(x, this.positions.weight), Math.SQRT1_2);
    return { x: affine(x, Math.sqrt(hiddenSize)), puzzleRows };
  }

  /** [B, puzzleEmbeddingSize], padded with zeros -> [B, P, D] */
  #asSlots(rows: Variable): Variable {
    const { hiddenSize, puzzleEmbeddingSize } = this.config;
    const slots = puzzleSlots(this.config);
    return reshape(pad(rows, 1, 0, slots * hiddenSize - puzzleEmbeddingSize), [rows.shape[0]!, slots, hiddenSize]);
  }

  outputHead(y: Variable): Variable {
    return this.outputWeights.apply(slice(y, 1, puzzleSlots(this.config), y.shape[1]!));
  }

  qHead(y: Variable): Variable {
    const first = reshape(slice(y, 1, 0, 1), [y.shape[0]!, y.shape[2]!]); // [B, D]
    return add(linear(first, this.qWeights.weight), this.qWeights.bias);
  }

  /** The state that every puzzle starts from: y_init and z_init at every position. [batch, P + L, D] each */
  initialState(batch: number): Latents {
    const shape = [batch, fullLength(this.config), this.config.hiddenSize];
    const state: Record<string, Variable> = {};
    for (const [name, vector] of this.initial)
      state[name] = scope(() => add(constant(full(shape, 0)), constant(vector)));
    return state;
  }

  override dispose(): void {
    super.dispose();
    this.puzzleEmbedding?.table.dispose();
    for (const vector of this.initial.values()) vector.dispose();
    this.#rotary?.cos.value.dispose();
    this.#rotary?.sin.value.dispose();
  }
}
