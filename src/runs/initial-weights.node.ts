// A warm start: a new training that begins with the weights of a checkpoint instead of random ones. Nothing else is taken over:
// the moments of the optimizer are zero, and the step counts from 0.
import { createHash } from "node:crypto";
import { parseSafetensors, type SafetensorsFile } from "../formats/index.ts";
import type { Config, Training } from "../trm/index.ts";
import { evaluatedFile, weightsFile } from "./checkpoint.ts";
import { readCheckpoint } from "./checkpoint-folder.node.ts";
import type { RunAbout } from "./run-folder.node.ts";
import { importWeights } from "./weights.ts";

export interface InitialWeights {
  /** Configuration of the training that produced the weights. */
  readonly config: Config;
  /** As run.json records it. */
  readonly about: NonNullable<RunAbout["init"]>;
  /** Sets the weights of a new training, and their average. @throws CheckpointError if the shapes differ */
  apply(training: Training): void;
}

/**
 * @param path  run folder (its newest checkpoint) or checkpoint folder
 * @param isRaw  takes the weights themselves instead of their moving average
 * @throws CheckpointError
 */
export function readInitialWeights(path: string, isRaw: boolean): InitialWeights {
  const { side, files, path: folder } = readCheckpoint(path, (each) => [isRaw ? weightsFile : evaluatedFile(each)]);
  const [name, bytes] = [...files][0]!;
  const where = `${folder}/${name}`;
  const file: SafetensorsFile = parseSafetensors(bytes, where);
  return {
    config: side.config,
    about: {
      source: folder,
      step: side.step,
      weights: name === weightsFile ? "raw" : "averaged",
      sha256: createHash("sha256").update(bytes).digest("hex"),
    },
    apply({ model, ema }) {
      for (const each of [model, ema]) if (each) importWeights(each, file, where);
    },
  };
}
