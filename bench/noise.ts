// The cost of the noise of rollouts: the CPU time of drawing and adding e ~ N(0, sigma^2 I) before a supervision step, as a share of
// the step and the noise together. CPU time of one thread, because other processes change the time that passes on the clock.
import { parseArgs } from "node:util";
import { loadRun } from "../src/runs/index.node.ts";
import { defaultBackend, Random, scope, useBackend } from "../src/tensor/index.ts";
import { type Model, noiseOnZ } from "../src/trm/index.ts";
import { PredictionRun } from "../src/trm/prediction.ts";
import { median } from "./shared/statistics.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { batch: { type: "string", default: "64" }, repeat: { type: "string", default: "15" } },
});
const [batch, repeat] = [Number(values.batch), Number(values.repeat)];
const names = positionals.length > 0 ? positionals : ["sudoku6", "maze9", "sudoku9"];

/** CPU milliseconds of this process while `body` runs. */
function cpuTime(body: () => void): number {
  const { user, system } = process.cpuUsage();
  body();
  const after = process.cpuUsage();
  return (after.user - user + after.system - system) / 1000;
}

/** The medians of a supervision step and of its noise, measured in turns so that a slow phase of the machine hits both. */
function measure(model: Model): { step: number; noise: number } {
  const { sequenceLength, vocabularySize } = model.config;
  const random = new Random(1);
  const inputs = Int32Array.from({ length: batch * sequenceLength }, () => 1 + random.integer(vocabularySize - 1));
  const run = new PredictionRun(model, { inputs });
  const noise = noiseOnZ(0.3);
  const puzzles = Int32Array.from({ length: batch }, (_, i) => i);
  const rollout = { seed: 0, k: 1 };
  const steps: number[] = [];
  const noises: number[] = [];
  for (let step = 1; step <= repeat + 2; step++) {
    const context = { step, steps: new Int32Array(batch), puzzles, random, rollout };
    const [stepTime, noiseTime] = [
      cpuTime(() => {
        for (const tensor of Object.values(run.step())) tensor.dispose();
      }),
      cpuTime(() => scope(() => void noise(run.latents, context))),
    ];
    if (step <= 2) continue; // compiles kernels and allocates memory
    steps.push(stepTime);
    noises.push(noiseTime);
  }
  run.dispose();
  return { step: median(steps), noise: median(noises) };
}

await useBackend("wasm", { threads: 1, build: "fastest" });
console.log(`batch ${batch}, medians of ${repeat}, CPU time of one thread, wasm (${defaultBackend().build})\n`);
console.log("| model | supervision step | noise | share of the noise |");
console.log("|---|---|---|---|");
for (const name of names) {
  const { model } = await loadRun(`weights/${name}`);
  const { step, noise } = measure(model);
  const share = (100 * noise) / (step + noise);
  console.log(`| ${name} | ${step.toFixed(1)} ms | ${noise.toFixed(2)} ms | ${share.toFixed(1)}% |`);
  model.dispose();
}
