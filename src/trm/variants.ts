// The published variants of the recursion, each to be set side by side with latentRecursion in recursion.ts. All tensors
// [B, L, D]; `net` sums its arguments. Which system is which configuration: see the table in docs/paper-to-code.md.
import { noGrad, type Variable } from "../autograd/index.ts";
import type { ModelConfig } from "./config.ts";
import { type Latents, latentRecursion, type Net } from "./recursion.ts";

/** The networks for z and for y: the same one, unless the configuration separates them. */
export interface Nets {
  readonly z: Net;
  readonly y: Net;
}

export interface Variant {
  /** Names of the latents that are carried from step to step. */
  readonly latents: readonly string[];
  /** The latent that holds the answer. */
  readonly answer: string;
  recursion(nets: Nets, x: Variable, state: Latents): Latents;
}

/** TRM: one network, the whole recursion on the tape. */
const trm = ({ n }: ModelConfig): Variant => ({
  latents: ["y", "z"],
  answer: "y",
  recursion: (nets, x, state) => latentRecursion(nets.z, x, state as { y: Variable; z: Variable }, n),
});

/** Two networks and/or only the last update of z and of y on the tape. HRM (Wang et al. 2025) is both. */
const separate = ({ n, oneStepGradient }: ModelConfig): Variant => ({
  latents: ["y", "z"],
  answer: "y",
  recursion: (nets, x, state) => {
    let [y, z] = [state.y!, state.z!];
    for (let i = 0; i < n; i++) {
      const before = z;
      const isOffTape = oneStepGradient && i < n - 1;
      z = isOffTape ? noGrad(() => nets.z(x, y, before)) : nets.z(x, y, z);
    }
    y = nets.y(y, z);
    return { y, z };
  },
});

/** One latent does both jobs. Paper, section 4.2. */
const singleZ = ({ n }: ModelConfig): Variant => ({
  latents: ["z"],
  answer: "z",
  recursion: (nets, x, state) => {
    let z = state.z!;
    for (let i = 0; i < n; i++) z = nets.z(x, z);
    z = nets.z(z);
    return { z };
  },
});

/** n latents, each updated once from the sum of all. Paper, section 4.2. */
const multiZ = ({ n }: ModelConfig): Variant => {
  const names = Array.from({ length: n }, (_, i) => `z${i + 1}`);
  return {
    latents: ["y", ...names],
    answer: "y",
    recursion: (nets, x, state) => {
      const z = { ...state };
      const all = (): Variable[] => names.map((name) => z[name]!);
      for (const name of names) z[name] = nets.z(x, z.y!, ...all());
      z.y = nets.y(z.y!, ...all());
      return z;
    },
  };
};

/** A plain transformer under the same loop: one call, no latent. */
const direct = (): Variant => ({
  latents: ["y"],
  answer: "y",
  recursion: (nets, x, state) => ({ y: nets.y(state.y!, x) }),
});

export function variantOf(config: ModelConfig): Variant {
  if (config.recursion === "singleZ") return singleZ(config);
  if (config.recursion === "multiZ") return multiZ(config);
  if (config.recursion === "direct") return direct();
  return config.separateNets || config.oneStepGradient ? separate(config) : trm(config);
}
