// `trm info`: describes a run and its progress.
import { Command } from "commander";
import { shortened } from "../../formats/index.ts";
import { isModelFolder, loadRun, readCheckpoint, readMetrics, runFolderOf } from "../../runs/index.node.ts";
import { type CheckpointSide, evaluatedFile, modelFrom } from "../../runs/index.ts";
import { type Config, effectiveDepth, flattenConfig, type Model } from "../../trm/index.ts";
import { backendText, depthText, networkText, taskText } from "../describe-run.ts";
import { counted, duration } from "../format.ts";
import { historyTable } from "../history.ts";
import {
  type ModelPlace,
  placeOfModel,
  placeText,
  readCardSummary,
  shadowNote,
  shippedNames,
} from "../shipped-models.ts";
import { openTerminal, type Terminal } from "../terminal.ts";
import { invocation } from "../version.ts";

export function infoCommand(): Command {
  return new Command("info")
    .summary("describe a run and its progress")
    .description("Prints configuration, parameter count, effective depth, training steps and backend of a run.")
    .argument("<dir>", `run folder or checkpoint folder, or a shipped model: ${shippedNames().join(", ")}`)
    .option("--json", "print one JSON object")
    .addHelpText("after", helpText)
    .action((name: string, options: { json?: boolean }) => {
      const place = placeOfModel(name);
      return isModelFolder(place.path) ? modelInfo(place, options) : info(place.path, options);
    });
}

const helpText = (): string => `
Examples:
  ${invocation} info runs/demo
  ${invocation} info runs/demo --json
  ${invocation} info sudoku6
`;

function info(path: string, { json }: { json?: boolean }): void {
  const terminal = openTerminal();
  const { side, files, path: where } = readCheckpoint(path, (read) => [evaluatedFile(read)]);
  const name = evaluatedFile(side);
  const model = modelFrom(side, files.get(name)!, `${where}/${name}`);
  if (json) terminal.print(JSON.stringify(asJson(where, side, model)));
  else {
    show(where, side, model, terminal);
    const history = historyTable(readMetrics(runFolderOf(path)));
    if (history.length > 0) terminal.print(`\n${terminal.colours.bold("unseen puzzles during training")}`);
    for (const line of history) terminal.print(line);
  }
  model.dispose();
}

/** Describes a model without a run: a shipped one, for example. */
async function modelInfo(place: ModelPlace, { json }: { json?: boolean }): Promise<void> {
  const terminal = openTerminal();
  const { model, config, step, choice } = await loadRun(place.path);
  const card = readCardSummary(place.path);
  const task = card?.task ?? choice;
  if (json) {
    const about = { model: place.name, path: place.path, task, parameters: model.parameterCount() };
    const depth = effectiveDepth(config.model);
    terminal.print(JSON.stringify({ ...about, effectiveDepth: depth, step, config: flattenConfig(config) }));
  } else {
    const { print } = terminal;
    const note = shadowNote(place);
    if (note !== undefined) terminal.remark(note);
    print(`model       ${placeText(place)}`);
    print(`folder      ${place.path}`);
    print(`task        ${taskText(task)}`);
    print(`network     ${networkText(config, model)}`);
    print(`depth       ${depthText(config)}`);
    print(`trained     ${step === null ? "-" : counted(step, "step")}`);
    if (card) print(`accuracy    ${card.accuracy.join("\n            ")}`);
    showConfig(config, terminal);
  }
  model.dispose();
}

const asJson = (where: string, { task, step, seconds, backend, madeBy, config }: CheckpointSide, model: Model) => ({
  checkpoint: where,
  task,
  parameters: model.parameterCount(),
  effectiveDepth: effectiveDepth(config.model),
  step,
  seconds,
  backend,
  madeBy,
  config: flattenConfig(config),
});

function show(where: string, side: CheckpointSide, model: Model, { print, colours }: Terminal): void {
  const { task, step, seconds, backend, madeBy, config } = side;
  print(`checkpoint  ${where}`);
  print(`task        ${taskText(task)}`);
  print(`model       ${networkText(config, model)}`);
  print(`depth       ${depthText(config)}`);
  print(`trained     ${counted(step, "step")} in ${duration(seconds)}`);
  print(`backend     ${backendText(backend)}`);
  print(`made by     ${shortened(madeBy, 100)}`);
  showConfig(config, { print, colours });
}

function showConfig(config: Config, { print, colours }: Pick<Terminal, "print" | "colours">): void {
  for (const part of ["model", "training"] as const) {
    print();
    print(colours.bold(`${part} settings`));
    for (const [key, value] of Object.entries(config[part])) print(`  ${key.padEnd(22)} ${value}`);
  }
}
