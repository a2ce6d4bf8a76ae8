// The step of torch_step.py on this project's engine: exactly the same arithmetic, without puzzle rows and moving average.
// src/trm/training.ts contains the complete training loop.
import { affine, constant, gradients, noGrad, type Variable } from "../src/autograd/index.ts";
import { Adam } from "../src/nn/index.ts";
import * as t from "../src/tensor/index.ts";
import { deepRecursion, type Latents, lossOf, Model, parseConfig } from "../src/trm/index.ts";
import type { Case, CaseTensor } from "./shared/case.ts";
import type { StepRunner } from "./shared/program.ts";

const learningRate = 1e-4;
const adam = { beta1: 0.9, beta2: 0.95, weightDecay: 0.1 };
const lossOptions = { loss: "stablemax", haltingLossWeight: 0.5 } as const;

/** The name in torch_step.py of a parameter of this project. */
export function peerName(own: string): string {
  const names: Record<string, string> = {
    "embedding.weight": "tokens",
    "outputWeights.weight": "output_head",
    "qWeights.weight": "q_weight",
    "qWeights.bias": "q_bias",
  };
  return (
    names[own] ??
    own
      .replace(/^net\./, "")
      .replace("sequenceMlp", "mixer")
      .replace("gateUp", "gate_up")
  );
}

/** The name of this project in reports, with the build of the kernels and the number of threads. */
export const nameOf = ({ name, build }: t.Backend): string => `trm-ts ${name} (${build})`;

/** Builds the step of a case on a backend, which becomes the backend of the root scope. */
export function ourStep(start: Case, backend: t.Backend, threads: number): StepRunner {
  t.setRootBackend(backend);
  const batch = start.config.batch_size;
  const model = new Model(parseConfig({ ...start.config }, "bench").model, new t.Random(0));
  for (const [name, { value }] of model.namedParameters()) {
    const weight = start.weights.get(peerName(name));
    if (!weight) throw new Error(`the case has no weight "${peerName(name)}"`);
    t.assign(value, weight.data);
  }
  const parameters = model.parameters();
  const optimizer = new Adam("adamAtan2", adam, new Map(model.namedParameters()));

  const tensorOf = ({ shape, data }: CaseTensor): t.Tensor => t.tensor(data, { shape });
  const inputs = tensorOf(start.inputs);
  const labels = start.labels.data as Int32Array;
  const puzzleIds = t.tensor(new Int32Array(batch)); // row 0 is zero, like the slots of the peers
  const x = (): Variable => model.embed(inputs, puzzleIds).x;
  let latents: Latents = { y: constant(tensorOf(start.y)), z: constant(tensorOf(start.z)) };
  const carry = (next: Latents): void => {
    const previous = latents;
    latents = Object.fromEntries(Object.entries(next).map(([name, { value }]) => [name, constant(t.keep(value))]));
    for (const { value } of Object.values(previous)) value.dispose();
  };

  return {
    peer: nameOf(backend),
    params: model.parameterCount(),
    threads,

    async train() {
      const report = t.scope(() => {
        const next = deepRecursion(model.recur, x(), latents, model.T);
        const loss = lossOf({ ...model.heads(next), labels, targetQContinue: null }, lossOptions);
        optimizer.update(gradients(affine(loss.total, 1 / batch), parameters), learningRate);
        carry(next);
        return loss.report;
      });
      const [loss] = await report.data();
      report.dispose();
      return loss! / batch;
    },

    async evaluate() {
      const { logits, q } = t.scope(() =>
        noGrad(() => {
          const next = deepRecursion(model.recur, x(), latents, model.T);
          carry(next);
          const { logits, q } = model.heads(next);
          return { logits: logits.value, q: q.value };
        }),
      );
      await Promise.all([logits.data(), q.data()]);
      logits.dispose();
      q.dispose();
    },

    dispose: () => backend.dispose(),
  };
}
