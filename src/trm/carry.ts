// The carry: what every slot of the batch hands from one supervision step to the next.
import { constant } from "../autograd/index.ts";
import * as t from "../tensor/index.ts";
import { ConfigError } from "./errors.ts";
import type { Batch } from "./examples.ts";
import { Model } from "./model.ts";
import type { Latents } from "./variants.ts";

/** The carry as plain data, for checkpoints. */
export interface CarryState {
  /** [B, P + L, D] numbers by the name of the latent. */
  readonly latents: ReadonlyMap<string, ArrayLike<number>>;
  readonly inputs: Int32Array;
  readonly labels: Int32Array;
  readonly puzzleIds: Int32Array;
  readonly steps: ArrayLike<number>;
  readonly halted: readonly boolean[];
}

/** The input of a supervision step: the puzzles and latents of some slots. */
export interface CarryPart {
  /** [slots, L] int32 */
  readonly inputs: t.Tensor;
  /** [slots, L] */
  readonly labels: Int32Array;
  /** [slots] int32 */
  readonly puzzleIds: t.Tensor;
  /** [slots] */
  readonly steps: Int32Array;
  /** [slots, P + L, D] each */
  readonly latents: Latents;
}

/** Every slot has its own puzzle, latents and number of steps so far. All slots start halted, so that `refill` fills them. */
export class Carry {
  #latents: Latents;
  /** Supervision steps that the puzzle of each slot has made. */
  readonly steps: Int32Array;
  readonly halted: boolean[];
  /** [B, L] */
  readonly inputs: Int32Array;
  readonly labels: Int32Array;
  /** [B] */
  readonly puzzleIds: Int32Array;
  readonly #model: Model;

  constructor(
    model: Model,
    readonly slots: number,
    latents: Latents | null = null,
  ) {
    t.expectInstance("Carry", "the model", model, Model);
    t.expectWhole("Carry", "the number of slots", slots);
    const cells = slots * model.config.sequenceLength;
    this.#model = model;
    this.#latents = t.scope(() => keepAll(latents ?? model.initialLatents(slots)));
    this.steps = new Int32Array(slots);
    this.halted = new Array<boolean>(slots).fill(true);
    this.inputs = new Int32Array(cells);
    this.labels = new Int32Array(cells);
    this.puzzleIds = new Int32Array(slots);
  }

  /** The latents by name, [B, P + L, D] each. They live until `advance` replaces them. */
  get latents(): Latents {
    return this.#latents;
  }

  /**
   * Puts the puzzle of the same place in `batch` into every halted slot, with the initial latents.
   *
   * @param initial  replaces the model's initial latents, [B, P + L, D] each
   * @throws ConfigError if the batch has another number of tokens, labels or puzzle ids
   */
  refill(batch: Batch, initial?: Latents): void {
    const { sequenceLength: length } = this.#model.config;
    if (batch.inputs.length !== this.inputs.length) {
      const puzzle = `${batch.inputs.length / this.slots} tokens per puzzle`;
      throw new ConfigError(`batch: got ${puzzle}, expected ${length} (sequenceLength) for ${this.slots} slots`);
    }
    for (const [what, given, expected] of [
      ["labels", batch.labels, this.labels],
      ["puzzle ids", batch.puzzleIds, this.puzzleIds],
    ] as const) {
      if (given.length === expected.length) continue;
      throw new ConfigError(`batch: got ${given.length} ${what}, expected ${expected.length}`);
    }
    if (this.halted.includes(true)) this.#replace(t.scope(() => this.#restarted(initial)));
    this.halted.forEach((halted, slot) => {
      if (!halted) return;
      const [from, to] = [slot * length, (slot + 1) * length];
      this.inputs.set(batch.inputs.subarray(from, to), from);
      this.labels.set(batch.labels.subarray(from, to), from);
      this.puzzleIds[slot] = batch.puzzleIds[slot]!;
      this.steps[slot] = 0;
    });
  }

  /** The latents, with those of halted slots replaced by the initial ones. */
  #restarted(initial?: Latents): Latents {
    const mask = t.tensor(Float32Array.from(this.halted, Number), { shape: [this.slots, 1, 1] });
    const startOf = (name: string): t.Tensor => initial?.[name]?.value ?? this.#model.initial.get(name)!;
    return mapLatents(this.#latents, (latent, name) => t.select(mask, startOf(name), latent));
  }

  /** Tokens of the slots from `first` on, at most `count` slots. [slots, L] */
  tokens(first: number, count: number): Int32Array {
    const { sequenceLength: length } = this.#model.config;
    return this.inputs.subarray(first * length, Math.min(first + count, this.slots) * length);
  }

  /** The slots from `first` on, at most `count` of them, as the input of a supervision step. */
  part(first: number, count: number): CarryPart {
    const { sequenceLength: length } = this.#model.config;
    const last = Math.min(first + count, this.slots);
    const isAll = last - first === this.slots;
    return {
      inputs: t.tensor(this.tokens(first, count), { shape: [last - first, length] }),
      labels: this.labels.subarray(first * length, last * length),
      puzzleIds: t.tensor(this.puzzleIds.subarray(first, last)),
      steps: this.steps.subarray(first, last),
      latents: isAll ? this.#latents : mapLatents(this.#latents, (latent) => t.slice(latent, 0, first, last)),
    };
  }

  /** Ends a supervision step: the new latents, detached, replace the old ones, and every slot counts the step. */
  advance(latents: Latents): void {
    this.#replace(latents);
    for (let slot = 0; slot < this.slots; slot++) this.steps[slot]!++;
  }

  /** Records which slots have halted; the next `refill` gives them new puzzles. */
  halt(halted: readonly boolean[]): void {
    this.halted.splice(0, this.slots, ...halted);
  }

  /** A carry of these slots only. This carry is disposed. */
  select(slots: readonly number[]): Carry {
    const { sequenceLength: length } = this.#model.config;
    const latents = t.scope(() => {
      const rows = t.tensor(Int32Array.from(slots));
      return keepAll(mapLatents(this.#latents, (latent) => rowsOf(latent, rows)));
    });
    const selected = new Carry(this.#model, slots.length, latents);
    slots.forEach((from, to) => {
      selected.inputs.set(this.inputs.subarray(from * length, (from + 1) * length), to * length);
      selected.labels.set(this.labels.subarray(from * length, (from + 1) * length), to * length);
      selected.puzzleIds[to] = this.puzzleIds[from]!;
      selected.steps[to] = this.steps[from]!;
      selected.halted[to] = this.halted[from]!;
    });
    this.dispose();
    return selected;
  }

  /** Restores a state of a carry of the same shape. */
  restore({ latents, inputs, labels, puzzleIds, steps, halted }: CarryState): void {
    for (const [name, { value }] of Object.entries(this.#latents)) t.assign(value, latents.get(name)!);
    this.inputs.set(inputs);
    this.labels.set(labels);
    this.puzzleIds.set(puzzleIds);
    this.steps.set(steps);
    this.halt(halted);
  }

  #replace(latents: Latents): void {
    const previous = this.#latents;
    this.#latents = keepAll(latents);
    // A step may leave a latent as it is.
    const current = new Set(Object.values(this.#latents).map(({ value }) => value));
    for (const { value } of Object.values(previous)) if (!current.has(value)) value.dispose();
  }

  dispose(): void {
    for (const { value } of Object.values(this.#latents)) value.dispose();
  }
}

/** New latents, off the tape, from the numbers of others. */
export const mapLatents = (latents: Latents, change: (latent: t.Tensor, name: string) => t.Tensor): Latents =>
  Object.fromEntries(Object.entries(latents).map(([name, { value }]) => [name, constant(change(value, name))]));

/** The same latents, off the tape and out of the scope: they live until disposed. */
const keepAll = (latents: Latents): Latents => mapLatents(latents, t.keep);

/** Rows of a latent: [B, P + L, D] -> [rows, P + L, D]. */
function rowsOf(latent: t.Tensor, rows: t.Tensor): t.Tensor {
  const [slots, ...rest] = latent.shape as [number, ...number[]];
  const table = t.reshape(latent, [slots, t.sizeOf(rest)]);
  return t.reshape(t.gatherRows(table, rows), [rows.size, ...rest]);
}
