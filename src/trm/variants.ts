// The published variants of the recursion, to be read side by side with latentRecursion in recursion.ts. All tensors are
// [B, L, D]. docs/paper-to-code.md says which system is which configuration.
import { noGrad, type Variable } from "../autograd/index.ts";
import type { ModelConfig } from "./config.ts";
import { latentRecursion, type Network, type State } from "./recursion.ts";

/** The latents of a variant by name: y and z for TRM. */
export type Latents = Readonly<Record<string, Variable>>;

/** One latent recursion: the latents after it. */
export type Recursion = (x: Variable, latents: Latents) => Latents;

export interface Variant {
  /** Names of the latents that are carried from step to step. */
  readonly latents: readonly string[];
  /** Name of the latent that the heads decode. */
  readonly output: string;
  readonly recur: Recursion;
}

/** TRM: one network, the whole recursion on the tape. */
const trm = (net: Network, n: number): Variant => ({
  latents: ["y", "z"],
  output: "y",
  recur: (x, latents) => ({ ...latentRecursion(net, x, latents as Latents & State, n) }),
});

/** Two networks and/or only the last update of z and of y on the tape. HRM (Wang et al. 2025) has both. */
const separate = (net: Network, netY: Network, { n, oneStepGradient }: ModelConfig): Variant => ({
  latents: ["y", "z"],
  output: "y",
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
  recur: (x, latents) => ({ y: netY(latents.y!, x) }),
});

/** The variant of a configuration. `netY` updates y; it is `net` itself unless the networks are separate. */
export function variantOf(config: ModelConfig, net: Network, netY: Network): Variant {
  if (config.recursion === "singleZ") return singleZ(net, config.n);
  if (config.recursion === "multiZ") return multiZ(net, netY, config.n);
  if (config.recursion === "direct") return direct(netY);
  return config.separateNets || config.oneStepGradient ? separate(net, netY, config) : trm(net, config.n);
}
