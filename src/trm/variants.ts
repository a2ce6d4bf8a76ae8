// The published variants of the recursion, to be read side by side with latentRecursion in recursion.ts. All tensors are
// [B, L, D]. docs/paper-to-code.md says which system is which configuration.
import { noGrad, type Variable } from "../autograd/index.ts";
import type { ModelConfig } from "./config.ts";
import { ConfigError } from "./errors.ts";
import { fixedPointRecursion } from "./fixed-point.ts";
import { latentRecursion, type Network, type State } from "./recursion.ts";

/** The latents of a variant by name: y and z for TRM. */
export type Latents = Readonly<Record<string, Variable>>;

/** One latent recursion: the latents after it. */
export type Recursion = (x: Variable, latents: Latents) => Latents;

/** A file of this package, and the line of each update of a latent recursion. */
export interface SourceLines {
  readonly file: string;
  readonly lines: readonly number[];
}

/** A recursion: its latents, which of them is the answer, and how they are updated. */
export interface Variant {
  /** Names of the latents that are carried from step to step. */
  readonly latents: readonly string[];
  /** Name of the latent that the heads decode. */
  readonly output: string;
  /** The latent that each call of a network updates, in the order of one latent recursion: z, z, y. */
  readonly updates: readonly string[];
  /** Where the source makes these calls, for tools that show the running line. Absent for variants outside this package. */
  readonly source?: SourceLines;
  readonly recur: Recursion;
}

/** `line` for each of n updates of z, then `last` for the update of y. */
const loop = <T>(n: number, line: T, last: T): T[] => [...new Array<T>(n).fill(line), last];

const sourceOf = (n: number, line: number, last: number, file = "src/trm/variants.ts"): SourceLines => ({
  file,
  lines: loop(n, line, last),
});

/** TRM: one network, the whole recursion on the tape. */
const trm = (net: Network, n: number): Variant => ({
  latents: ["y", "z"],
  output: "y",
  updates: loop(n, "z", "y"),
  source: sourceOf(n, 15, 16, "src/trm/recursion.ts"),
  recur: (x, latents) => ({ ...latentRecursion(net, x, latents as Latents & State, n) }),
});

/** Two networks and/or only the last update of z and of y on the tape. HRM (Wang et al. 2025) has both. */
const separate = (net: Network, netY: Network, { n, oneStepGradient }: ModelConfig): Variant => ({
  latents: ["y", "z"],
  output: "y",
  updates: loop(n, "z", "y"),
  source: sourceOf(n, 62, 64),
  recur: (x, latents) => {
    let [y, z] = [latents.y!, latents.z!];
    for (let i = 0; i < n; i++) {
      const previous = z;
      const isOffTape = oneStepGradient && i < n - 1;
      z = isOffTape ? noGrad(() => net(x, y, previous)) : net(x, y, z);
    }
    y = netY(y, z);
    return { y, z };
  },
});

/** One latent does both jobs. Paper section 4.2. */
const singleZ = (net: Network, n: number): Variant => ({
  latents: ["z"],
  output: "z",
  updates: loop(n, "z", "z"),
  source: sourceOf(n, 77, 78),
  recur: (x, latents) => {
    let z = latents.z!;
    for (let i = 0; i < n; i++) z = net(x, z);
    z = net(z);
    return { z };
  },
});

/** n latents, each updated once from the sum of all. Paper section 4.2. */
const multiZ = (net: Network, netY: Network, n: number): Variant => {
  const names = Array.from({ length: n }, (_, i) => `z${i + 1}`);
  return {
    latents: ["y", ...names],
    output: "y",
    updates: [...names, "y"],
    source: sourceOf(n, 94, 95),
    recur: (x, latents) => {
      const next = { ...latents };
      const all = (): Variable[] => names.map((name) => next[name]!);
      for (const name of names) next[name] = net(x, next.y!, ...all());
      next.y = netY(next.y!, ...all());
      return next;
    },
  };
};

/** A plain transformer under the same supervision loop: one call of the network, no z. */
const direct = (netY: Network): Variant => ({
  latents: ["y"],
  output: "y",
  updates: ["y"],
  source: sourceOf(0, 107, 107),
  recur: (x, latents) => ({ y: netY(latents.y!, x) }),
});

/** A solver takes the place of the loop over z, see fixed-point.ts. It calls the network, so that there is no list of updates. */
const fixedPoint = (net: Network, netY: Network, config: ModelConfig): Variant => ({
  latents: ["y", "z"],
  output: "y",
  updates: [],
  recur: (x, latents) => ({ ...fixedPointRecursion({ ...config, net, netY }, x, latents as Latents & State) }),
});

/** The variant of a configuration. `netY` updates y; it is `net` itself unless the networks are separate. */
export function variantOf(config: ModelConfig, net: Network, netY: Network): Variant {
  if (config.recursion === "singleZ") return singleZ(net, config.n);
  if (config.recursion === "multiZ") return multiZ(net, netY, config.n);
  if (config.recursion === "direct") return direct(netY);
  if (config.recursion === "fixedPoint") return fixedPoint(net, netY, config);
  return config.separateNets || config.oneStepGradient ? separate(net, netY, config) : trm(net, config.n);
}

/** One call of a network within a latent recursion. */
export interface Update {
  /** Position in the latent recursion, from 0. */
  readonly index: number;
  /** Name of the latent that the call updates: "z" or "y" for TRM. */
  readonly latent: string;
  /** The latent before the update. [B, P + L, D] */
  readonly before: Variable;
  /** All latents before the update, by name. */
  readonly latents: Latents;
  /** The line of the source that makes the call; null for a variant outside this package. */
  readonly line: number | null;
}

/** Runs instead of a call of a network. `compute` makes the call; the result becomes the new latent. */
export type AroundUpdate = (update: Update, compute: () => Variable) => Variable;

/** The recursion of a variant with `around` in place of every call of a network. @param create  builds the variant on networks */
export function aroundUpdates(create: (wrap: (net: Network) => Network) => Variant, around: AroundUpdate): Recursion {
  return (x, latents) => {
    const current: Record<string, Variable> = { ...latents };
    let index = 0;
    const variant = create((net) => (...terms) => {
      const latent = variant.updates[index];
      if (latent === undefined) throw callsError(variant, `more than ${index}`);
      const [before, line] = [current[latent]!, variant.source?.lines[index] ?? null];
      const result = around({ index, latent, before, latents: { ...current }, line }, () => net(...terms));
      current[latent] = result;
      index++;
      return result;
    });
    const result = variant.recur(x, latents);
    if (index < variant.updates.length) throw callsError(variant, `${index}`);
    const other = variant.updates.find((name) => result[name] !== current[name]);
    if (other !== undefined) {
      throw new ConfigError(
        `variant: got a latent ${other} that is not the result of its last call of a network, expected that result, because hooks and traces see it as the new latent`,
      );
    }
    return result;
  };
}

const callsError = ({ updates }: Variant, calls: string): ConfigError =>
  new ConfigError(
    `variant: got ${calls} calls of its networks in a latent recursion, expected ${updates.length}, one for each of its updates (${updates.join(", ")})`,
  );
