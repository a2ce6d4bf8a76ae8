// The cost of a supervision step: floating-point operations of its matrix products, which are nearly all of its operations.
import { swigluWidth } from "../nn/index.ts";
import { type Config, effectiveDepth, expectConfig, fullLength, layersForY, type ModelConfig } from "./config.ts";

/** Operations of one block on one sequence, forward. A product of [a, b] and [b, c] takes 2abc. */
function blockFlops(config: ModelConfig): number {
  const { hiddenSize: D, expansion, widthMultiple, mixer } = config;
  const L = fullLength(config);
  const swiglu = (width: number): number => 6 * width * swigluWidth(width, expansion, widthMultiple); // gate, up, down
  const mixing = mixer === "mlp" ? D * swiglu(L) : 8 * L * D * D + 4 * L * L * D; // q, k, v, out; scores and their use
  return mixing + L * swiglu(D);
}

/** Blocks of one supervision step on the tape: those of the updates of z, and of the last update of y. */
export function blocksOnTape(config: ModelConfig): number {
  const { recursion, n, layers, oneStepGradient, gradientSteps } = config;
  const afterSolver = recursion === "fixedPoint" ? gradientSteps : n;
  const updatesOfZ = recursion === "direct" ? 0 : oneStepGradient ? 1 : afterSolver;
  return updatesOfZ * layers + layersForY(config);
}

/** Operations of a training step on the whole batch. The backward pass takes twice as many as the forward pass. */
export function trainingFlops(config: Config): number {
  expectConfig("trainingFlops", config);
  const { model, training } = config;
  const blocks = effectiveDepth(model);
  const forward = training.continueLoss ? 2 * blocks : blocks; // q_continue takes one more forward pass
  const backward = 2 * blocksOnTape(model);
  const heads = 3 * 2 * model.sequenceLength * model.hiddenSize * model.vocabularySize;
  return training.batchSize * ((forward + backward) * blockFlops(model) + heads);
}
