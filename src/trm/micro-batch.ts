// Gradient accumulation: how many slots fit into memory at once. A batch that does not fit is computed in parts whose gradients
// are summed, which equals the whole batch up to rounding. A part draws all of its random numbers before the next part begins, so that
// they depend on the size of the parts if a part draws more than once: path noise (EqR), noise on several latents, or noise with the
// continue loss.
import { swigluWidth } from "../nn/index.ts";
import * as t from "../tensor/index.ts";
import { mapLatents } from "./carry.ts";
import { type Config, expectConfig, fullLength, type ModelConfig } from "./config.ts";
import { blocksOnTape } from "./flops.ts";
import type { Latents } from "./variants.ts";

/** Bytes that the tape of one part may take. The wasm backend addresses 4 GB, which the weights and the carry share. */
const tapeBudget = 1e9;

/** Estimated bytes on the tape per slot: what the blocks of the last latent recursion save for the backward pass, in float32. */
export function tapeBytesPerSlot(config: ModelConfig): number {
  return 4 * blocksOnTape(config) * floatsPerBlock(config);
}

/** Numbers that one block saves for one sequence: its two inputs and outputs, and the activations before the gates. */
function floatsPerBlock(config: ModelConfig): number {
  const { hiddenSize: D, expansion, widthMultiple, mixer } = config;
  const L = fullLength(config);
  const gateUp = 2 * swigluWidth(D, expansion, widthMultiple) * L;
  const mixing = mixer === "mlp" ? 2 * swigluWidth(L, expansion, widthMultiple) * D : 5 * L * D;
  return 4 * L * D + gateUp + mixing;
}

/** The number of slots that are computed together: the whole batch if its tape fits. */
export function microBatchOf({ model, training }: Config): number {
  const fits = Math.max(1, Math.floor(tapeBudget / tapeBytesPerSlot(model)));
  const parts = Math.ceil(training.batchSize / fits);
  return Math.ceil(training.batchSize / parts);
}

/** Bytes of Node and the compiled kernels. */
const processBytes = 0.3e9;

/**
 * Estimated bytes that a training needs: the tape of one part with half as much again for temporaries, the carry, and everything of
 * the size of the weights. The official Sudoku settings were measured at 3.1 GB; the estimate is 2.8 GB.
 */
export function trainingBytes(config: Config, parameterCount: number): number {
  expectConfig("trainingBytes", config);
  const { model, training } = config;
  const { batchSize, emaRate } = training;
  const tape = microBatchOf({ model, training }) * tapeBytesPerSlot(model);
  const latents = model.recursion === "multiZ" ? model.n + 1 : 2;
  const carry = 3 * batchSize * latents * fullLength(model) * model.hiddenSize; // the old carry, its parts, the new carry
  const weights = (5 + (emaRate > 0 ? 1 : 0)) * parameterCount; // weights, two moments, a gradient and their sum; the average
  return processBytes + 1.5 * tape + 4 * (carry + weights);
}

/** The result of the forward and backward pass of some slots. */
export interface Pass {
  /** [slots, P + L, D] each */
  readonly latents: Latents;
  /** [slots, L, V] */
  readonly logits: t.Tensor;
  /** [slots, 2] */
  readonly q: t.Tensor;
  /** [slots] */
  readonly targetQContinue: t.Tensor | null;
  /** In the order of the parameters. */
  readonly gradients: readonly t.Tensor[];
  /** [slots, puzzleEmbeddingSize] */
  readonly puzzleGradient: t.Tensor | null;
}

/** Adds up the passes of consecutive slots: gradients are summed as they arrive, everything else is joined at the end. */
export class PassSum {
  readonly #passes: Pass[] = [];
  #gradients: readonly t.Tensor[] = [];

  add(pass: Pass): void {
    const [before, added] = [this.#gradients, pass.gradients];
    this.#passes.push(pass); // first, so that `release` also finds a pass whose gradients cannot be added
    if (this.#passes.length === 1) this.#gradients = added;
    else {
      this.#gradients = t.scope(() => before.map((sum, i) => t.add(sum, added[i]!)));
      for (const tensor of [...before, ...added]) tensor.dispose();
    }
  }

  /** The pass of all slots. The added passes are released. */
  finish(): Pass {
    const [first, ...rest] = this.#passes;
    if (rest.length === 0) return { ...first!, gradients: this.#gradients };
    const join = (pick: (pass: Pass) => t.Tensor): t.Tensor => t.concat(this.#passes.map(pick), 0);
    const joined = t.scope(() => ({
      latents: mapLatents(first!.latents, (_, name) => join(({ latents }) => latents[name]!.value)),
      logits: join(({ logits }) => logits),
      q: join(({ q }) => q),
      targetQContinue: first!.targetQContinue && join(({ targetQContinue }) => targetQContinue!),
      puzzleGradient: first!.puzzleGradient && join(({ puzzleGradient }) => puzzleGradient!),
    }));
    this.#releasePasses();
    return { ...joined, gradients: this.#gradients };
  }

  /** Releases everything that was added, for a step that is given up. */
  release(): void {
    for (const tensor of this.#gradients) tensor.dispose();
    this.#releasePasses();
  }

  #releasePasses(): void {
    for (const pass of this.#passes) {
      for (const { value } of Object.values(pass.latents)) value.dispose();
      releasePass(pass);
    }
  }
}

/** Releases the tensors of a pass, except its latents. */
export function releasePass({ logits, q, targetQContinue, gradients, puzzleGradient }: Pass): void {
  for (const tensor of [logits, q, targetQContinue, puzzleGradient, ...gradients]) tensor?.dispose();
}
