// Launching a kernel. Its source is a string, because test runners, coverage tools and minifiers rewrite functions. It has one
// output with one axis, and lengths are constants. `this.thread.x` is the flat index of the computed element.
import { BackendError } from "../../errors.ts";
import type { Tensor } from "../../tensor.ts";
import { storageOf } from "./storage.ts";

export interface Launch {
  /** Used in error messages. */
  readonly name: string;
  readonly out: Tensor;
  /** The arguments of the source, in order. */
  readonly inputs: readonly (Tensor | number)[];
  /** Available as `this.constants.NAME`. gpu.js ends loops after 1000 iterations unless their bound is a constant. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Sources of the functions that the kernel may call. */
  readonly functions?: readonly string[];
  readonly source: string;
}

/** Computes `out`, which may be one of the inputs: its storage receives new contents. */
export function launch({ name, out, inputs, constants = {}, functions = [], source }: Launch): void {
  if (out.size === 0) return;
  const to = storageOf(out);
  const from = inputs.map((input) => (typeof input === "number" ? input : storageOf(input).current));
  if (from.some((input) => typeof input !== "number" && input.length === 0)) {
    throw new BackendError(
      `gpu kernel ${name}: got an input without elements, expected at least one (callers must handle empty inputs)`,
    );
  }
  to.replace(to.device.launch({ name, source, constants, functions, length: out.size }, from));
}

/** out = x without a kernel: both share the contents, which are immutable. */
export function share(out: Tensor, x: Tensor): void {
  if (out.size > 0) storageOf(out).replace(storageOf(x).current.retain());
}
