// The same training in PyTorch (bench/peers/torch_learn.py): writes its start to a folder and reads its points.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fullLength, type Training } from "../../src/trm/index.ts";
import { peerName } from "../ours.ts";
import type { LearningTask } from "./goals.ts";
import type { Point, Session } from "./session.ts";

interface WeightEntry {
  readonly name: string;
  readonly shape: readonly number[];
  /** Offset in weights.bin, in numbers. */
  readonly offset: number;
}

/** Writes the initial weights, before the first training step. */
export async function writeStart(folder: string, { model }: Training): Promise<WeightEntry[]> {
  const entries: WeightEntry[] = [];
  const arrays: Float32Array[] = [];
  let offset = 0;
  const named = [...model.namedParameters()].map(([name, { value }]) => [peerName(name), value] as const);
  for (const [name, tensor] of [...named, ...model.initial]) {
    const data = Float32Array.from(await tensor.data());
    entries.push({ name, shape: tensor.shape, offset });
    arrays.push(data);
    offset += data.length;
  }
  writeFileSync(join(folder, "weights.bin"), Buffer.concat(arrays.map((data) => Buffer.from(data.buffer))));
  return entries;
}

/** Writes the rest of the start: configuration, unseen puzzles, and batches for up to twice the steps that trm-ts has made. */
export function writeTraining(
  folder: string,
  weights: readonly WeightEntry[],
  { config, source, test }: Session,
  { goals, evaluateEvery, maxSteps }: LearningTask,
): void {
  const { model, training } = config;
  const steps = Math.min(maxSteps, source.drawn.length);
  while (source.drawn.length < 2 * steps) source.next(training.batchSize);
  const about = {
    model: {
      seq_len: model.sequenceLength,
      vocab_size: model.vocabularySize,
      puzzle_emb_len: fullLength(model) - model.sequenceLength,
      H_cycles: model.T,
      L_cycles: model.n,
      L_layers: model.layers,
      hidden_size: model.hiddenSize,
      expansion: model.expansion,
      num_heads: model.heads,
      pos_encodings: model.positions === "rotary" ? "rope" : model.positions,
      columns: model.columns,
      mlp_t: model.mixer === "mlp",
      intermediate_multiple: model.widthMultiple,
    },
    training,
    weights,
    goal: goals.at(-1)!.exact,
    evaluateEvery,
    maxSteps: steps,
  };
  writeFileSync(join(folder, "training.json"), JSON.stringify(about));
  writeFileSync(join(folder, "batches.bin"), Buffer.concat(source.drawn));
  writeFileSync(join(folder, "test.bin"), Buffer.from([...test.inputs, ...test.labels]));
}

/** Runs the peer. @throws Error with the last line of its standard error */
export async function trainPeer(
  command: readonly string[],
  folder: string,
  threads: number,
  onPoint: (point: Point) => void,
): Promise<Point[]> {
  const [program, ...args] = command;
  const child = spawn(program!, [...args, folder, ...(threads > 0 ? ["--threads", String(threads)] : [])]);
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-2000);
  });
  const ended = new Promise<number | null>((resolve, reject) => child.once("close", resolve).once("error", reject));
  const points: Point[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    points.push(JSON.parse(line) as Point);
    onPoint(points.at(-1)!);
  }
  if ((await ended) !== 0) throw new Error(`torch_learn.py: ${errors.trim().split("\n").at(-1)}`);
  return points;
}
