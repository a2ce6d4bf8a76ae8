// `trm data`: builds data sets in the official layout from the published sources, and generates puzzles as CSV.
import { Command, InvalidArgumentError, Option } from "commander";
import { writeOutput } from "../../formats/index.node.ts";
import { buildArcFiles, buildMaze, buildSudoku, holdsDataset } from "../../puzzles/index.node.ts";
import {
  type BuildReport,
  generatedRows,
  ratingMeaning,
  ratingName,
  taskNames,
  writePuzzleCsv,
} from "../../puzzles/index.ts";
import { folderState, OccupiedError } from "../../runs/index.node.ts";
import { UsageError } from "../explain.ts";
import { counted } from "../format.ts";
import { type GeneratedOptions, generatedChoice, generatedOptions } from "../generated-choice.ts";
import { anyNumber, outputFile, outputFolder, seed, wholeNumber } from "../options.ts";
import { openTerminal, openTerminalBeside, type Terminal } from "../terminal.ts";
import { invocation } from "../version.ts";
import { type AwaitedProgress, runCancellable, startWork } from "../work-progress.ts";

export function dataCommand(): Command {
  return new Command("data")
    .summary("build data sets, or generate puzzles as CSV")
    .description(
      "Builds data sets in the official on-disk layout from the published sources, or generates puzzles as CSV.",
    )
    .addCommand(csvCommand("sudoku"))
    .addCommand(csvCommand("maze"))
    .addCommand(arcCommand())
    .addCommand(generateCommand())
    .addHelpText(
      "after",
      `\nCommands that use a data set:\n  ${invocation} train --data DIR\n  ${invocation} eval RUN --data DIR`,
    );
}

const forceHelp = "replace an existing data set";

interface CsvOptions {
  readonly from: string;
  readonly out: string;
  readonly augment?: number;
  readonly subsample?: number;
  readonly minDifficulty?: number;
  readonly seed?: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

function csvCommand(kind: "sudoku" | "maze"): Command {
  const example = kind === "sudoku" ? 100 : 8;
  const copies =
    kind === "sudoku"
      ? "random symmetric copies per training puzzle"
      : "8 stores the eight images of every training maze, itself included; 0 stores only the maze";
  return new Command(kind)
    .summary(`build a ${kind} data set from train.csv and test.csv`)
    .description(
      `Builds a data set from train.csv and test.csv (source,question,answer,rating; or quizzes,solutions; or puzzle,solution)${kind === "sudoku" ? ", or from lists with one puzzle per line (train.txt, train.sdm)" : ""}.`,
    )
    .requiredOption("--from <dir>", "folder with train.csv and test.csv")
    .requiredOption("--out <dir>", "folder of the new data set", outputFolder)
    .addOption(new Option("--augment <n>", copies).argParser(wholeNumber(0)).default(0))
    .addOption(new Option("--subsample <n>", "draw only n training puzzles at random").argParser(wholeNumber(1)))
    .addOption(new Option("--min-difficulty <n>", "only puzzles rated at least n").argParser(anyNumber))
    .addOption(new Option("--seed <n>", "seed of the random choices").argParser(seed).default(0))
    .option("--force", forceHelp)
    .option("--json", "print what was written as one JSON object")
    .addHelpText("after", `\nExample:\n  ${invocation} data ${kind} --from csv --out data/${kind} --augment ${example}`)
    .action((options: CsvOptions) =>
      build(options, (onProgress) => (kind === "sudoku" ? buildSudoku : buildMaze)({ ...options, onProgress })),
    );
}

interface ArcOptions {
  readonly prefix: string;
  readonly subsets: readonly string[];
  readonly testSet: string;
  readonly out: string;
  readonly side?: number;
  readonly augment?: number;
  readonly seed?: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

function arcCommand(): Command {
  return new Command("arc")
    .summary("build an ARC-AGI-1, ARC-AGI-2 or ConceptARC data set")
    .description(
      "Builds a data set from PREFIX_SUBSET_challenges.json with PREFIX_SUBSET_solutions.json, or from the folder PREFIX/SUBSET with one JSON file per task.",
    )
    .requiredOption("--prefix <path>", "common beginning of the file names, or the folder of the subsets")
    .addOption(
      new Option("--subsets <names>", "names of the subsets, separated by commas")
        .argParser(names)
        .makeOptionMandatory(),
    )
    .requiredOption("--test-set <name>", "subset whose test pairs become the test split")
    .requiredOption("--out <dir>", "folder of the new data set", outputFolder)
    .addOption(
      new Option(
        "--side <n>",
        "rows and columns of the canvas; tasks with larger grids are left out (1 to 30; default: 30)",
      ).argParser(wholeNumber(1, 30)),
    )
    .addOption(new Option("--augment <n>", "augmented copies per task").argParser(wholeNumber(0)).default(1000))
    .addOption(new Option("--seed <n>", "seed of the augmentation").argParser(seed).default(42))
    .option("--force", forceHelp)
    .option("--json", "print what was written as one JSON object")
    .addHelpText(
      "after",
      `\nExamples:\n  ${invocation} data arc --prefix kaggle/combined/arc-agi --out data/arc1 \\\n    --subsets training,evaluation,concept --test-set evaluation\n  ${invocation} data arc --prefix kaggle/combined/arc-agi --out data/arc-12 \\\n    --subsets training --test-set training --side 12 --augment 20`,
    )
    .action((options: ArcOptions) => build(options, (onProgress) => buildArcFiles({ ...options, onProgress })));
}

function names(text: string): string[] {
  const all = text.split(",").map((name) => name.trim());
  if (all.includes("")) throw new InvalidArgumentError("Expected names separated by commas, got an empty one.");
  const twice = all.find((name, i) => all.indexOf(name) < i);
  if (twice !== undefined) throw new InvalidArgumentError(`Expected different names, got ${twice} twice.`);
  return all;
}

/** Builds a data set with a progress line, then prints a summary. @throws OccupiedError for a run, and for an existing data set without --force */
async function build(
  { out, force, json }: { readonly out: string; readonly force?: boolean; readonly json?: boolean },
  run: (onProgress: AwaitedProgress) => BuildReport | Promise<BuildReport>,
): Promise<void> {
  if (folderState(out) === "run") throw new OccupiedError(`${out} holds a run: choose another --out`);
  if (!force && holdsDataset(out)) throw new OccupiedError(`${out} holds a data set already: --force replaces it`);
  const terminal = openTerminal(json ? "stderr" : "stdout");
  const report = await runCancellable(terminal, run);
  if (json) {
    terminal.print(JSON.stringify({ out, ...report }));
    return;
  }
  for (const { name, groups, examples } of report.splits) {
    terminal.print(`${out}/${name}: ${counted(groups, "group")}, ${counted(examples, "example")}`);
  }
  remarkSome(report.notes, terminal);
}

/** Prints the first notes only, because thousands of tasks may have the same note. */
function remarkSome(notes: readonly string[], { remark }: Terminal): void {
  const shown = 10;
  for (const note of notes.slice(0, shown)) remark(`note: ${note}`);
  if (notes.length > shown) remark(`note: and ${notes.length - shown} more like these (--json has all)`);
}

interface GenerateOptions extends GeneratedOptions {
  readonly count: number;
  readonly out: string;
  readonly seed: number;
  readonly json?: boolean;
}

function generateCommand(): Command {
  const command = new Command("generate")
    .summary("generate puzzles as CSV")
    .description("Generates distinct puzzles and writes them as source,question,answer,rating.")
    .argument("<task>", `one of ${taskNames.join(", ")}, or a module that exports a grid task`)
    .addOption(new Option("--count <n>", "number of puzzles").argParser(wholeNumber(1)).makeOptionMandatory())
    .requiredOption("--out <file>", "CSV file to write; - for standard output", outputFile);
  for (const option of generatedOptions()) command.addOption(option);
  return command
    .addOption(new Option("--seed <n>", "seed of the puzzles").argParser(seed).default(0))
    .option("--json", "print what was written as one JSON object")
    .addHelpText(
      "after",
      `
The rating has another scale than the published sets:
  Sudoku: ${ratingMeaning.sudoku}
  maze:   ${ratingMeaning.maze}
  module: ${ratingMeaning.own}

Examples:
  ${invocation} data generate sudoku9 --count 1000 --out puzzles.csv
  ${invocation} data generate ./gravity.mjs --count 1000 --out gravity.csv`,
    )
    .action((task: string, options: GenerateOptions) => generate(task, options));
}

/** Length of the longest string in Node. */
const longestText = 2 ** 29 - 24;

async function generate(name: string, options: GenerateOptions): Promise<void> {
  const { count, out, json } = options;
  const { task } = await generatedChoice(name, options, "data generate");
  // A row holds a question, an answer, the name of the task and a rating. CSV doubles quotes, and the symbols of a module's task may be
  // quotes or characters of two UTF-16 code units.
  const perSymbol = "symbols" in task ? 2 : 1;
  const longestRow = 2 * perSymbol * task.sequenceLength + 2 * task.name.length + 32;
  const limit = Math.floor(longestText / longestRow);
  if (count > limit) {
    throw new UsageError(
      `data generate: got --count ${count}, expected at most ${limit}: a file holds no more puzzles of ${task.name}`,
    );
  }
  const terminal = openTerminalBeside("--out", out, json);
  const work = startWork(terminal);
  const onProgress = (done: number, total: number): void => work.update("generating", done / total);
  const { train } = task.generate({ train: count, test: 0, seed: options.seed, onProgress });
  const rows = [];
  for (const row of generatedRows(task, train)) {
    rows.push(row);
    work.update("rating", rows.length / count);
  }
  work.clear();
  writeOutput(out, writePuzzleCsv(rows));
  const rating = ratingMeaning[ratingName(task)];
  const ratings = rows.map((row) => row.rating);
  const [least, most] = [ratings.reduce((a, b) => Math.min(a, b)), ratings.reduce((a, b) => Math.max(a, b))];
  if (json) {
    terminal.print(JSON.stringify({ out, task: task.name, count, rating: { meaning: rating, least, most } }));
  } else {
    terminal.print(`${out}: ${counted(count, "puzzle")} of ${task.name}, rated ${least} to ${most}`);
    terminal.print(`rating: ${rating}`);
    terminal.print("        (not the scale of the published sets)");
  }
}
