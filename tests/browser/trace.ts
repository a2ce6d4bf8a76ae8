// Records a trace as JSON on the reference backend. It runs in Node and in a Web Worker (trace.browser.test.ts).
import { Model, parseConfig, recordTrace, sudokuTask, traceBasis } from "../../src/index.ts";
import { defaultBackend, Random, ReferenceBackend, setRootBackend } from "../../src/tensor/index.ts";

/** Header and frames of two supervision steps, with positions. */
export async function recordedTrace(): Promise<string> {
  const before = defaultBackend();
  setRootBackend(new ReferenceBackend());
  try {
    const task = sudokuTask(4);
    const { test } = task.generate({ train: 1, test: 1, seed: 1 });
    const { vocabularySize, sequenceLength } = task;
    const size = {
      hiddenSize: 16,
      heads: 2,
      widthMultiple: 8,
      T: 2,
      n: 2,
      mixer: "attention",
      positions: "rotary",
    } as const;
    const model = new Model(parseConfig({ vocabularySize, sequenceLength, ...size }).model, new Random(7));
    const basis = await traceBasis(model, test, { steps: 2 });
    const trace = await recordTrace(model, test, { steps: 2, basis, task: task.name, truth: test.labels });
    model.dispose();
    return JSON.stringify(trace);
  } finally {
    setRootBackend(before);
  }
}
