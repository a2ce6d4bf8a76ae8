// `npm run bench:learn -- TASK...` measures the steps and the time to a stated accuracy on unseen puzzles, over several seeds, next to
// PyTorch with the same model, initial weights, puzzles and settings. One program trains at a time.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadBenchBackend } from "./backend.ts";
import { type Run, readRuns, writeRuns } from "./learning/curves.ts";
import { type LearningTask, learningTask, learningTaskNames } from "./learning/goals.ts";
import { trainPeer, writeStart, writeTraining } from "./learning/peer.ts";
import { learningTable, originLines } from "./learning/report.ts";
import { openSession, type Point, train } from "./learning/session.ts";
import { nameOf } from "./ours.ts";
import { findPython } from "./runner/contestants.ts";
import { describeMachine, describeMoment } from "./runner/machine.ts";
import { wholeNumber } from "./runner/options.ts";

const usage = `npm run bench:learn -- [TASK...] [options]
  TASK              some of ${learningTaskNames.join(", ")} (default: all)
  --seeds N         trainings per task, each with its own puzzles and weights (default: 3)
  --set KEY=VALUE   overrides a setting of the preset small; may be repeated
  --steps N         ends a training after this step
  --threads N       compute threads (default: all processors)
  --no-peer         does not run PyTorch
  --out DIR         folder for the curves, one JSON file per task (default: bench/learning/curves)
  --resume          keeps the trainings in that folder and measures only the missing seeds

The curves of every seed are written when it ends, so that an interrupted measurement can be resumed.

Examples:
  npm run bench:learn -- sudoku4 --seeds 1 --set learningRate=2e-3
  npm run bench:learn -- sudoku9 --resume`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    seeds: { type: "string", default: "3" },
    set: { type: "string", multiple: true, default: [] },
    steps: { type: "string" },
    threads: { type: "string" },
    peer: { type: "boolean", default: true },
    out: { type: "string", default: "bench/learning/curves" },
    resume: { type: "boolean", default: false },
    help: { type: "boolean", short: "h" },
  },
});

if (values.help) {
  console.log(usage);
} else {
  try {
    await measure(positionals.length > 0 ? positionals : learningTaskNames);
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

async function measure(names: readonly string[]): Promise<void> {
  // All arguments are read before the first training, so that a wrong one ends the command at once.
  const seeds = wholeNumber("seeds", values.seeds);
  const settings = overrides();
  const plans = names.map((name) => {
    const path = join(values.out, `${name}.json`);
    return { name, path, task: adjusted(learningTask(name)), runs: values.resume ? readRuns(path, settings) : [] };
  });
  const requested = values.threads === undefined ? 0 : wholeNumber("threads", values.threads);
  const { backend, threads } = await loadBenchBackend(undefined, requested);
  const python = values.peer ? findPython() : { reason: "--no-peer" };
  if ("reason" in python) console.error(`PyTorch is left out: ${python.reason}`);
  const programs = { settings, threads, python: "python" in python ? python.python : null };
  const machine = { ...Object.fromEntries(describeMachine()), Backend: `${nameOf(backend)}, ${threads} thread(s)` };
  for (const { name, path, task, runs } of plans) {
    for (let seed = 1; seed <= seeds; seed++) {
      if (runs.some((run) => run.seed === seed)) continue;
      const moment = await describeMoment();
      runs.push({ seed, ...moment, machine, ...(await trainBoth(name, task, seed, programs)) });
      writeRuns(path, settings, runs);
    }
  }
  for (const line of originLines(plans)) console.log(line);
  console.log(`\n${learningTable(plans)}`);
  backend.dispose();
}

interface Programs {
  readonly settings: Record<string, unknown>;
  readonly threads: number;
  /** The Python interpreter with PyTorch, or null to leave PyTorch out. */
  readonly python: string | null;
}

/** Trains trm-ts, then PyTorch from the same start. */
async function trainBoth(
  name: string,
  task: LearningTask,
  seed: number,
  { settings, threads, python }: Programs,
): Promise<Pick<Run, "ours" | "peer">> {
  const show = (who: string) => (point: Point) => console.error(`${name} seed ${seed}, ${who}: ${describe(point)}`);
  const folder = mkdtempSync(join(tmpdir(), "bench-learn-"));
  try {
    const session = await openSession(task, seed, settings);
    const weights = await writeStart(folder, session.training);
    const ours = await train(session, task, show("trm-ts"));
    writeTraining(folder, weights, session, task);
    session.training.dispose();
    if (python === null || !task.hasPeer) return { ours, peer: null };
    return { ours, peer: await trainPeer([python, "bench/peers/torch_learn.py"], folder, threads, show("PyTorch")) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function describe({ step, seconds, exact: [first, last] }: Point): string {
  return `step ${step}, ${seconds.toFixed(1)} s, exact ${(100 * first).toFixed(1)}% after step 1, ${(100 * last).toFixed(1)}% after the last`;
}

function adjusted(task: LearningTask): LearningTask {
  return values.steps === undefined ? task : { ...task, maxSteps: wholeNumber("steps", values.steps) };
}

/** The settings of --set; numbers and booleans are converted. @throws Error */
function overrides(): Record<string, unknown> {
  return Object.fromEntries(
    values.set.map((setting) => {
      const at = setting.indexOf("=");
      if (at < 1) throw new Error(`--set: got "${setting}", expected KEY=VALUE`);
      return [setting.slice(0, at), parsedValue(setting.slice(at + 1))];
    }),
  );
}

function parsedValue(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}
