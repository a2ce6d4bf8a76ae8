// The carry: what every slot of the batch takes from one supervision step to the next.

import { constant } from "../autograd/index.ts";
import * as t from "../tensor/index.ts";
import type { Batch } from "./examples.ts";
import type { Model } from "./model.ts";
import type { Latents } from "./recursion.ts";

/** Every slot has its own puzzle, its own latents, and its own number of steps so far. All slots start halted. */
export class Carry {
  /** The latents by name, [B, P + L, D] each; they live until replaced. */
  latents: Latents;
  readonly steps: Int32Array;
  readonly halted: boolean[];
  /** [B, L] */
  readonly inputs: Int32Array;
  readonly labels: Int32Array;
  /** [B] */
  readonly puzzleIds: Int32Array;

  constructor(
    private readonly model: Model,
    readonly slots: number,
  ) {
    const cells = slots * model.config.sequenceLength;
    this.latents = keepAll(model.initialState(slots));
    this.steps = new Int32Array(slots);
    this.halted = new Array<boolean>(slots).fill(true);
    this.inputs = new Int32Array(cells);
    this.labels = new Int32Array(cells);
    this.puzzleIds = new Int32Array(slots);
  }

  /** Gives every halted slot the puzzle that `batch` has in its place, and the initial latents. */
  refill(batch: Batch): void {
    const { sequenceLength } = this.model.config;
    this.halted.forEach((halted, slot) => {
      if (!halted) return;
      const [from, to] = [slot * sequenceLength, (slot + 1) * sequenceLength];
      this.inputs.set(batch.inputs.subarray(from, to), from);
      this.labels.set(batch.labels.subarray(from, to), from);
      this.puzzleIds[slot] = batch.puzzleIds[slot]!;
      this.steps[slot] = 0;
    });
    if (this.halted.includes(true)) this.replaceLatents(t.scope(() => this.#restarted()));
  }

  /** The latents, those of halted slots replaced by the initial ones. */
  #restarted(): Latents {
    const mask = t.tensor(Float32Array.from(this.halted, Number), { shape: [this.slots, 1, 1] });
    const restarted: Record<string, ReturnType<typeof constant>> = {};
    for (const [name, latent] of Object.entries(this.latents)) {
      restarted[name] = constant(t.select(mask, this.model.initial.get(name)!, latent.value));
    }
    return restarted;
  }

  /** Takes over the latents of the next step. */
  replaceLatents(next: Latents): void {
    const before = this.latents;
    this.latents = keepAll(next);
    disposeAll(before);
  }

  dispose(): void {
    disposeAll(this.latents);
  }
}

function keepAll(latents: Latents): Latents {
  for (const { value } of Object.values(latents)) t.keep(value);
  return latents;
}

function disposeAll(latents: Latents): void {
  for (const { value } of Object.values(latents)) value.dispose();
}
