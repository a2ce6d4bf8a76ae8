// Gradient accumulation: how many slots fit into memory at once. A batch that does not fit is computed in parts whose gradients
// are summed, which equals the whole batch up to rounding.
import { swigluWidth } from "../nn/index.ts";
import { type Config, fullLength, layersForY, type ModelConfig } from "./config.ts";

/** Bytes that the tape of one part may take. The wasm backend addresses 4 GB, which the weights and the carry share. */
const tapeBudget = 1.5e9;

/** Estimated bytes on the tape per slot: what the blocks of the last latent recursion save for the backward pass, in float32. */
export function tapeBytesPerSlot(config: ModelConfig): number {
  const { recursion, n, layers, oneStepGradient } = config;
  const layersY = layersForY(config);
  const updatesOfZ = recursion === "direct" ? 0 : oneStepGradient ? 1 : n;
  return 4 * (updatesOfZ * layers + layersY) * floatsPerBlock(config);
}

/** Numbers that one block saves for one sequence: its two inputs and outputs, and the activations before the gates. */
function floatsPerBlock({ hiddenSize: D, expansion, widthMultiple, mixer, ...config }: ModelConfig): number {
  const L = fullLength({ hiddenSize: D, expansion, widthMultiple, mixer, ...config });
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
