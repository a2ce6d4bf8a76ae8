// The command-line program around a step, shared by our program and the JavaScript peers (torch_step.py implements the same):
//
//   PROGRAM CONFIG.json [--threads N] [--repeat R] [--json] [--case FOLDER]    times steps, prints one line
//   PROGRAM CONFIG.json --case FOLDER --serve                                  makes one step per line of standard input
//
// With --serve it first prints an introduction as one line of JSON. Then it answers "train" with {"ms", "loss"} and "eval" with {"ms"}.
// A program whose introduction contains "peak": true answers "peak" with {"best", "sustained"} (own-peak.ts), measured for as long as
// the previous step took. Nothing else may be written to standard output.
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { median, minimum, rounded } from "./statistics.ts";

/** GFLOP/s of the bare tile loop over many short repetitions. */
export interface PeakRates {
  /** Rate of the fastest repetition. */
  readonly best: number;
  /** Rate over all repetitions, which other load on the processor lowers. */
  readonly sustained: number;
}

/** An engine with its model. */
export interface StepRunner {
  /** Name and version of the engine, and its backend. */
  readonly peer: string;
  readonly params: number;
  readonly threads: number;
  /** Makes a training step, including reading the results back. Returns the loss as a mean over the batch. */
  train(): Promise<number>;
  /** Makes an evaluation step, including reading the results back. */
  evaluate(): Promise<void>;
  /** Measures the current peak of the machine. */
  peak?(seconds: number): PeakRates;
  /** Releases what would keep the process running. */
  dispose?(): void;
}

export interface StepOptions {
  readonly config: string;
  /** 0: all processors. */
  readonly threads: number;
  readonly repeat: number;
  readonly json: boolean;
  readonly backend: string | undefined;
  readonly profile: boolean;
  /** Folder of a case; random weights and batch by default. */
  readonly case: string | undefined;
  readonly serve: boolean;
}

/** The output of a step benchmark. */
export interface StepResult {
  readonly peer: string;
  readonly config: string;
  readonly params: number;
  readonly threads: number;
  readonly train: Times;
  readonly eval: Times;
}

export interface Times {
  readonly min_ms: number;
  readonly median_ms: number;
}

/** The first line of output with --serve. */
export interface Introduction extends Omit<StepResult, "train" | "eval"> {
  /** Whether the program answers "peak". */
  readonly peak?: boolean;
}

const usage = "CONFIG.json [--threads N] [--repeat R] [--json] [--backend NAME] [--profile] [--case FOLDER] [--serve]";

/** @throws Error with the expected values */
export function parseStepOptions(args: readonly string[]): StepOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      threads: { type: "string", default: "0" },
      repeat: { type: "string", default: "7" },
      json: { type: "boolean", default: false },
      backend: { type: "string" },
      profile: { type: "boolean", default: false },
      case: { type: "string" },
      serve: { type: "boolean", default: false },
    },
  });
  const [config, ...rest] = positionals;
  if (!config || rest.length > 0) throw new Error(`got ${positionals.length} files, expected ${usage}`);
  const count = (name: "threads" | "repeat", least: number): number => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= least) return value;
    throw new Error(`--${name}: got "${values[name]}", expected a whole number, at least ${least}`);
  };
  const { json, backend, profile, serve } = values;
  return {
    config,
    threads: count("threads", 0),
    repeat: count("repeat", 1),
    json,
    backend,
    profile,
    case: values.case,
    serve,
  };
}

/** Number of untimed steps at the beginning. */
export const warmUps = 2;

/** Makes untimed steps for warming up, then times `repeat` steps. */
export async function timeSteps(runner: StepRunner, config: string, repeat: number): Promise<StepResult> {
  const times = async (step: () => Promise<unknown>): Promise<Times> => {
    const all: number[] = [];
    for (let i = 0; i < warmUps + repeat; i++) {
      const start = performance.now();
      await step();
      all.push(performance.now() - start);
    }
    const timed = all.slice(warmUps);
    return { min_ms: rounded(minimum(timed)), median_ms: rounded(median(timed)) };
  };
  return {
    ...introduction(runner, config),
    train: await times(() => runner.train()),
    eval: await times(() => runner.evaluate()),
  };
}

const introduction = ({ peer, params, threads }: StepRunner, config: string): Introduction => ({
  peer,
  config: basename(config),
  params,
  threads,
});

async function serve(runner: StepRunner, config: string): Promise<void> {
  const print = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  print({ ...introduction(runner, config), peak: runner.peak !== undefined });
  let ms = 0; // duration of the previous step
  for await (const line of createInterface({ input: process.stdin })) {
    const start = performance.now();
    if (line === "train") {
      const loss = await runner.train();
      ms = performance.now() - start;
      print({ ms, loss });
    } else if (line === "eval") {
      await runner.evaluate();
      ms = performance.now() - start;
      print({ ms });
    } else if (line === "peak" && runner.peak) {
      print(runner.peak(ms / 1000));
    } else throw new Error(`got "${line}", expected "train", "eval" or "peak"`);
  }
}

/** Parses the arguments, starts the engine, and times or serves its steps. An error is one line on standard error. */
export async function runStepProgram(
  start: (options: StepOptions) => Promise<StepRunner>,
  report: (result: StepResult, config: string) => string = (result) => JSON.stringify(result),
): Promise<void> {
  try {
    const options = parseStepOptions(process.argv.slice(2));
    const runner = await start(options);
    const result = options.serve
      ? await serve(runner, options.config)
      : await timeSteps(runner, options.config, options.repeat);
    runner.dispose?.();
    if (result) console.log(options.json ? JSON.stringify(result) : report(result, options.config));
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
