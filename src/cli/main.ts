#!/usr/bin/env node
// The command line `trm`. A command is one file in commands/; here they are put together, and errors become one line.
import { Command, CommanderError } from "commander";
import { ablateCommand } from "./commands/ablate.ts";
import { arcScoreCommand } from "./commands/arc-score.ts";
import { dataCommand } from "./commands/data.ts";
import { demoCommand } from "./commands/demo.ts";
import { evalCommand } from "./commands/eval.ts";
import { exportCommand } from "./commands/export.ts";
import { importCommand } from "./commands/import.ts";
import { infoCommand } from "./commands/info.ts";
import { solveCommand } from "./commands/solve.ts";
import { trainCommand } from "./commands/train.ts";
import { exitCodeOf, explain } from "./explain.ts";
import { isReaderGone } from "./stop-request.ts";
import { isUnderTsx, runAgainInChild } from "./tsx-child.ts";
import { invocation, version } from "./version.ts";

function program(): Command {
  const trm = new Command("trm")
    .description("Tiny Recursive Model: train, evaluate and watch it solve, on an engine written from scratch.")
    .version(version)
    .addHelpText("after", `\nStart here:\n  ${invocation} demo\nHelp on a command:\n  ${invocation} train --help\n`);
  const everyday = [demoCommand(), trainCommand(), evalCommand(), solveCommand(), infoCommand()];
  const interchange = [exportCommand(), importCommand()];
  const research = [dataCommand(), arcScoreCommand(), ablateCommand()];
  for (const command of [...everyday, ...research, ...interchange]) trm.addCommand(command);
  for (const command of [trm, ...trm.commands, ...trm.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride().configureOutput({ outputError: () => {} }); // reported below
    command.helpCommand(command === trm);
  }
  return trm;
}

async function main(): Promise<void> {
  process.stdout.on("error", onBrokenPipe);
  process.stderr.on("error", (error) => {
    if (!isReaderGone(error, process.stderr)) throw error; // else nobody reads the remarks; the results may still be read
  });
  try {
    await program().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) reportUsage(error);
    else reportError(error);
  }
}

/** The reader has gone (`trm info DIR | head -1`): nothing is left to do, unless a command listens for that itself. */
function onBrokenPipe(error: NodeJS.ErrnoException): void {
  if (!isReaderGone(error, process.stdout)) throw error;
  if (process.stdout.listenerCount("error") === 1) process.exit(0);
}

/** Help and version arrive here too, with exit code 0. */
function reportUsage(error: CommanderError): void {
  if (error.exitCode === 0) return;
  process.exitCode = 2;
  if (error.code === "commander.help") return; // help was printed: no command was given
  complain(error.message.replace(/^error: /, "").replaceAll("\n", " "));
}

function reportError(error: unknown): void {
  process.exitCode = exitCodeOf(error);
  complain(explain(error));
  if (process.env.TRM_DEBUG && error instanceof Error) console.error(error.stack);
}

const complain = (line: string): void => void process.stderr.write(`trm: ${line}\n`);

if (isUnderTsx()) await runAgainInChild();
else await main();
