// `npm run ship -- NAME RUN...` writes weights/NAME from a run: the averaged weights with official names, the configuration, and a
// model card with figures on unseen puzzles. Several runs are stages of one training; the last one is shipped.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { difficultyText } from "../../src/cli/describe-run.ts";
import { readBytes } from "../../src/formats/index.node.ts";
import { readTaskCsv } from "../../src/puzzles/index.ts";
import { loadRun, readCheckpoint, readMetrics, readSets } from "../../src/runs/index.node.ts";
import { packModel } from "../../src/runs/index.ts";
import { useBackend } from "../../src/tensor/index.ts";
import {
  type Config,
  type Examples,
  effectiveDepth,
  evaluationBatches,
  type Model,
  operationsOf,
  predictions,
  saysHalt,
  type Task,
  wilson95,
} from "../../src/trm/index.ts";
import { type Card, cardText, type Measurement } from "./card.ts";
import { writeDocuments } from "./table.ts";

const usage = `npm run ship -- NAME RUN... [options]
  NAME              name of the shipped model: the folder weights/NAME is written
  RUN               run folders, oldest first
  --solves TEXT     what the model solves, in one sentence
  --puzzles TEXT    the unseen puzzles of the last run, such as "generated 6x6 Sudokus with 10 clues"
  --csv TEXT=FILE   also evaluates the puzzles of a CSV file; may be repeated
  --failure TEXT    a known failure; may be repeated
  --fresh N         evaluates N newly generated puzzles instead of the unseen ones of the run`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    solves: { type: "string", default: "" },
    puzzles: { type: "string", default: "unseen puzzles" },
    csv: { type: "string", multiple: true, default: [] },
    failure: { type: "string", multiple: true, default: [] },
    fresh: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});

const [name, ...runs] = positionals;
if (values.help || name === undefined || runs.length === 0) {
  console.log(usage);
  process.exitCode = values.help ? 0 : 2;
} else {
  await ship(name, runs);
}

async function ship(name: string, runs: readonly string[]): Promise<void> {
  await useBackend(undefined, { build: "fastest" });
  const run = runs.at(-1)!;
  const loaded = await loadRun(run);
  const { model, task, config } = loaded;
  const sets = readSets(run);
  const unseen = values.fresh === undefined ? sets.unseen : freshPuzzles(task, sets.train, Number(values.fresh));
  const first = await measure(loaded, unseen, `unseen ${values.puzzles}`);
  const others = [];
  for (const entry of values.csv) others.push(await measure(loaded, ...csvOf(entry, task)));
  const card: Card = {
    name,
    solves: values.solves,
    task: readCheckpoint(run, () => []).side.task,
    parameters: model.parameterCount(),
    architecture: architectureOf(config),
    stages: runs.map(stageOf),
    measurements: [first, ...others].map(({ measurement }) => measurement),
    halting: first.halting,
    failures: [...mistakesIn(task, first), ...values.failure],
  };
  const folder = join("weights", name);
  mkdirSync(folder, { recursive: true });
  const files = await packModel(loaded);
  writeFileSync(join(folder, "config.json"), files.config);
  writeFileSync(join(folder, "model.safetensors"), files.weights);
  writeFileSync(join(folder, "card.json"), `${JSON.stringify(card, null, 2)}\n`);
  writeDocuments();
  console.log(cardText(card));
}

/** Newly generated puzzles, without those that the run was trained on. */
function freshPuzzles(task: Task, trained: Examples, count: number): Examples {
  const { test } = task.generate({ train: 0, test: count, seed: 1_000_003 });
  const known = new Set(questionsOf(trained));
  const fresh = [...questionsOf(test)].flatMap((question, i) => (known.has(question) ? [] : [i]));
  const pick = (tokens: Int32Array): Int32Array =>
    Int32Array.from(fresh.flatMap((i) => [...tokens.subarray(i * test.length, (i + 1) * test.length)]));
  return { ...test, count: fresh.length, inputs: pick(test.inputs), labels: pick(test.labels) };
}

function* questionsOf({ count, length, inputs }: Examples): Generator<string> {
  for (let i = 0; i < count; i++) yield inputs.subarray(i * length, (i + 1) * length).join();
}

function csvOf(entry: string, task: Task): [Examples, string] {
  const at = entry.indexOf("=");
  if (at < 1) throw new Error(`--csv: got "${entry}", expected TEXT=FILE`);
  const file = entry.slice(at + 1);
  const examples = readTaskCsv(task, new TextDecoder().decode(readBytes(file)), file);
  return [examples, entry.slice(0, at)];
}

interface Measured {
  readonly measurement: Measurement;
  readonly halting: Card["halting"];
  /** The questions and final answers that are wrong. */
  readonly wrong: readonly { readonly question: Int32Array; readonly answer: Int32Array }[];
}

/** Evaluates all supervision steps; also keeps the wrong answers. */
async function measure(
  { model, config }: { model: Model; config: Config },
  set: Examples,
  puzzles: string,
): Promise<Measured> {
  const { nSup } = config.training;
  const { length } = set;
  const exact = new Float64Array(nSup);
  const cells = new Float64Array(nSup);
  const wrong: { question: Int32Array; answer: Int32Array }[] = [];
  let [halted, correctWhenHalting, haltSteps] = [0, 0, 0];
  for (const batch of evaluationBatches(set, 100)) {
    const slots = batch.puzzleIds.length;
    const isHalted = new Array<boolean>(slots).fill(false);
    for await (const { step, tokens, qHalt, qContinue } of predictions(model, batch, nSup)) {
      for (let slot = 0; slot < slots; slot++) {
        const from = slot * length;
        let correct = 0;
        for (let i = from; i < from + length; i++) if (tokens[i] === batch.labels[i]) correct++;
        cells[step - 1]! += correct / length;
        if (correct === length) exact[step - 1]!++;
        if (!isHalted[slot] && saysHalt(qHalt[slot]!, qContinue[slot]!, config.training)) {
          isHalted[slot] = true;
          halted++;
          haltSteps += step;
          if (correct === length) correctWhenHalting++;
        }
        if (step === nSup && correct < length) {
          const slice = (tokens: Int32Array): Int32Array => tokens.slice(from, from + length);
          wrong.push({ question: slice(batch.inputs), answer: slice(tokens) });
        }
      }
    }
  }
  const { count } = set;
  const measurement = {
    puzzles,
    count,
    exact: Array.from(exact, (correct) => correct / count),
    interval95: Array.from(exact, (correct) => [...wilson95(correct, count)] as [number, number]),
    cell: Array.from(cells, (sum) => sum / count),
    meanHaltStep: (haltSteps + (count - halted) * nSup) / count,
  };
  const halting = { halts: halted / count, correctWhenHalting: halted > 0 ? correctWhenHalting / halted : null };
  return { measurement, halting, wrong };
}

/** What the wrong answers have in common, counted. */
function mistakesIn(task: Task, { wrong, measurement }: Measured): string[] {
  const all = `${measurement.count.toLocaleString("en")} ${measurement.puzzles}`;
  if (wrong.length === 0) return [`None of the ${all} is answered wrongly.`];
  const broken = wrong.filter(({ question, answer }) => task.mistake(question, answer) !== undefined).length;
  const valid = wrong.length - broken;
  return [
    `${wrong.length} of the ${all} are answered wrongly after the last step; ${broken} of these answers break a rule of the puzzle, which \`trm solve\` reports.`,
    ...(valid > 0 ? [`${valid} of the wrong answers are valid answers that differ from the stored one.`] : []),
  ];
}

function architectureOf({ model, training }: Config): string {
  const { recursion, oneStepGradient, separateNets, mixer, positions, hiddenSize, T, n, layers } = model;
  const { nSup, batchSize } = training;
  const isHrm = recursion === "trm" && oneStepGradient && separateNets;
  const system = isHrm ? "HRM" : recursion === "trm" ? "TRM" : recursion;
  const mixing = positions === "rotary2d" ? `${mixer} by rows and columns` : mixer;
  return `${system}, ${mixing}, D ${hiddenSize}, ${layers} layers, T ${T}, n ${n} (depth ${effectiveDepth(model)} per supervision step), N_sup ${nSup}, batch ${batchSize}`;
}

/** A stage of the training, read from its run folder. */
function stageOf(run: string): Card["stages"][number] {
  const about = JSON.parse(readFileSync(join(run, "run.json"), "utf8")) as {
    command?: string;
    data: { train: number; watch: number; unseen: number; augment: boolean };
  };
  const { side } = readCheckpoint(run, () => []);
  const { config, step, seconds, backend, task } = side;
  const { train, watch, unseen, augment } = about.data;
  return {
    command: about.command ?? "",
    seed: config.training.seed,
    trainingPuzzles: `${train.toLocaleString("en")} generated puzzles${difficultyText(task)}${augment ? ", random symmetries" : ""}`,
    data: { train, watch, unseen },
    steps: step,
    seconds,
    flops: operationsOf(config, step),
    machine: `${cpus()[0]?.model.trim() ?? "unknown"}, Node ${process.versions.node}`,
    build: `${backend.name} (${backend.build})`,
    commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim(),
    curve: curveOf(run),
  };
}

/** The evaluations on the watched puzzles. */
function curveOf(run: string): [step: number, first: number, last: number][] {
  return readMetrics(run).unseen.map(({ step, exactAfter }) => [step, exactAfter[0]!, exactAfter.at(-1)!]);
}
