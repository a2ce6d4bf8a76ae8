// `trm export`: writes a run for the official PyTorch code.
import { Command, Option } from "commander";
import { type CheckpointChoice, exportRun } from "../../runs/index.node.ts";
import { type Target, targets } from "../../runs/index.ts";
import { checkpointOption, outputFolder, wholeNumber } from "../options.ts";
import { openTerminal } from "../terminal.ts";
import { invocation } from "../version.ts";
import { runCancellable } from "../work-progress.ts";

interface ExportOptions {
  readonly out: string;
  readonly for: Target;
  readonly checkpoint: CheckpointChoice;
  readonly augment?: number;
}

export function exportCommand(): Command {
  return new Command("export")
    .summary("write a run for the official PyTorch code")
    .description("Writes the weights, configuration and puzzles of a run in the formats of the official PyTorch code.")
    .argument("<run>", "run folder")
    .requiredOption("--out <dir>", "output folder", outputFolder)
    .addOption(
      new Option(
        "--for <target>",
        "official: for the official code; torchrun: for our script interop/torchrun/train.py",
      )
        .choices(targets)
        .default("official"),
    )
    .addOption(
      new Option(
        "--augment <n>",
        "random symmetric copies per training puzzle (default: 20 if the run uses symmetries); not for a run that was trained with --data",
      ).argParser(wholeNumber(0)),
    )
    .addOption(checkpointOption())
    .addHelpText(
      "after",
      `
Examples:
  ${invocation} export runs/sudoku4 --out exported --for torchrun
  ${invocation} export runs/official --out exported

How to use the exported files: docs/pytorch.md`,
    )
    .action(async (run: string, options: ExportOptions) => {
      const { out, for: target, ...more } = options;
      const terminal = openTerminal();
      const { files, notes } = await runCancellable(terminal, (onProgress) =>
        exportRun({ run, out, target, ...more, onProgress }),
      );
      terminal.print(`${out}: ${files.join(", ")}`);
      for (const note of notes) terminal.remark(`note: ${note}`);
    });
}
