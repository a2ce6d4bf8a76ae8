// A warning for programs that never release: tensors created outside every scope live until `dispose()`, because kernel memory is
// not garbage-collected. One line is printed per process, unless NODE_ENV is "production".

/** This many live tensors outside every scope look like a loop that releases nothing. Kept tensors, such as weights, do not count. */
export const unownedLimit = 1000;

const isProduction = (): boolean => globalThis.process?.env?.NODE_ENV === "production";

export class Unowned {
  readonly #tensors = new WeakSet<object>();
  #count = 0;
  #hasWarned = false;

  add(tensor: object): void {
    this.#tensors.add(tensor);
    this.#count++;
    if (this.#count < unownedLimit || this.#hasWarned) return;
    this.#hasWarned = true;
    if (isProduction()) return;
    console.warn(
      `trm-ts: ${this.#count} tensors live outside every scope, the latest created at ${placeOf(new Error().stack)}; release them with scope() or dispose(), or keep() them`,
    );
  }

  /** Called for tensors that are disposed, or kept on purpose. */
  forget(tensor: object): void {
    if (this.#tensors.delete(tensor)) this.#count--;
  }
}

/** The innermost place in a stack that is outside of this library, as far as its files can be told apart; else the outermost. */
function placeOf(stack = ""): string {
  const frames = stack.split("\n").filter((line) => /:\d+:\d+/.test(line));
  const library = /((?:file:)?\/[^()]*\/)tensor\/unowned\.[jt]s/.exec(frames[0] ?? "")?.[1];
  const frame = frames.find((line) => library === undefined || !line.includes(library)) ?? frames.at(-1) ?? "";
  return frame.trim().replace(/^at /, "") || "an unknown place";
}
