// The number of weights of a model, from its configuration alone.
import { swigluWidth } from "../nn/index.ts";
import { expectModelConfig, fullLength, layersForY, type ModelConfig } from "./config.ts";

/** Weights of a model: the parameters, and the table of the puzzle embedding. */
export function weightCount(config: ModelConfig): number {
  expectModelConfig("weightCount", config);
  const { hiddenSize: D, vocabularySize: V, layers, positions, puzzleIds, puzzleEmbeddingSize } = config;
  const blocks = config.separateNets ? layers + layersForY(config) : layers;
  const heads = 2 * V * D + 2 * D + 2; // embedding, output, q with its bias
  const learned = positions === "learned" ? fullLength(config) * D : 0;
  return heads + learned + blocks * blockWeights(config) + puzzleIds * puzzleEmbeddingSize;
}

function blockWeights(config: ModelConfig): number {
  const { hiddenSize: D, expansion, widthMultiple, mixer } = config;
  const swiglu = (width: number): number => 3 * width * swigluWidth(width, expansion, widthMultiple); // gate, up, down
  return swiglu(D) + (mixer === "mlp" ? swiglu(fullLength(config)) : 4 * D * D); // q, k, v, out
}
