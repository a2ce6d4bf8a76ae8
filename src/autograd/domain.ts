// From which inputs an operation is tested. Every operation carries its domain, so that registering it is all it takes: the
// gradient property, the backend comparison and the mutation test draw their examples here.
import type { Shape } from "../tensor/index.ts";

/** Source of random choices; the tests implement it with fast-check, so that failures shrink. */
export interface Draw {
  /** A whole number between the two, both included. */
  integer(min: number, max: number): number;
  oneOf<T>(choices: readonly T[]): T;
}

/** What one input looks like. */
export type InputDomain =
  | {
      readonly kind: "real";
      readonly shape: Shape;
      /** Smallest and largest value. */
      readonly range: readonly [number, number];
      /** Points to stay away from by at least 0.05 (kinks, poles). */
      readonly avoid?: readonly number[];
      /** Values lie within 0.1 of a whole number plus this: two inputs with other offsets never tie. */
      readonly lattice?: number;
      /** No two values closer than 0.2, spread around zero as far as that takes, whatever the range. */
      readonly distinct?: boolean;
      /** A constant table: not differentiated. */
      readonly fixed?: boolean;
    }
  | { readonly kind: "index"; readonly shape: Shape; readonly range: readonly [number, number] };

export interface Sample<A> {
  readonly inputs: readonly InputDomain[];
  readonly attributes: A;
}

export type Domain<A> = (draw: Draw) => Sample<A>;

export const real = (
  shape: Shape,
  range: readonly [number, number] = [-2, 2],
  rest: { avoid?: readonly number[]; lattice?: number; distinct?: boolean; fixed?: boolean } = {},
): InputDomain => ({ kind: "real", shape, range, ...rest });

export const index = (shape: Shape, from: number, to: number): InputDomain => ({
  kind: "index",
  shape,
  range: [from, to],
});

/** Up to three axes of length 1 to 4. */
export const anyShape = (draw: Draw, minRank = 0, maxRank = 3): number[] =>
  Array.from({ length: draw.integer(minRank, maxRank) }, () => draw.integer(1, 4));

/** Two shapes that broadcast together: axes of length 1, and missing leading axes, on either side. */
export function broadcastPair(draw: Draw): [number[], number[]] {
  const full = anyShape(draw);
  const thinned = (): number[] =>
    full.slice(draw.integer(0, full.length)).map((length) => (draw.integer(0, 3) === 0 ? 1 : length));
  return draw.integer(0, 1) === 0 ? [full, thinned()] : [thinned(), full];
}

/** One input of any shape; no attributes. */
export const oneReal =
  (range: readonly [number, number] = [-2, 2], avoid: readonly number[] = []): Domain<undefined> =>
  (draw) => ({ inputs: [real(anyShape(draw), range, { avoid })], attributes: undefined });

/** Two inputs that broadcast; no attributes. */
export const twoReals =
  (
    first: readonly [number, number] = [-2, 2],
    second: readonly [number, number] = [-2, 2],
    lattices: readonly [number, number] | null = null,
  ): Domain<undefined> =>
  (draw) => {
    const [a, b] = broadcastPair(draw);
    return {
      inputs: [
        real(a, first, lattices ? { lattice: lattices[0] } : {}),
        real(b, second, lattices ? { lattice: lattices[1] } : {}),
      ],
      attributes: undefined,
    };
  };
