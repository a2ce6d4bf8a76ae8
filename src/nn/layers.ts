// The layers of the network. Weights are drawn from truncated normal distributions; no layer here has a bias.

import * as ad from "../autograd/index.ts";
import { parameter, Variable } from "../autograd/index.ts";
import {
  assign,
  empty,
  expectInstance,
  expectWhole,
  gatherRows,
  keep,
  Random,
  type Shape,
  signSgdUpdate,
  type RotaryTables as TablesOf,
  type Tensor,
  tensor,
  zeros,
} from "../tensor/index.ts";
import { Module } from "./module.ts";

// DEVIATION: random numbers — the distribution is the official one, the generator is not: equal seeds give other weights than PyTorch.
/** Numbers from a truncated normal distribution with the given standard deviation. @throws MemoryError before any number is drawn */
export function truncatedNormal(shape: Shape, std: number, random: Random): Tensor {
  expectInstance("truncatedNormal", "the random numbers", random, Random);
  const out = empty(shape);
  assign(
    out,
    Float32Array.from({ length: out.size }, () => random.truncatedNormal(std)),
  );
  return out;
}

/** The weight of a linear map, [to, from], with standard deviation 1 / √from. */
export function linearWeight(to: number, from: number, random: Random): Variable {
  expectSizes("linearWeight", { to, from }, random);
  return parameter(truncatedNormal([to, from], 1 / Math.sqrt(from), random));
}

function expectSizes(where: string, sizes: Readonly<Record<string, unknown>>, random: unknown): void {
  for (const [name, size] of Object.entries(sizes)) expectWhole(where, name, size);
  expectInstance(where, "the random numbers", random, Random, ", as in new Random(0)");
}

/** x Wᵀ: x [.., from] -> [.., to] */
export class Linear extends Module {
  readonly weight: Variable;
  constructor(from: number, to: number, random: Random) {
    super();
    expectSizes("Linear", { from, to }, random);
    this.weight = linearWeight(to, from, random);
  }

  forward(x: Variable): Variable {
    return ad.linear(x, this.weight);
  }
}

/** A vector of width D per token: ids [..] -> [.., D]. Standard deviation 1 / √D. */
export class Embedding extends Module {
  readonly weight: Variable;
  constructor(entries: number, width: number, random: Random) {
    super();
    expectSizes("Embedding", { entries, width }, random);
    this.weight = parameter(truncatedNormal([entries, width], 1 / Math.sqrt(width), random));
  }

  forward(ids: Variable): Variable {
    return ad.gatherRows(this.weight, ids);
  }
}

/**
 * One row per puzzle id, initially zero. The table is not a parameter: a lookup returns a leaf variable with the rows of the
 * batch, whose gradient is passed to `update`, so that only these rows change.
 */
export class PuzzleEmbedding {
  /** [ids, width] */
  readonly table: Tensor;
  constructor(ids: number, width: number) {
    expectWhole("PuzzleEmbedding", "ids", ids);
    expectWhole("PuzzleEmbedding", "width", width);
    this.table = keep(zeros([ids, width]));
  }

  /** ids [B] int32 -> [B, width], a leaf that requires a gradient */
  lookup(ids: Tensor): Variable {
    return new Variable(gatherRows(this.table, ids), null, true);
  }

  /** One SignSGD update of the rows of the batch. Gradients of equal ids are summed: row = row (1 - lr wd) - lr sign(sum). */
  update(ids: Tensor, gradient: Tensor, learningRate: number, weightDecay: number): void {
    signSgdUpdate(this.table, ids, gradient, learningRate, weightDecay);
  }
}

/** The inner width of a SwiGLU: two thirds of expansion · width, rounded up to a multiple. Official code: 256. */
export const swigluWidth = (width: number, expansion: number, multiple: number): number =>
  Math.ceil(Math.round((expansion * width * 2) / 3) / multiple) * multiple;

/** down · (silu(gate · x) · up · x); gate and up are one matrix. Shazeer 2020. */
export class Swiglu extends Module implements ad.SwigluWeights {
  readonly gateUp: Variable;
  readonly down: Variable;
  constructor(width: number, expansion: number, multiple: number, random: Random) {
    super();
    expectSizes("Swiglu", { width, multiple }, random);
    const inner = swigluWidth(width, expansion, multiple);
    this.gateUp = linearWeight(2 * inner, width, random);
    this.down = linearWeight(width, inner, random);
  }
}

/** Tables of the rotary positions for one length and one head size. */
export type RotaryTables = TablesOf<Variable>;

/** Cosines and sines of the angles of rotary positions: position · base^(-2i / headSize), the same for both halves of a head. Su et al. 2021. */
export function rotaryTables(length: number, headSize: number, base = 10000): RotaryTables {
  expectWhole("rotaryTables", "length", length);
  expectWhole("rotaryTables", "headSize", headSize);
  const half = headSize / 2;
  const table = (f: (angle: number) => number): Variable => {
    const angles = Float32Array.from({ length: length * headSize }, (_, i) => {
      const frequency = Math.fround(base ** ((-2 * (i % half)) / headSize));
      return f(Math.fround(Math.floor(i / headSize) * frequency));
    });
    return ad.constant(keep(tensor(angles, { shape: [length, headSize] })));
  };
  return { cos: table(Math.cos), sin: table(Math.sin) };
}

/** Multi-head self-attention, non-causal, without biases: h [B, L, D] -> [B, L, D]. Vaswani et al. 2017. */
export class Attention extends Module {
  readonly qkv: Variable;
  readonly out: Variable;
  readonly #heads: number;
  constructor(width: number, heads: number, random: Random) {
    super();
    expectSizes("Attention", { width, heads }, random);
    this.#heads = heads;
    this.qkv = linearWeight(3 * width, width, random);
    this.out = linearWeight(width, width, random);
  }

  forward(h: Variable, rotary?: RotaryTables): Variable {
    return ad.linear(ad.selfAttention(ad.linear(h, this.qkv), this.#heads, rotary), this.out);
  }
}
