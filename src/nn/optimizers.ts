// Optimizers of the weights. (The rows of the puzzle embedding are updated by SignSGD, see PuzzleEmbedding in layers.ts.)
import type { Variable } from "../autograd/index.ts";
import { type AdamSettings, adamUpdate, assign, keep, ShapeError, type Tensor, zeros } from "../tensor/index.ts";

export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly weightDecay: number;
}

/** "adamAtan2" (official code; Everett et al. 2024: no ε, bounded steps) or "adamW" (paper; Loshchilov & Hutter 2019). */
export type AdamRule = "adamAtan2" | "adamW";

interface Moments {
  readonly m: Tensor;
  readonly v: Tensor;
}

/**
 * m = β1 m + (1 - β1) g, v = β2 v + (1 - β2) g², p = p (1 - lr wd), then
 * Adam-atan2: p -= lr / (1 - β1^t) · atan2(m, √v / √(1 - β2^t));  AdamW: p -= lr / (1 - β1^t) · m / (√v / √(1 - β2^t) + 1e-8)
 */
export class Adam {
  #steps = 0;
  readonly #moments = new Map<string, Moments>();

  constructor(
    readonly rule: AdamRule,
    readonly options: AdamOptions,
    private readonly parameters: ReadonlyMap<string, Variable>,
  ) {
    for (const [name, { shape, value }] of parameters) {
      const zero = (): Tensor => keep(zeros(shape, value.dtype, value.backend));
      this.#moments.set(name, { m: zero(), v: zero() });
    }
  }

  /** Updates made so far. */
  get steps(): number {
    return this.#steps;
  }

  /** One update of every parameter. @param gradients  in the order of the parameters */
  update(gradients: readonly Tensor[], learningRate: number): void {
    if (gradients.length !== this.parameters.size) {
      throw new ShapeError(
        `Adam: got ${gradients.length} gradients, expected one for each of ${this.parameters.size} parameters`,
      );
    }
    this.#steps++;
    const settings: AdamSettings = { ...this.options, learningRate, step: this.#steps, epsilon: 1e-8 };
    let i = 0;
    for (const [name, { value: p }] of this.parameters) {
      adamUpdate(this.rule, { p, ...this.#moments.get(name)! }, gradients[i++]!, settings);
    }
  }

  /** The moments by name, "m/NAME" and "v/NAME". A checkpoint holds them and `steps`. */
  *moments(): Iterable<[name: string, tensor: Tensor]> {
    for (const [name, { m, v }] of this.#moments) {
      yield [`m/${name}`, m];
      yield [`v/${name}`, v];
    }
  }

  /** Restores the state of an optimizer of the same parameters. @param state.moments  numbers by the names of `moments` */
  restore({ steps, moments }: { steps: number; moments: ReadonlyMap<string, ArrayLike<number>> }): void {
    for (const [name, tensor] of this.moments()) assign(tensor, moments.get(name)!);
    this.#steps = steps;
  }

  dispose(): void {
    for (const [, tensor] of this.moments()) tensor.dispose();
  }
}
