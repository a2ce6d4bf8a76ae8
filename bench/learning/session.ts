// One training of bench:learn: the same start, the same puzzles in the same order and the same settings for every program.
import {
  type Batch,
  type BatchSource,
  type Config,
  type Examples,
  evaluate,
  parseConfig,
  ShuffledExamples,
  Training,
} from "../../src/trm/index.ts";
import type { LearningTask } from "./goals.ts";

/** The state of a training at an evaluation. */
export interface Point {
  readonly step: number;
  /** Time spent in training steps. */
  readonly seconds: number;
  /** Exact accuracy on the test set after supervision step 1 and after the last one. */
  readonly exact: readonly [first: number, last: number];
}

export interface Session {
  readonly config: Config;
  readonly source: RecordedSource;
  readonly test: Examples;
  readonly training: Training;
}

/** Generates the puzzles of a seed and draws the initial weights. */
export async function openSession(
  task: LearningTask,
  seed: number,
  overrides: Readonly<Record<string, unknown>>,
): Promise<Session> {
  const { sequenceLength, vocabularySize, columns } = task.task;
  const settings = { ...task.settings, ...overrides };
  const shape = { sequenceLength, vocabularySize, ...(settings.positions === "rotary2d" && { columns }) };
  const config = parseConfig({ ...settings, ...shape, seed });
  const { train, test } = await task.sets(seed);
  const source = new RecordedSource(new ShuffledExamples(train, seed, task.augment ? task.task : undefined));
  return { config, source, test, training: new Training(config, source) };
}

/** Trains until every goal is reached, or to `maxSteps`. */
export async function train(
  { config, test, training }: Session,
  { goals, evaluateEvery, maxSteps }: LearningTask,
  onPoint: (point: Point) => void,
): Promise<Point[]> {
  const points: Point[] = [];
  let seconds = 0;
  while (training.step < maxSteps && !reached(points, goals.at(-1)!.exact)) {
    const start = performance.now();
    await training.supervisionStep();
    seconds += (performance.now() - start) / 1000;
    if (training.step % evaluateEvery !== 0) continue;
    const { exact } = await evaluate(training.evaluationModel, test, { ...config.training, batchSize: 100 });
    points.push({ step: training.step, seconds, exact: [exact[0]!, exact.at(-1)!] });
    onPoint(points.at(-1)!);
  }
  return points;
}

/** The first point at which an accuracy is reached. */
export const reached = (points: readonly Point[], exact: number): Point | undefined =>
  points.find((point) => point.exact[1] >= exact);

/** Records the batches that a training draws, so that another program can train on the same puzzles. */
export class RecordedSource implements BatchSource {
  /** Per step: [B, L] questions, then [B, L] answers, one byte per token. */
  readonly drawn: Uint8Array[] = [];
  constructor(private readonly inner: BatchSource) {}
  get sequenceLength(): number {
    return this.inner.sequenceLength;
  }
  next(batchSize: number): Batch {
    const batch = this.inner.next(batchSize);
    this.drawn.push(Uint8Array.from(batch.inputs), Uint8Array.from(batch.labels));
    return batch;
  }
  get state(): unknown {
    return this.inner.state;
  }
  set state(state: unknown) {
    this.inner.state = state;
  }
}
