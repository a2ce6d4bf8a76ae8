// Loads the model of a run folder or a checkpoint folder for evaluation.
import { CheckpointError } from "../formats/index.ts";
import { type TaskChoice, taskOf } from "../puzzles/index.ts";
import { type CheckpointChoice, readCheckpoint } from "../runs/index.node.ts";
import { type DataFingerprint, evaluatedFile, modelFrom } from "../runs/index.ts";
import type { Config, Model, Task } from "../trm/index.ts";

export interface LoadedModel {
  readonly model: Model;
  readonly config: Config;
  readonly choice: TaskChoice;
  readonly task: Task;
  readonly step: number;
  /** The data set that the model was trained on; undefined in checkpoints of earlier versions. */
  readonly data: DataFingerprint | undefined;
}

/** @throws CheckpointError */
export function loadModel(path: string, checkpoint?: CheckpointChoice): LoadedModel {
  const { side, files, path: where } = readCheckpoint(path, (read) => [evaluatedFile(read)], checkpoint);
  const { config, task: choice, step, data } = side;
  const task = taskOf(choice);
  const { sequenceLength, vocabularySize } = config.model;
  if (sequenceLength !== task.sequenceLength || vocabularySize !== task.vocabularySize) {
    throw new CheckpointError(
      `${where}: the model has ${sequenceLength} cells and ${vocabularySize} tokens, ${task.name} has ${task.sequenceLength} and ${task.vocabularySize}`,
    );
  }
  const name = evaluatedFile(side);
  return { model: modelFrom(side, files.get(name)!, `${where}/${name}`), config, choice, task, step, data };
}
