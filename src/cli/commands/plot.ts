// `trm plot`: the learning curves of one or several runs, in one file.
import { basename, resolve } from "node:path";
import { Command } from "commander";
import { isStandardOutput, writeOutput } from "../../formats/index.node.ts";
import { readCourse, runFolderOf } from "../../runs/index.node.ts";
import { UsageError } from "../explain.ts";
import { expectDifferentFiles, outputFile } from "../options.ts";
import { chartsOf, type PlottedRun } from "../plot/charts.ts";
import { plotPage } from "../plot/page.ts";
import { plotSvg } from "../plot/svg.ts";
import { checkOutputFile, openTerminalBeside } from "../terminal.ts";
import { invocation } from "../version.ts";

interface PlotOptions {
  readonly out?: string;
  readonly svg?: string;
}

export function plotCommand(): Command {
  return new Command("plot")
    .summary("draw the learning curves of runs")
    .description("Draws loss, accuracy, halting, learning rate and gradient norm of one or several runs.")
    .argument("<dir...>", "run folders")
    .option("--out <file>", "write a page that opens offline; - for standard output", outputFile)
    .option("--svg <file>", "write a picture for documents; - for standard output", outputFile)
    .addHelpText(
      "after",
      `
Examples:
  ${invocation} plot runs/demo --out demo.html
  ${invocation} plot runs/six runs/nine --out both.html --svg both.svg`,
    )
    .action((paths: string[], options: PlotOptions) => plot(paths, options));
}

function plot(paths: readonly string[], { out, svg }: PlotOptions): void {
  if (out === undefined && svg === undefined)
    throw new UsageError("plot: --out FILE.html or --svg FILE.svg is missing");
  if (out !== undefined && svg !== undefined) expectDifferentFiles("plot", { out, svg });
  if (out !== undefined) checkOutputFile("--out", out);
  if (svg !== undefined) checkOutputFile("--svg", svg);
  const names = namesOf(paths);
  const charts = chartsOf(
    paths.map((path, i): PlottedRun => ({ name: names[i]!, metrics: readCourse(runFolderOf(path)) })),
  );
  const { print } = openTerminalBeside(
    "--out",
    [out, svg].find((path) => path !== undefined && isStandardOutput(path)),
  );
  for (const [path, content] of [
    [out, () => plotPage(names, charts)],
    [svg, () => plotSvg(charts)],
  ] as const) {
    if (path === undefined) continue;
    writeOutput(path, content());
    print(`wrote ${path}: curves of ${names.join(", ")}`);
  }
}

/** The name of every run in the charts: that of its folder, or its path if another run has a folder of that name. */
function namesOf(paths: readonly string[]): string[] {
  const folders = paths.map((path) => basename(resolve(runFolderOf(path))));
  return folders.map((folder, i) => (folders.indexOf(folder) === folders.lastIndexOf(folder) ? folder : paths[i]!));
}
