// Training steps of a small model, the same in Node and in a Web Worker, from the library's main entry.
import { parseConfig, ShuffledExamples, sudokuTask, Training, tensor } from "../../src/index.ts";

export interface StepReport {
  readonly losses: readonly number[];
  readonly build: string;
  /** Threads that helped, the calling one not counted. */
  readonly helpers: number;
  readonly warnings: readonly string[];
}

/** Two training steps of a model with sequence mixing by attention and two by MLP. */
export async function trainSmallModels(): Promise<StepReport> {
  const warnings: string[] = [];
  const { warn } = console;
  console.warn = (text: string) => void warnings.push(text);
  try {
    const backend = new tensor.WasmBackend(typeof SharedArrayBuffer === "undefined" ? {} : { threads: 2 });
    tensor.setRootBackend(backend);
    await helpersOf(backend);
    const losses: number[] = [];
    const task = sudokuTask(4);
    const { train } = task.generate({ train: 40, test: 8, seed: 1 });
    for (const mixer of ["mlp", "attention"]) {
      const config = parseConfig({
        vocabularySize: task.vocabularySize,
        sequenceLength: task.sequenceLength,
        ...{ T: 2, n: 2, layers: 2, hiddenSize: 64, mixer, heads: 4, positions: mixer === "mlp" ? "none" : "rotary" },
        ...{ batchSize: 32, seed: 3 },
      });
      const training = new Training(config, new ShuffledExamples(train, 5, task));
      for (let step = 0; step < 2; step++) losses.push((await training.supervisionStep()).loss);
    }
    const helpers = backend.runtime.readyHelpers;
    // A second backend says nothing new.
    new tensor.WasmBackend(typeof SharedArrayBuffer === "undefined" ? {} : { threads: 1 }).dispose();
    const { build } = backend;
    backend.dispose();
    return { losses, build, helpers, warnings };
  } finally {
    console.warn = warn;
  }
}

/** Waits until the helping threads have started, so that the steps really run on them. */
async function helpersOf({ runtime }: tensor.WasmBackend): Promise<void> {
  for (let i = 0; i < 200 && runtime.readyHelpers < runtime.threads - 1; i++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
