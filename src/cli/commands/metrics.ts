// `trm metrics`: the metrics of a run as a table for people, or for spreadsheets and pandas.
import { Command } from "commander";
import { readCourse, runFolderOf } from "../../runs/index.node.ts";
import { metricsCsv } from "../../runs/index.ts";
import { UsageError } from "../explain.ts";
import { counted, duration, lossText } from "../format.ts";
import { historyTable } from "../history.ts";
import { openTerminal } from "../terminal.ts";
import { invocation } from "../version.ts";

interface MetricsOptions {
  readonly csv?: boolean;
  readonly json?: boolean;
}

export function metricsCommand(): Command {
  return new Command("metrics")
    .summary("print the metrics of a run as text, CSV or JSON")
    .description("Prints the course of a training from metrics.jsonl in its run folder.")
    .argument("<dir>", "run folder")
    .option("--csv", "print one row per training step, with the evaluations in the columns unseen...")
    .option("--json", "print one JSON object: {steps, unseen}")
    .addHelpText(
      "after",
      `
Examples:
  ${invocation} metrics runs/demo
  ${invocation} metrics runs/demo --csv > demo.csv

The fields: docs/metrics.md`,
    )
    .action((path: string, options: MetricsOptions) => showMetrics(path, options));
}

function showMetrics(path: string, { csv, json }: MetricsOptions): void {
  if (csv && json) throw new UsageError("metrics: got --csv and --json, expected one of them");
  const terminal = openTerminal();
  const run = runFolderOf(path);
  const metrics = readCourse(run);
  if (json) terminal.print(JSON.stringify(metrics));
  else if (csv) terminal.print(metricsCsv(metrics).trimEnd());
  else {
    const last = metrics.steps.at(-1)!;
    terminal.print(`${counted(last.step, "step")} in ${duration(last.seconds)}, loss ${lossText(last.loss)}`);
    for (const line of historyTable(metrics)) terminal.print(line);
  }
}
