// The puzzles of a run, stored as one safetensors file, and as CSV text for the reader.
import {
  CheckpointError,
  parseSafetensors,
  serializeSafetensors,
  toInt32,
  type WritableTensor,
} from "../formats/index.ts";
import { type TaskChoice, taskOf, writePuzzleCsv } from "../puzzles/index.ts";
import { ConfigError, type Examples } from "../trm/index.ts";

export interface RunSets {
  readonly train: Examples;
  readonly watch: Examples;
  readonly unseen: Examples;
}

const setNames = ["train", "watch", "unseen"] as const;

/** @throws ConfigError for a token that does not fit into a byte */
export function packSets(sets: RunSets): Uint8Array {
  const tensors = new Map<string, WritableTensor>();
  for (const name of setNames) {
    const { count, length, inputs, labels } = sets[name];
    const shape = [count, length];
    tensors.set(`${name}/inputs`, { shape, data: bytesOf(inputs, name) });
    tensors.set(`${name}/labels`, { shape, data: bytesOf(labels, name) });
  }
  return serializeSafetensors(tensors);
}

function bytesOf(tokens: Int32Array, name: string): Uint8Array {
  const wrong = tokens.find((token) => token < 0 || token > 255);
  if (wrong === undefined) return Uint8Array.from(tokens);
  throw new ConfigError(
    `run: token ${wrong} in ${name}, expected 0 to 255 (a run stores one byte per token; 0 marks a label that does not count)`,
  );
}

/** @param where  name of the file for errors. @throws CheckpointError */
export function parseSets(bytes: Uint8Array, where: string): RunSets {
  const { tensors } = parseSafetensors(bytes, where);
  const read = (name: (typeof setNames)[number]): Examples => {
    const [inputs, labels] = [tensors.get(`${name}/inputs`), tensors.get(`${name}/labels`)];
    const [rows, length] = inputs?.shape ?? [];
    const areTables = inputs?.shape.length === 2 && inputs.shape.join() === labels?.shape.join();
    if (!inputs || !labels || rows === undefined || !length || !areTables) {
      throw new CheckpointError(
        `${where}: "${name}/inputs" and "${name}/labels" are missing or differ in size, expected two [puzzles, cells] tables`,
      );
    }
    return { count: rows, length, inputs: toInt32(name, inputs), labels: toInt32(name, labels) };
  };
  return { train: read("train"), watch: read("watch"), unseen: read("unseen") };
}

/** CSV in the official form, with a rating of 0 for every puzzle. */
export function setAsCsv(choice: TaskChoice, { count, length, inputs, labels }: Examples): string {
  const task = taskOf(choice);
  const row = (tokens: Int32Array, index: number) => task.format(tokens.subarray(index * length, (index + 1) * length));
  return writePuzzleCsv(
    Array.from({ length: count }, (_, index) => ({
      source: task.name,
      question: row(inputs, index),
      answer: row(labels, index),
      rating: 0,
    })),
  );
}
