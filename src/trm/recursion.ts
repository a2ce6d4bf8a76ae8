// The recursion of the Tiny Recursive Model. Paper section 4, figure 3. Everything else in src/trm serves these lines.
import { noGrad, type Variable } from "../autograd/index.ts";

/** The network: its blocks, one after another, over the sum of the arguments. All [B, L, D]. */
export type Net = (...terms: Variable[]) => Variable;

/** n updates of z, then one of y. All [B, L, D]. */
export function latentRecursion(net: Net, x: Variable, { y, z }: { y: Variable; z: Variable }, n: number) {
  for (let i = 0; i < n; i++) z = net(x, y, z); // reason: net(x + y + z)
  y = net(y, z); // answer: net(y + z), no x
  return { y, z };
}

/** T - 1 latent recursions off the tape, then one on it; then the two heads. Returns the state detached: the carry. */
export function deepRecursion<S extends Latents>(model: Recursive<S>, x: Variable, state: S): DeepResult<S> {
  for (let i = 0; i < model.T - 1; i++) state = noGrad(() => model.latentRecursion(x, state));
  state = model.latentRecursion(x, state);
  const y = model.answer(state);
  return { carry: detached(state), logits: model.outputHead(y), q: model.qHead(y) };
}

/** The latent tensors by name: y and z, or those of a variant (variants.ts). */
export type Latents = Readonly<Record<string, Variable>>;

/** What deepRecursion needs of a model. */
export interface Recursive<S extends Latents> {
  readonly T: number;
  latentRecursion(x: Variable, state: S): S;
  /** The latent that holds the answer. */
  answer(state: S): Variable;
  /** y [B, P + L, D] -> logits [B, L, V] */
  outputHead(y: Variable): Variable;
  /** y [B, P + L, D] -> [B, 2]: q_halt and q_continue */
  qHead(y: Variable): Variable;
}

export interface DeepResult<S> {
  readonly carry: S;
  /** [B, L, V] */
  readonly logits: Variable;
  /** [B, 2] */
  readonly q: Variable;
}

const detached = <S extends Latents>(state: S): S =>
  Object.fromEntries(Object.entries(state).map(([name, latent]) => [name, latent.detach()])) as unknown as S;
