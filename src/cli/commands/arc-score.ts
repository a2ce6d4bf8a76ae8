// `trm arc-score`: scores stored ARC predictions like the official evaluator.
import { Command } from "commander";
import { readArcNames, readArcPredictions, scoreArc, writeArcScores } from "../../puzzles/index.node.ts";
import { OFFICIAL_KS } from "../../puzzles/index.ts";
import { unknownNotes } from "../eval-arc.ts";
import { counted, percent } from "../format.ts";
import { attemptsOption, ksOption, outputFolder } from "../options.ts";
import { openTerminal } from "../terminal.ts";
import { invocation } from "../version.ts";

interface ArcScoreOptions {
  readonly data: string;
  readonly predictions: readonly string[];
  readonly k: readonly number[];
  readonly attempts: number;
  readonly out: string;
  readonly json?: boolean;
}

export function arcScoreCommand(): Command {
  return new Command("arc-score")
    .summary("score ARC predictions by voting, like the official evaluator")
    .description(
      "Undoes the augmentation of all predictions, counts votes, and writes pass@k to scores.json and the first grids to submission.json.",
    )
    .requiredOption("--data <dir>", "data set of the predictions")
    .requiredOption(
      "--predictions <dirs...>",
      "folders with preds.npy, q_halt_logits.npy, puzzle_identifiers.npy, inputs.npy; those of several evaluations vote together",
    )
    .requiredOption("--out <dir>", "folder for scores.json and submission.json", outputFolder)
    .addOption(ksOption().default(OFFICIAL_KS, OFFICIAL_KS.join()))
    .addOption(attemptsOption())
    .option("--json", "print the scores as one JSON object")
    .addHelpText(
      "after",
      `\nExample:\n  ${invocation} arc-score --data data/arc1 --predictions predictions \\\n    --out scores`,
    )
    .action((options: ArcScoreOptions) => arcScore(options));
}

function arcScore({ data, predictions: folders, k, attempts, out, json }: ArcScoreOptions): void {
  const terminal = openTerminal(json ? "stderr" : "stdout");
  const { sequenceLength } = readArcNames(data);
  const predictions = folders.map((folder) => readArcPredictions(folder, sequenceLength));
  const result = scoreArc({ data, predictions, ks: k, attempts });
  writeArcScores(out, result);
  const { scores, unpredicted } = result;
  for (const note of unknownNotes(result.pairs)) terminal.remark(note);
  if (unpredicted.length > 0) {
    terminal.remark(
      `note: ${counted(unpredicted.length, "task")} without a prediction for every test pair; these pairs count as wrong`,
    );
  }
  if (json) terminal.print(JSON.stringify(scores));
  else for (const [name, score] of Object.entries(scores)) terminal.print(`${name.padEnd(14)} ${percent(score)}`);
}
