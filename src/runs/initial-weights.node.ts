// A warm start: a new training begins with the weights and the model settings of a checkpoint or of a stored model.
// The moments of the optimizer are zero, and the step counts from 0.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { readBytes } from "../formats/index.node.ts";
import { CheckpointError, parseSafetensors, type SafetensorsFile } from "../formats/index.ts";
import type { Config, Training } from "../trm/index.ts";
import { evaluatedFile, weightsFile } from "./checkpoint.ts";
import { readCheckpoint } from "./checkpoint-folder.node.ts";
import { loadModel, modelConfigFile, modelWeightsFile } from "./load-model.ts";
import { isModelFolder } from "./load-run.node.ts";
import type { RunAbout } from "./run-folder.node.ts";
import { importWeights } from "./weights.ts";

export interface InitialWeights {
  /** Configuration of the training that produced the weights. */
  readonly config: Config;
  /** As run.json records it. */
  readonly about: NonNullable<RunAbout["init"]>;
  /** Sets the weights of a new training, and their average. @throws CheckpointError if the shapes differ */
  apply(training: Pick<Training, "model" | "ema">): void;
}

/**
 * @param path  run folder (its newest checkpoint), checkpoint folder, or a folder with config.json and model.safetensors
 * @param isRaw  takes the weights of a run themselves instead of their moving average
 * @throws CheckpointError
 */
export function readInitialWeights(path: string, isRaw: boolean): InitialWeights {
  const { bytes, where, config, about } = isModelFolder(path) ? fromModel(path, isRaw) : fromCheckpoint(path, isRaw);
  const file: SafetensorsFile = parseSafetensors(bytes, where);
  return {
    config,
    about: { ...about, sha256: createHash("sha256").update(bytes).digest("hex") },
    apply({ model, ema }) {
      for (const each of [model, ema]) if (each) importWeights(each, file, where);
    },
  };
}

interface Source {
  /** The safetensors file and its path. */
  readonly bytes: Uint8Array;
  readonly where: string;
  readonly config: Config;
  readonly about: Omit<InitialWeights["about"], "sha256">;
}

function fromCheckpoint(path: string, isRaw: boolean): Source {
  const { side, files, path: folder } = readCheckpoint(path, (each) => [isRaw ? weightsFile : evaluatedFile(each)]);
  const [name, bytes] = [...files][0]!;
  const about = { source: folder, step: side.step, weights: name === weightsFile ? "raw" : "averaged" } as const;
  return { bytes, where: `${folder}/${name}`, config: side.config, about };
}

function fromModel(path: string, isRaw: boolean): Source {
  if (isRaw) {
    throw new CheckpointError(
      `${path}: holds a single set of weights, expected a run or a checkpoint to take its raw weights`,
    );
  }
  const where = join(path, modelWeightsFile);
  const bytes = readBytes(where);
  const files = { config: readBytes(join(path, modelConfigFile)), weights: bytes };
  const { model, config, step } = loadModel(files, { folder: path });
  model.dispose();
  return { bytes, where, config, about: { source: path, step, weights: "stored" } };
}
