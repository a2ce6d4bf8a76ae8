// Training steps of two small models through the main entry of the library, run both in Node and in a Web Worker.
import { parseConfig, ShuffledExamples, sudokuTask, Training } from "../../src/index.ts";
import * as tensor from "../../src/tensor/index.ts";

export interface StepReport {
  readonly losses: readonly number[];
  readonly build: string;
  /** Number of helping threads, without the calling thread. */
  readonly helpers: number;
  readonly warnings: readonly string[];
}

/** Makes two training steps of a model that mixes the sequence with an MLP and two of a model with attention. */
export async function trainSmallModels(): Promise<StepReport> {
  const warnings: string[] = [];
  const { warn } = console;
  console.warn = (text: string) => void warnings.push(text);
  try {
    const backend = new tensor.WasmBackend(typeof SharedArrayBuffer === "undefined" ? {} : { threads: 2 });
    tensor.setRootBackend(backend);
    await waitForHelpers(backend);
    const losses: number[] = [];
    const task = sudokuTask(4);
    const { train } = task.generate({ train: 40, test: 8, seed: 1 });
    for (const mixer of ["mlp", "attention"] as const) {
      const config = parseConfig({
        vocabularySize: task.vocabularySize,
        sequenceLength: task.sequenceLength,
        T: 2,
        n: 2,
        layers: 2,
        hiddenSize: 64,
        mixer,
        heads: 4,
        positions: mixer === "mlp" ? "none" : "rotary",
        batchSize: 32,
        seed: 3,
      });
      const training = new Training(config, new ShuffledExamples(train, 5, task));
      for (let step = 0; step < 2; step++) losses.push((await training.supervisionStep()).loss);
    }
    const helpers = backend.runtime.readyHelpers;
    // A second backend does not repeat the warning.
    new tensor.WasmBackend(typeof SharedArrayBuffer === "undefined" ? {} : { threads: 1 }).dispose();
    const { build } = backend;
    backend.dispose();
    return { losses, build, helpers, warnings };
  } finally {
    console.warn = warn;
  }
}

/** Waits until the helping threads have started, so that the steps run on them. */
async function waitForHelpers({ runtime }: tensor.WasmBackend): Promise<void> {
  for (let i = 0; i < 200 && runtime.readyHelpers < runtime.threads - 1; i++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
