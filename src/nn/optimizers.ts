// Optimizers of the weights. (The rows of the puzzle embedding are updated by SignSGD, see PuzzleEmbedding in layers.ts.)
import type { Variable } from "../autograd/index.ts";
import {
  type AdamSettings,
  ArgumentError,
  adamUpdate,
  assign,
  expectInstance,
  expectNumber,
  expectObject,
  keep,
  ShapeError,
  scope,
  showValue,
  type Tensor,
  zeros,
} from "../tensor/index.ts";

/** The state of an optimizer as plain data. */
export interface OptimizerState {
  /** Updates made so far. */
  readonly steps: number;
  /** Numbers by the names of `moments`. */
  readonly moments: ReadonlyMap<string, ArrayLike<number>>;
}

/**
 * The base of all optimizers. A subclass writes `updateParameter`; this class owns the moments, which are tensors of the shape of
 * each parameter that start at zero, and a checkpoint stores them. docs/changing-the-algorithm.md shows Lion.
 */
export abstract class Optimizer<Moment extends string = string> {
  #steps = 0;
  readonly #moments = new Map<string, Readonly<Record<Moment, Tensor>>>();

  /** @param moments  names of the moments that every parameter has, such as "m" and "v" */
  constructor(
    readonly parameters: ReadonlyMap<string, Variable>,
    moments: readonly Moment[],
  ) {
    expectInstance(new.target.name, "the parameters", parameters, Map, " of names and Variables");
    for (const [name, { shape, value }] of parameters) {
      const own = moments.map((moment) => [moment, keep(zeros(shape, value.dtype, value.backend))]);
      this.#moments.set(name, Object.fromEntries(own) as Record<Moment, Tensor>);
    }
  }

  /** Changes one parameter and its moments in place. Tensors that it creates are released. */
  protected abstract updateParameter(
    parameter: Tensor,
    gradient: Tensor,
    moments: Readonly<Record<Moment, Tensor>>,
    learningRate: number,
  ): void;

  /** Updates made so far. During the first update this is 1. */
  get steps(): number {
    return this.#steps;
  }

  /** One update of every parameter. @param gradients  in the order of the parameters */
  update(gradients: readonly Tensor[], learningRate: number): void {
    if (gradients.length !== this.parameters.size) {
      throw new ShapeError(
        `${this.constructor.name}: got ${gradients.length} gradients, expected one for each of ${this.parameters.size} parameters`,
      );
    }
    expectNumber(this.constructor.name, "the learning rate", learningRate, 0);
    this.#steps++;
    let i = 0;
    for (const [name, { value }] of this.parameters) {
      const gradient = gradients[i++]!;
      scope(() => this.updateParameter(value, gradient, this.#moments.get(name)!, learningRate));
    }
  }

  /** The moments by name, "m/NAME" and "v/NAME" for Adam. A checkpoint holds them and `steps`. */
  *moments(): Iterable<[name: string, tensor: Tensor]> {
    for (const [name, moments] of this.#moments) {
      for (const [moment, tensor] of Object.entries<Tensor>(moments)) yield [`${moment}/${name}`, tensor];
    }
  }

  /** Restores the state of an optimizer of the same parameters. */
  restore({ steps, moments }: OptimizerState): void {
    for (const [name, tensor] of this.moments()) assign(tensor, moments.get(name)!);
    this.#steps = steps;
  }

  dispose(): void {
    for (const [, tensor] of this.moments()) tensor.dispose();
  }
}

/** Options of `Adam`. */
export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly weightDecay: number;
}

/** "adamAtan2" (official code; Everett et al. 2024: no ε, bounded steps) or "adamW" (paper; Loshchilov & Hutter 2019). */
export type AdamRule = "adamAtan2" | "adamW";

/**
 * m = β1 m + (1 - β1) g, v = β2 v + (1 - β2) g², p = p (1 - lr wd), then
 * Adam-atan2: p -= lr / (1 - β1^t) · atan2(m, √v / √(1 - β2^t));  AdamW: p -= lr / (1 - β1^t) · m / (√v / √(1 - β2^t) + 1e-8)
 */
export class Adam extends Optimizer<"m" | "v"> {
  constructor(
    readonly rule: AdamRule,
    readonly options: AdamOptions,
    parameters: ReadonlyMap<string, Variable>,
  ) {
    expectObject("Adam", "the options", options, ["beta1", "beta2", "weightDecay"]);
    for (const name of ["beta1", "beta2"] as const) {
      const rate = options[name];
      if (Number.isFinite(rate) && rate >= 0 && rate < 1) continue; // with 1 the bias correction would divide by 0
      throw new ArgumentError(
        `Adam: got ${showValue(rate)} as ${name}, expected a number from 0 up to but not including 1`,
      );
    }
    expectNumber("Adam", "weightDecay", options.weightDecay, 0);
    super(parameters, ["m", "v"]);
  }

  protected override updateParameter(
    p: Tensor,
    gradient: Tensor,
    { m, v }: Record<"m" | "v", Tensor>,
    learningRate: number,
  ): void {
    const settings: AdamSettings = { ...this.options, learningRate, step: this.steps, epsilon: 1e-8 };
    adamUpdate(this.rule, { p, m, v }, gradient, settings);
  }
}
