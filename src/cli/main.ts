#!/usr/bin/env node
// What lives here: the `trm` command line. Every command is one file in commands/; this file registers them and prints every error
// as one line.
// Where to start: commands/train.ts, then training-session.ts, which is the loop around the training steps.
// May import: the indexes of all other folders, and Node's modules.
import { fstatSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { writeAll } from "../formats/index.node.ts";
import { ablateCommand } from "./commands/ablate.ts";
import { arcScoreCommand } from "./commands/arc-score.ts";
import { dataCommand } from "./commands/data.ts";
import { demoCommand } from "./commands/demo.ts";
import { evalCommand } from "./commands/eval.ts";
import { exportCommand } from "./commands/export.ts";
import { importCommand } from "./commands/import.ts";
import { infoCommand } from "./commands/info.ts";
import { metricsCommand } from "./commands/metrics.ts";
import { plotCommand } from "./commands/plot.ts";
import { probeCommand } from "./commands/probe.ts";
import { solveCommand } from "./commands/solve.ts";
import { trainCommand } from "./commands/train.ts";
import { exitCodeOf, explain, UsageError } from "./explain.ts";
import { settingFor } from "./settings.ts";
import { isReaderGone } from "./stop-request.ts";
import { invocation, version } from "./version.ts";

function program(): Command {
  const trm = new Command("trm")
    .description("Tiny Recursive Model: train it, evaluate it and watch it solve puzzles.")
    .version(version)
    .addHelpText("after", `\nStart here:\n  ${invocation} demo\nHelp on a command:\n  ${invocation} train --help\n`);
  const everyday = [
    demoCommand(),
    trainCommand(),
    evalCommand(),
    solveCommand(),
    infoCommand(),
    metricsCommand(),
    plotCommand(),
  ];
  const research = [dataCommand(), arcScoreCommand(), ablateCommand(), probeCommand()];
  const interchange = [exportCommand(), importCommand()];
  for (const command of [...everyday, ...research, ...interchange]) trm.addCommand(command);
  for (const command of [trm, ...trm.commands, ...trm.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride((error) => reject(command, error)).configureOutput({ outputError: () => {} }); // `main` reports errors.
    command.helpCommand(command === trm);
  }
  trm.hook("preAction", (_, command) => expectNoEmptyText(command));
  return trm;
}

/** An empty path would mean the current folder. It is usually a variable of the shell that is not set. @throws UsageError */
function expectNoEmptyText(command: Command): void {
  const isEmpty = (value: unknown): boolean => value === "" || (Array.isArray(value) && value.includes(""));
  const flags = command.options
    .filter((option) => isEmpty(command.getOptionValue(option.attributeName())))
    .map(({ flags }) => flags);
  const names = command.registeredArguments
    .filter((_, i) => isEmpty(command.processedArgs[i]))
    .map((one) => one.name());
  const [first] = [...flags, ...names];
  if (first !== undefined) throw new UsageError(`${nameOf(command)}: ${first} is empty`);
}

/** "data arc" for the subcommand arc of data. */
const nameOf = (command: Command): string =>
  command.parent?.parent ? `${command.parent.name()} ${command.name()}` : command.name();

/** Adds to an error of usage what helps: the usage line, or the setting that an unknown option resembles. */
function reject(command: Command, error: CommanderError): never {
  const name = nameOf(command);
  const message = `${name}: ${error.message.replace(/^error: /, "")}`;
  if (error.code === "commander.missingArgument" || error.code === "commander.missingMandatoryOptionValue") {
    throw new UsageError(message, `${invocation} ${name} ${command.usage()}`);
  }
  const option = /unknown option '--([^'=]+)/.exec(error.message)?.[1];
  const takesSettings = command.options.some(({ long }) => long === "--set");
  const setting = option !== undefined && takesSettings ? settingFor(option) : undefined;
  if (setting === undefined) throw error;
  throw new UsageError(`${name}: unknown option '--${option}', expected --set ${setting}=VALUE`);
}

async function main(): Promise<void> {
  writeWhole(process.stdout);
  process.stdout.on("error", onOutputError);
  process.stderr.on("error", () => {}); // Remarks and errors that cannot be shown must not stop the command.
  // An error in a timer or in a promise that nothing awaits, as a task module may have.
  process.on("uncaughtException", (error) => {
    for (const stream of [process.stdout, process.stderr]) if (stream.isTTY) stream.write("\r\u001b[K"); // a progress line
    reportError(error);
    process.exit();
  });
  try {
    await program().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) reportUsage(error);
    else reportError(error);
  }
}

/** For a file, Node takes a write for complete that a full disk has cut short. */
function writeWhole(stream: NodeJS.WriteStream & { fd: number }): void {
  const { fd } = stream;
  if (!fstatSync(fd).isFile()) return;
  stream._write = (chunk: Uint8Array, _encoding, done) => {
    try {
      writeAll(fd, chunk, null);
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  };
}

/**
 * Standard output cannot be written any more. A reader that has closed the pipe (`trm info DIR | head -1`) is no error. A
 * command that saves before it ends has its own listener, which requests a stop.
 */
function onOutputError(error: NodeJS.ErrnoException): void {
  if (!isReaderGone(error, process.stdout)) {
    if (process.exitCode !== 1) complain(`cannot write to standard output: ${explain(error)}`);
    process.exitCode = 1;
  }
  if (process.stdout.listenerCount("error") === 1) process.exit();
}

/** Commander reports help and version as errors with exit code 0. */
function reportUsage(error: CommanderError): void {
  if (error.exitCode === 0) return;
  process.exitCode = 2;
  if (error.code === "commander.help") {
    // Commander has printed the help, because no command was given, or `help` was given an unknown one.
    const [first, unknown] = process.argv.slice(2);
    if (first === "help" && unknown !== undefined) complain(`help: unknown command '${unknown}'`);
    return;
  }
  complain(error.message.replace(/^error: /, "").replaceAll("\n", " "));
}

function reportError(error: unknown): void {
  process.exitCode = exitCodeOf(error);
  complain(explain(error));
  if (error instanceof UsageError && error.usage !== undefined) process.stderr.write(`usage: ${error.usage}\n`);
  if (process.env.TRM_DEBUG && error instanceof Error) console.error(error.stack);
}

const complain = (line: string): void => void process.stderr.write(`trm: ${line}\n`);

await main();
