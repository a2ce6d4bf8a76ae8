// How a kernel is written: its source as a string (the only form that survives test runners, coverage and minifiers alike), one
// output of one axis, lengths as constants. `this.thread.x` is the flat index of the element that is computed.
import { BackendError } from "../../errors.ts";
import type { Tensor } from "../../tensor.ts";
import { storageOf } from "./storage.ts";

export interface Launch {
  /** For messages. */
  readonly name: string;
  readonly out: Tensor;
  /** The arguments of the source, in order. */
  readonly inputs: readonly (Tensor | number)[];
  /** Read as `this.constants.NAME`. A loop that ends at one has no limit of iterations; at anything else, gpu.js stops at 1000. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Sources of functions that it calls. */
  readonly functions?: readonly string[];
  readonly source: string;
}

/** Computes `out`, which may be among the inputs: kernels in place give new contents to the same storage. */
export function launch({ name, out, inputs, constants = {}, functions = [], source }: Launch): void {
  if (out.size === 0) return;
  const to = storageOf(out);
  const from = inputs.map((input) => (typeof input === "number" ? input : storageOf(input).current));
  if (from.some((input) => typeof input !== "number" && input.length === 0)) {
    throw new BackendError(
      `gpu kernel ${name}: got an input without elements, expected that case to be handled before`,
    );
  }
  to.replace(to.device.launch({ name, source, constants, functions, length: out.size }, from));
}

/** out = x without computing: both share their contents, which never change. */
export function share(out: Tensor, x: Tensor): void {
  if (out.size > 0) storageOf(out).replace(storageOf(x).current.retain());
}
