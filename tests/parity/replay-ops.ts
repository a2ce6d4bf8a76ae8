// Replays single operations (forward and vector-Jacobian product), optimizer steps and the learning-rate schedule.
import * as ad from "../../src/autograd/index.ts";
import { parameter, type Variable } from "../../src/autograd/index.ts";
import { Adam, learningRate } from "../../src/nn/index.ts";
import { cast, scope, signSgdUpdate, type Tensor, tensor } from "../../src/tensor/index.ts";
import type { CaseTensors, OpsCase } from "./case.ts";
import type { Comparison } from "./compare.ts";

const tolerance = 1e-4;
const gradientTolerance = 1e-3;

export async function replayOps(official: OpsCase, tensors: CaseTensors, compare: Comparison): Promise<void> {
  const side = (name: string): Tensor => {
    const entry = tensors.entry(name);
    const isInteger = entry.dtype === "I32" || entry.dtype === "I64";
    return tensor(isInteger ? tensors.integers(name) : tensors.floats(name), { shape: entry.shape });
  };
  const constant = (name: string): Variable => ad.constant(side(name));

  /** The operations by the names of the case. */
  const operations: Record<string, (...inputs: Variable[]) => Variable> = {
    batched_matmul_broadcast: (a, b) => ad.matmul(a!, b!),
    bce_with_logits: (logits) => ad.bceWithLogits(logits!, constant("bce_with_logits/target")),
    linear: (x, w) => ad.linear(x!, w!),
    rms_norm: (x) => ad.rmsNorm(x!),
    rms_norm_tiny: (x) => ad.rmsNorm(x!),
    rope_q: (x) => ad.rotate(x!, constant("rope/cos"), constant("rope/sin")),
    sdpa: (q, k, v) => ad.attention(q!, k!, v!),
    silu: (x) => ad.silu(x!),
    softmax: (x) => ad.softmax(x!),
    softmax_cross_entropy: (x) => ad.crossEntropy(x!, constant("cross_entropy/labels"), "softmax"),
    stablemax_cross_entropy: (x) => ad.crossEntropy(x!, constant("cross_entropy/labels"), "stablemax"),
  };

  const named = new Set(tensors.names.filter((name) => name.endsWith("/out")).map((name) => name.slice(0, -4)));
  for (const name of named) {
    const operation = operations[name];
    if (!operation) {
      compare.equal(`${name} (not implemented)`, [false], [true]);
      continue;
    }
    const inputs: Variable[] = [];
    while (tensors.has(`${name}/in${inputs.length}`)) inputs.push(parameter(side(`${name}/in${inputs.length}`)));
    const pending = scope(() => {
      const output = operation(...inputs);
      const seed = side(`${name}/grad_out`);
      const computed = ad.gradients(output, inputs, seed.dtype === output.dtype ? seed : cast(seed, output.dtype));
      return { value: output.value.data(), gradients: computed.map((gradient) => gradient.data()) };
    });
    compare.close(`${name}/out`, await pending.value, tensors.doubles(`${name}/out`), tolerance);
    for (const [i, gradient] of pending.gradients.entries()) {
      compare.close(`${name}/grad${i}`, await gradient, tensors.doubles(`${name}/grad${i}`), gradientTolerance);
    }
    for (const input of inputs) input.value.dispose();
  }
  await replayAdam();
  await replaySignSgd();
  replaySchedule();

  async function replayAdam(): Promise<void> {
    const { lr, betas, weight_decay: weightDecay, steps } = official.adam_atan2;
    const w = parameter(side("adam_atan2/w0"));
    const adam = new Adam("adamAtan2", { beta1: betas[0], beta2: betas[1], weightDecay }, new Map([["w", w]]));
    for (let step = 1; step <= steps; step++) scope(() => adam.update([side(`adam_atan2/grad${step}`)], lr));
    const state = new Map(adam.moments());
    const expected = { w: `w${steps}`, "m/w": `exp_avg${steps}`, "v/w": `exp_avg_sq${steps}` };
    for (const [own, theirs] of Object.entries(expected)) {
      const got = await (state.get(own) ?? w.value).data();
      compare.close(`adam_atan2/${theirs}`, got, tensors.floats(`adam_atan2/${theirs}`), tolerance);
    }
    adam.dispose();
    w.value.dispose();
  }

  async function replaySignSgd(): Promise<void> {
    const { lr, weight_decay } = official.sign_sgd;
    const table = side("sign_sgd/weights0");
    signSgdUpdate(table, side("sign_sgd/ids"), side("sign_sgd/grad"), lr, weight_decay);
    compare.close("sign_sgd/weights1", await table.data(), tensors.floats("sign_sgd/weights1"), 1e-6);
  }

  function replaySchedule(): void {
    for (const { base, warmup, total, min_ratio, values } of official.lr_schedule) {
      const options = { base, warmupSteps: warmup, totalSteps: total, minRatio: min_ratio };
      compare.close(
        "lr_schedule",
        values.map((_, step) => learningRate(step, options)),
        values,
        1e-6,
      );
    }
  }
}
