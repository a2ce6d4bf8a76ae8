// `npm run bench:step -- CONFIG.json`: times one training step and one evaluation step of this project's engine.
import { Random } from "../src/tensor/index.ts";
import { loadBenchBackend } from "./backend.ts";
import { ourStep } from "./ours.ts";
import { makeCase, readCase } from "./shared/case.ts";
import { readStepConfig } from "./shared/config.ts";
import { stepFlops } from "./shared/flops.ts";
import { runStepProgram, type StepResult } from "./shared/program.ts";

await runStepProgram(
  async (options) => {
    const config = readStepConfig(options.config);
    const { backend, threads } = await loadBenchBackend(options.backend, options.threads);
    return ourStep(options.case ? readCase(options.case) : makeCase(config, new Random(0)), backend, threads);
  },
  (result) => inWords(result),
);

function inWords({ peer, config, params, threads, train, eval: evaluation }: StepResult): string {
  const flops = stepFlops(readStepConfig(process.argv[2]!));
  const line = (name: "train" | "eval", { min_ms, median_ms }: StepResult["train"]): string =>
    `${name.padEnd(5)} ${median_ms} ms (median), ${min_ms} ms (minimum), ${(flops[name] / median_ms / 1e6).toFixed(1)} GFLOP/s`;
  return [
    `${peer} on ${config}, ${params} parameters, ${threads} thread(s)`,
    line("train", train),
    line("eval", evaluation),
  ].join("\n");
}
