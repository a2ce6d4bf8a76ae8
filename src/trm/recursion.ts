// The recursion of the Tiny Recursive Model. Paper section 4, figure 3. Everything else in src/trm serves these lines.
import { noGrad, type Variable } from "../autograd/index.ts";

/** A network over the sum of its arguments: net(x, y, z) stands for net(x + y + z). All [B, L, D]. */
export type Network = (...terms: Variable[]) => Variable;

/** The latents of TRM, [B, L, D] each: y decodes to the answer, z holds the reasoning. */
export interface State {
  readonly y: Variable;
  readonly z: Variable;
}

/** n updates of z, then one of y. */
export function latentRecursion(net: Network, x: Variable, { y, z }: State, n: number): State {
  for (let i = 0; i < n; i++) z = net(x, y, z); // reason: net(x + y + z)
  y = net(y, z); // answer: net(y + z), without x
  return { y, z };
}

/** T - 1 latent recursions off the tape, then one on it. `recur` is latentRecursion or one of its variants, and S is the type of its state. */
export function deepRecursion<S>(recur: (x: Variable, state: S) => S, x: Variable, state: S, T: number): S {
  for (let i = 0; i < T - 1; i++) state = noGrad(() => recur(x, state));
  return recur(x, state);
}
