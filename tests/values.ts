import type { Tensor, VisibleStorage } from "../src/tensor/index.ts";

/** The numbers of a tensor on a backend whose memory JavaScript can read (reference or wasm), read synchronously. */
export const valuesOf = (t: Tensor): number[] => Array.from((t.storage as VisibleStorage).array);
