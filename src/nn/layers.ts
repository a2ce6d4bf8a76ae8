// The layers of the network. Weights are drawn from truncated normal distributions; no layer here has a bias.

import * as ad from "../autograd/index.ts";
import { parameter, Variable } from "../autograd/index.ts";
import {
  ArgumentError,
  assign,
  empty,
  expectInstance,
  expectNumber,
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
  expectNumber("truncatedNormal", "the standard deviation", std, 0);
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

/** Cosines and sines of the angle of every position and every pair of numbers. The halves of a head hold the first and the second number of each pair. */
function tablesOfAngles(
  length: number,
  headSize: number,
  angleOf: (position: number, pair: number) => number,
): RotaryTables {
  const table = (f: (angle: number) => number): Variable => {
    const values = Float32Array.from({ length: length * headSize }, (_, i) =>
      f(Math.fround(angleOf(Math.floor(i / headSize), i % (headSize / 2)))),
    );
    return ad.constant(keep(tensor(values, { shape: [length, headSize] })));
  };
  return { cos: table(Math.cos), sin: table(Math.sin) };
}

/** Tables of the position in a sequence: pair i of a head turns by position · base^(-2i / headSize). Su et al. 2021. */
export function rotaryTables(length: number, headSize: number, base = 10000): RotaryTables {
  expectWhole("rotaryTables", "length", length);
  expectWhole("rotaryTables", "headSize", headSize);
  if (headSize % 2 !== 0) throw new ArgumentError(`rotaryTables: got ${headSize} as headSize, expected an even number`);
  return tablesOfAngles(length, headSize, (position, pair) => position * Math.fround(base ** ((-2 * pair) / headSize)));
}

/** The highest frequency of `rotary2dTables`, in radians per cell: it tells neighbouring cells apart. */
const HIGHEST_FREQUENCY = 2;

/**
 * Tables of the row and the column on a board ("axial" positions; Heo et al. 2024, arXiv 2403.13298). The first half of the pairs of a
 * head turns by the row, the second half by the column: pair i of q by 2 · 100^(-i / q) radians per cell. The attention between two
 * cells therefore depends on how many rows and columns they are apart, wherever they are.
 *
 * @param columns  columns of the board
 * @param slots    positions before the board, as rows above it
 */
export function rotary2dTables(length: number, columns: number, headSize: number, slots = 0): RotaryTables {
  for (const [name, value] of Object.entries({ length, columns, headSize })) expectWhole("rotary2dTables", name, value);
  expectWhole("rotary2dTables", "slots", slots, 0);
  if (headSize % 4 !== 0)
    throw new ArgumentError(`rotary2dTables: got ${headSize} as headSize, expected a multiple of 4`);
  const quarter = headSize / 4;
  return tablesOfAngles(length, headSize, (position, pair) => {
    const row = Math.floor((position - slots) / columns);
    const column = position - slots - row * columns;
    return (pair < quarter ? row : column) * HIGHEST_FREQUENCY * 100 ** (-(pair % quarter) / quarter);
  });
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
