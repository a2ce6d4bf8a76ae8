// `npm run bench:step -- CONFIG.json` times one training step and one evaluation step of this project's engine; --profile prints
// their profile.
import { Random } from "../src/tensor/index.ts";
import { loadBenchBackend } from "./backend.ts";
import { ourStep } from "./ours.ts";
import { ownPeak } from "./own-peak.ts";
import { Profile } from "./profile.ts";
import { makeCase, readCase } from "./shared/case.ts";
import { readStepConfig } from "./shared/config.ts";
import { stepFlops } from "./shared/flops.ts";
import { runStepProgram, type StepOptions, type StepResult, type StepRunner, warmUps } from "./shared/program.ts";

await runStepProgram(start, summary);

async function start(options: StepOptions): Promise<StepRunner> {
  const config = readStepConfig(options.config);
  const { backend, threads } = await loadBenchBackend(options.backend, options.threads);
  const profile = options.profile ? new Profile(backend) : null;
  const step = ourStep(options.case ? readCase(options.case) : makeCase(config, new Random(0)), backend, threads);
  return profile ? profiled(step, profile) : { ...step, peak: (seconds) => ownPeak(backend, seconds) };
}

/** Profiles the timed steps. Prints the profile when the kind of step changes, and at the end. */
function profiled(step: StepRunner, profile: Profile): StepRunner {
  let kind = "";
  let steps = 0;
  const counted = async <T>(name: string, body: () => Promise<T>): Promise<T> => {
    if (name !== kind) {
      if (kind) print();
      [kind, steps] = [name, 0];
    }
    if (steps++ === warmUps) profile.restart();
    let result: T | undefined;
    await profile.step(async () => {
      result = await body();
    });
    return result!;
  };
  const print = (): void => console.log(`${kind}: ${profile.report()}\n`);
  return {
    ...step,
    train: () => counted("train", () => step.train()),
    evaluate: () => counted("eval", () => step.evaluate()),
    dispose() {
      print();
      step.dispose?.();
    },
  };
}

function summary({ peer, config, params, threads, train, eval: evaluation }: StepResult, path: string): string {
  const flops = stepFlops(readStepConfig(path));
  const line = (name: "train" | "eval", { min_ms, median_ms }: StepResult["train"]): string =>
    `${name.padEnd(5)} ${median_ms} ms (median), ${min_ms} ms (minimum), ${(flops[name] / median_ms / 1e6).toFixed(1)} GFLOP/s`;
  return [
    `${peer} on ${config}, ${params} parameters, ${threads} thread(s)`,
    line("train", train),
    line("eval", evaluation),
  ].join("\n");
}
