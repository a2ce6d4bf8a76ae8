// The weights of a case in the layout of the JavaScript peers. Matrices are stored [from, to], because the fast products of these
// engines accept no transposed operand. Stacked matrices (gate and up; queries, keys and values) are separate, so that results need
// no splitting. The arithmetic and the number of parameters are unchanged.
import type { Case, CaseTensor } from "../shared/case.ts";

export interface PeerWeight {
  shape: number[];
  data: Float32Array;
}

/** @returns the weights by name: "tokens" [V, D], "output_head" [D, V], "q_weight", "q_bias", "blocks.0.mlp.gate", ".up", ".down" ... */
export function peerWeights({ weights }: Case): Map<string, PeerWeight> {
  const result = new Map<string, PeerWeight>();
  for (const [name, tensor] of weights) {
    if (name === "tokens" || name === "q_bias") {
      result.set(name, plain(tensor));
      continue;
    }
    const parts = partsOf(name);
    for (const [i, part] of parts.entries()) result.set(part, transposedRows(tensor, i, parts.length));
  }
  return result;
}

function partsOf(name: string): string[] {
  if (name.endsWith(".gate_up")) return ["gate", "up"].map((part) => name.replace("gate_up", part));
  if (name.endsWith(".qkv")) return ["query", "key", "value"].map((part) => name.replace("qkv", part));
  return [name];
}

const plain = ({ shape, data }: CaseTensor): PeerWeight => ({
  shape: [...shape],
  data: Float32Array.from(data),
});

/** The i-th of `parts` equal groups of rows, transposed: [to, from] -> [from, to / parts]. */
function transposedRows({ shape, data }: CaseTensor, i: number, parts: number): PeerWeight {
  const [to, from] = [shape[0]! / parts, shape[1]!];
  const result = new Float32Array(to * from);
  for (let row = 0; row < to; row++) {
    for (let column = 0; column < from; column++) result[column * to + row] = data[(i * to + row) * from + column]!;
  }
  return { shape: [from, to], data: result };
}

export const weightSum = (weights: ReadonlyMap<string, { data: Float32Array }>): number =>
  [...weights.values()].reduce((sum, { data }) => sum + data.length, 0);

/** One-hot rows: [labels, classes]. */
export function oneHot(labels: ArrayLike<number>, classes: number): Float32Array {
  const result = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) result[i * classes + labels[i]!] = 1;
  return result;
}

/** Cosine and sine of the rotary angles, [L, headSize] each. Base 10000, the same for both halves of a head. */
export function rotaryTables(length: number, headSize: number): { cos: Float32Array; sin: Float32Array } {
  const half = headSize / 2;
  const angle = (position: number, i: number): number => position * 10000 ** ((-2 * (i % half)) / headSize);
  const table = (f: (x: number) => number): Float32Array =>
    Float32Array.from({ length: length * headSize }, (_, i) => f(angle(Math.floor(i / headSize), i % headSize)));
  return { cos: table(Math.cos), sin: table(Math.sin) };
}

/** Settings of Adam-atan2, as in torch_step.py. */
export const optimizer = { learningRate: 1e-4, beta1: 0.9, beta2: 0.95, decay: 0.1 };
