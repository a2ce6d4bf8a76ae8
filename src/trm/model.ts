// The model around the network: the embedding of the question, the two heads, the initial latents, and the recursion that the
// configuration selects.
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
  rotary2dTables,
  rotaryTables,
  truncatedNormal,
} from "../nn/index.ts";
import { expectInstance, full, keep, Random, scope, type Tensor } from "../tensor/index.ts";
import { expectModelConfig, fullLength, type ModelConfig, puzzleSlots } from "./config.ts";
import { ConfigError } from "./errors.ts";
import { type BlockNetwork, createNetwork } from "./network.ts";
import { damping, randomStarts } from "./noise.ts";
import type { Network } from "./recursion.ts";
import type { StepHooks } from "./step-hooks.ts";
import { type AroundUpdate, aroundUpdates, type Latents, type Recursion, type Variant, variantOf } from "./variants.ts";

/** Q_head: the first position of y to q_halt and q_continue. Weight 0 and bias -5, so that at first nothing halts. */
class QHead extends Module {
  readonly weight: Variable;
  readonly bias: Variable;
  constructor(hiddenSize: number) {
    super();
    this.weight = parameter(full([2, hiddenSize], 0));
    this.bias = parameter(full([2], -5));
  }
}

/** The embedded question, and the rows of the puzzle embedding in it, which have their own optimizer. */
export interface Embedded {
  /** [B, P + L, D] */
  readonly x: Variable;
  /** [B, puzzleEmbeddingSize] */
  readonly puzzleRows: Variable | null;
}

/** The model: embedding, networks, recursion and heads. */
export class Model extends Module {
  readonly embedding: Embedding;
  readonly positions: Embedding | null;
  /** The network. It updates z, and y too unless `netY` is set. */
  readonly net: BlockNetwork;
  /** The network that updates y, if the networks are separate. */
  readonly netY: BlockNetwork | null;
  readonly outputWeights: Linear;
  readonly qWeights: QHead;
  /** One row per puzzle id. Its table is not among the parameters, see PuzzleEmbedding. */
  readonly puzzleEmbedding: PuzzleEmbedding | null;
  /** y_init, z_init, ...: fixed vectors [D] by the name of the latent. */
  readonly initial: ReadonlyMap<string, Tensor>;
  /** One latent recursion on x and the latents, all [B, P + L, D]. */
  readonly recur: Recursion;
  /** The variant of the recursion, on the networks of this model. */
  readonly recursion: Variant;
  /** What the configuration changes in every supervision step, in training and in evaluation: EqR's starts and damping. */
  readonly hooks: Pick<StepHooks, "initial" | "around">;
  readonly #rotary: RotaryTables | null;
  readonly #ownsPuzzles: boolean;

  /** @param sharedPuzzles  the puzzle embedding of another model, which both models then share; that model releases it */
  constructor(
    readonly config: ModelConfig,
    random: Random,
    sharedPuzzles: PuzzleEmbedding | null = null,
  ) {
    super();
    expectModelConfig("Model", config);
    expectInstance("Model", "the random numbers", random, Random, ", as in new Random(0)");
    const { hiddenSize, vocabularySize, positions, separateNets, puzzleEmbeddingSize, puzzleIds } = config;
    const { layers, layersY = layers } = config;
    const rotary = rotaryTablesFor(config);
    this.embedding = new Embedding(vocabularySize, hiddenSize, random);
    this.positions = positions === "learned" ? new Embedding(fullLength(config), hiddenSize, random) : null;
    this.net = createNetwork(config, random, { layers, rotary });
    this.netY = separateNets ? createNetwork(config, random, { layers: layersY, rotary }) : null;
    this.outputWeights = new Linear(hiddenSize, vocabularySize, random);
    this.qWeights = new QHead(hiddenSize);
    this.#ownsPuzzles = sharedPuzzles === null;
    this.puzzleEmbedding =
      sharedPuzzles ?? (puzzleEmbeddingSize > 0 ? new PuzzleEmbedding(puzzleIds, puzzleEmbeddingSize) : null);
    this.recursion = this.variant(this.net, this.netY ?? this.net, config);
    this.recur = this.recursion.recur;
    const { dampingLambda: lambda, pathNoiseBeta: beta } = config;
    this.hooks = {
      initial: config.randomStarts ? randomStarts(config, this.recursion.latents) : undefined,
      around: lambda < 1 || beta > 0 ? damping(lambda, beta) : undefined,
    };
    this.initial = new Map(
      this.recursion.latents.map((name) => [name, keep(truncatedNormal([hiddenSize], 1, random))]),
    );
    this.#rotary = rotary;
  }

  /**
   * Builds the recursion on the given networks. Override it for a recursion of your own (docs/changing-the-algorithm.md). It is
   * called by the constructor, so only the functions in its result may read properties of a subclass.
   *
   * @param netY  the network that updates y; it is `net` itself unless the networks are separate
   */
  variant(net: Network, netY: Network, config: ModelConfig): Variant {
    return variantOf(config, net, netY);
  }

  /** The latent recursion with `around` in place of every call of a network, and with n updates of z if `n` is given. */
  recurAround(around: AroundUpdate, n = this.config.n): Recursion {
    const config = this.#configWith(n);
    return aroundUpdates((wrap) => this.variant(wrap(this.net), wrap(this.netY ?? this.net), config), around);
  }

  /** The latent recursion with n updates of z. */
  recurWith(n: number): Recursion {
    return this.variant(this.net, this.netY ?? this.net, this.#configWith(n)).recur;
  }

  /** @throws ConfigError for a recursion whose updates cannot be listed, or whose n cannot change */
  #configWith(n: number): ModelConfig {
    if (this.config.recursion === "multiZ" && n !== this.config.n) {
      throw new ConfigError(`depth: got n = ${n}, expected ${this.config.n}, the number of z latents of multiZ`);
    }
    if (this.config.recursion === "fixedPoint") {
      throw new ConfigError(
        "updates: got the recursion fixedPoint, expected one with a list of updates: a solver calls its network, so that it cannot be traced, damped or given another n",
      );
    }
    return { ...this.config, n };
  }

  /** Latent recursions per supervision step. */
  get T(): number {
    return this.config.recursion === "direct" ? 1 : this.config.T;
  }

  /** x = √D · embedding, puzzle slots first. Inputs [B, L] and puzzle ids [B] are int32. */
  embed(inputs: Tensor, puzzleIds: Tensor): Embedded {
    const { hiddenSize } = this.config;
    const tokens = this.embedding.forward(constant(inputs)); // [B, L, D]
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

  /** Both heads on the latents after a supervision step: logits [B, L, V], and q [B, 2] (q_halt, q_continue). */
  heads(latents: Latents): { logits: Variable; q: Variable } {
    const y = latents[this.recursion.output]!;
    return { logits: this.outputHead(y), q: this.qHead(y) };
  }

  /** y [B, P + L, D] -> logits [B, L, V] */
  outputHead(y: Variable): Variable {
    return this.outputWeights.forward(slice(y, 1, puzzleSlots(this.config), y.shape[1]!));
  }

  /** y [B, P + L, D] -> q_halt and q_continue [B, 2] */
  qHead(y: Variable): Variable {
    const first = reshape(slice(y, 1, 0, 1), [y.shape[0]!, y.shape[2]!]); // [B, D]
    return add(linear(first, this.qWeights.weight), this.qWeights.bias);
  }

  /** The latents that every puzzle starts from: y_init and z_init at every position. [batch, P + L, D] each. */
  initialLatents(batch: number): Latents {
    const shape = [batch, fullLength(this.config), this.config.hiddenSize];
    const latents: Record<string, Variable> = {};
    for (const [name, vector] of this.initial) {
      latents[name] = scope(() => add(constant(full(shape, 0)), constant(vector)));
    }
    return latents;
  }

  override dispose(): void {
    super.dispose();
    if (this.#ownsPuzzles) this.puzzleEmbedding?.table.dispose();
    for (const vector of this.initial.values()) vector.dispose();
    this.#rotary?.cos.value.dispose();
    this.#rotary?.sin.value.dispose();
  }
}

/** The tables of rotary positions, in the sequence or on the board; null for other positions. */
function rotaryTablesFor(config: ModelConfig): RotaryTables | null {
  const { positions, columns = 1, hiddenSize, heads } = config;
  if (positions === "rotary") return rotaryTables(fullLength(config), hiddenSize / heads);
  if (positions !== "rotary2d") return null;
  return rotary2dTables(fullLength(config), columns, hiddenSize / heads, puzzleSlots(config));
}
