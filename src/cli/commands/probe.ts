// `trm probe`: the experiments of the critics of recursive models on a trained model.
import { Command } from "commander";
import { writeOutput } from "../../formats/index.node.ts";
import { ratingMeaning, ratingName, ratingOf } from "../../puzzles/index.ts";
import { type CheckpointChoice, loadRun } from "../../runs/index.node.ts";
import { type EvaluationOptions, type EvaluationSet, type Model, type Probe, probe } from "../../trm/index.ts";
import { openPuzzles, type PuzzleChoice, puzzleOptions, showSettings, verifyPuzzles } from "../evaluated-puzzles.ts";
import { measure } from "../measure.ts";
import {
  type ComputeOptions,
  checkpointOption,
  chooseBackend,
  computeOptions,
  expectDifferentFiles,
  outputFile,
  taskModuleOption,
  wholeNumber,
} from "../options.ts";
import { probeLines, probeSvg } from "../probe-report.ts";
import { type ModelPlace, placeOfModel, shippedNames } from "../shipped-models.ts";
import { openTerminalBeside } from "../terminal.ts";
import { invocation } from "../version.ts";

interface ProbeCommandOptions extends ComputeOptions, PuzzleChoice {
  readonly checkpoint: CheckpointChoice;
  readonly task?: string;
  readonly steps?: number;
  readonly svg?: string;
  readonly json?: boolean;
}

export function probeCommand(): Command {
  const command = new Command("probe")
    .summary("test what a model has learned: one blank, drift, calibration")
    .description(
      "Measures whether puzzles with a single blank are solved, whether answers stay correct, whether y settles, whether q is calibrated, and how the accuracy depends on the given cells and the rating.",
    )
    .argument("<dir>", `run folder or checkpoint folder, or a shipped model: ${shippedNames().join(", ")}`)
    .addOption(checkpointOption())
    .addOption(taskModuleOption());
  for (const option of puzzleOptions()) command.addOption(option);
  command
    .option("--steps <n>", "supervision steps, at least 2 (default: as in training)", wholeNumber(2, 100_000))
    .option("--svg <file>", "write the curves as a picture; - for standard output", outputFile);
  for (const option of computeOptions()) command.addOption(option);
  return command
    .option("--json", "print one JSON object")
    .addHelpText("after", helpText)
    .action((name: string, options: ProbeCommandOptions) => probeRun(placeOfModel(name), options));
}

const helpText = (): string => `
Examples:
  ${invocation} probe sudoku6 --limit 100
  ${invocation} probe runs/demo --limit 100 --json
  ${invocation} probe runs/demo --csv puzzles.csv --svg probe.svg

The experiments and their sources: docs/after-the-paper.md`;

async function probeRun(place: ModelPlace, options: ProbeCommandOptions): Promise<void> {
  const { path } = place;
  const { checkpoint, task: taskModule, steps, svg, json } = options;
  if (options.csv !== undefined && svg !== undefined) expectDifferentFiles("probe", { csv: options.csv, svg });
  const terminal = openTerminalBeside("--svg", svg, json);
  const backend = await chooseBackend(options);
  try {
    const loaded = await loadRun(path, { checkpoint, taskModule });
    const set = openPuzzles(path, options, loaded, terminal);
    const note = verifyPuzzles(path, options, loaded);
    if (!json) showSettings({ place, options, loaded, backend }, terminal);
    if (note !== undefined) terminal.remark(`note: ${note}`);
    const rating = ratingOf(loaded.task);
    const evaluator = (model: Model, puzzles: EvaluationSet, given: EvaluationOptions): Promise<Probe> =>
      probe(model, puzzles, { ...given, rating });
    const measured = await measure(evaluator, loaded, set, terminal, steps ?? null);
    if ("close" in set) set.close();
    loaded.model.dispose();
    if (json) terminal.print(JSON.stringify(measured));
    else for (const line of probeLines(measured, ratingMeaning[ratingName(loaded.task)])) terminal.print(line);
    if (svg !== undefined) writeOutput(svg, probeSvg(measured));
  } finally {
    backend.dispose();
  }
}
