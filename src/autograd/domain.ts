// The inputs that an operation is tested on. Every operation carries its domain: the gradient property, the comparison of
// backends and the mutation test draw their examples from it.
import type { Shape } from "../tensor/index.ts";

/** A source of random choices. The tests implement it with fast-check, which shrinks failing examples. */
export interface Draw {
  /** A whole number from min to max, both included. */
  integer(min: number, max: number): number;
  oneOf<T>(choices: readonly T[]): T;
}

/** The distance that values keep from the points that a domain avoids. */
export const kinkDistance = 0.05;

/** The shape and the values of one input. */
export type InputDomain =
  | {
      readonly kind: "real";
      readonly shape: Shape;
      /** Smallest and largest value. */
      readonly range: readonly [number, number];
      /** Kinks and poles. All values keep the distance `kinkDistance` from them. */
      readonly avoid?: readonly number[];
      /** All values lie within 0.1 of a whole number plus this offset, so that inputs with different offsets never tie. */
      readonly lattice?: number;
      /** All values differ by at least 0.2. They are spread around zero, without regard to the range. */
      readonly distinct?: boolean;
      /** The input is a constant table, which is not differentiated. */
      readonly fixed?: boolean;
    }
  | { readonly kind: "index"; readonly shape: Shape; readonly range: readonly [number, number] };

/** One choice of inputs and attributes. */
export interface Sample<Inputs, A> {
  readonly inputs: Inputs;
  /** Left out by operations without attributes. */
  readonly attributes?: A;
}

/** Draws inputs and attributes of an operation. */
export type Domain<Inputs, A> = (draw: Draw) => Sample<Inputs, A>;

/** An input of real numbers from `range`. */
export const real = (
  shape: Shape,
  range: readonly [number, number] = [-2, 2],
  rest: { avoid?: readonly number[]; lattice?: number; distinct?: boolean; fixed?: boolean } = {},
): InputDomain => ({ kind: "real", shape, range, ...rest });

/** An input of whole numbers (int32) from `from` to `to`, both included, which is not differentiated. */
export const index = (shape: Shape, from: number, to: number): InputDomain => ({
  kind: "index",
  shape,
  range: [from, to],
});

/** Up to three axes of length 1 to 4. */
export const anyShape = (draw: Draw, minRank = 0, maxRank = 3): number[] =>
  Array.from({ length: draw.integer(minRank, maxRank) }, () => draw.integer(1, 4));

/** Two shapes that broadcast: one of them may have axes of length 1 and lack leading axes. */
export function broadcastPair(draw: Draw): [number[], number[]] {
  const full = anyShape(draw);
  const thinned = (): number[] =>
    full.slice(draw.integer(0, full.length)).map((length) => (draw.integer(0, 3) === 0 ? 1 : length));
  return draw.integer(0, 1) === 0 ? [full, thinned()] : [thinned(), full];
}

/** One input of any shape; no attributes. */
export const oneReal =
  (range: readonly [number, number] = [-2, 2], avoid: readonly number[] = []): Domain<[InputDomain], undefined> =>
  (draw) => ({ inputs: [real(anyShape(draw), range, { avoid })] });

/** Two inputs that broadcast; no attributes. */
export const twoReals =
  (
    first: readonly [number, number] = [-2, 2],
    second: readonly [number, number] = [-2, 2],
    lattices: readonly [number, number] | null = null,
  ): Domain<[InputDomain, InputDomain], undefined> =>
  (draw) => {
    const [a, b] = broadcastPair(draw);
    return {
      inputs: [
        real(a, first, lattices ? { lattice: lattices[0] } : {}),
        real(b, second, lattices ? { lattice: lattices[1] } : {}),
      ],
    };
  };
