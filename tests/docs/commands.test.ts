// The `trm` commands that pages and help texts print: one spelling, and only commands and options that exist.
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { ablateCommand } from "../../src/cli/commands/ablate.ts";
import { arcScoreCommand } from "../../src/cli/commands/arc-score.ts";
import { dataCommand } from "../../src/cli/commands/data.ts";
import { demoCommand } from "../../src/cli/commands/demo.ts";
import { evalCommand } from "../../src/cli/commands/eval.ts";
import { exportCommand } from "../../src/cli/commands/export.ts";
import { importCommand } from "../../src/cli/commands/import.ts";
import { infoCommand } from "../../src/cli/commands/info.ts";
import { metricsCommand } from "../../src/cli/commands/metrics.ts";
import { plotCommand } from "../../src/cli/commands/plot.ts";
import { probeCommand } from "../../src/cli/commands/probe.ts";
import { solveCommand } from "../../src/cli/commands/solve.ts";
import { trainCommand } from "../../src/cli/commands/train.ts";
import { readText, repositoryFiles } from "./files.ts";

const commands: readonly Command[] = [
  ablateCommand(),
  arcScoreCommand(),
  dataCommand(),
  demoCommand(),
  evalCommand(),
  exportCommand(),
  importCommand(),
  infoCommand(),
  metricsCommand(),
  plotCommand(),
  probeCommand(),
  solveCommand(),
  trainCommand(),
];

/** What is wrong with the words after `npx trm`; undefined if the command and all its options exist. */
function problemOf(words: readonly string[]): string | undefined {
  let command = commands.find((one) => one.name() === words[0]);
  if (!command) return `no command ${words[0]}`;
  command = command.commands.find((one) => one.name() === words[1]) ?? command;
  const known = ["--help", ...command.options.map(({ long }) => long)];
  const unknown = words.filter((word) => word.startsWith("--")).find((word) => !known.includes(word));
  return unknown && `no option ${unknown}`;
}

/** The words of every `npx trm ...` in a text, up to a comment, the end of a code span or the end of the line. */
const commandsIn = (text: string): string[][] =>
  [...text.matchAll(/npx trm (\w[^`\n#]*)/g)].map(([, line]) => line!.trim().split(/\s+/));

const pages = repositoryFiles().filter((path) => path.endsWith(".md"));

describe("the trm commands of the documentation", () => {
  it("exist, with all their options, on every page", () => {
    const named = pages.flatMap((path) => commandsIn(readText(path)).map((words) => ({ path, words })));
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(({ words }) => problemOf(words) !== undefined)).toEqual([]);
  });

  it("exist, with all their options, in the help texts", () => {
    const texts = commands
      .flatMap((command) => [command, ...command.commands])
      .map((command) => {
        let text = "";
        command.configureOutput({ writeOut: (part) => (text += part) });
        command.outputHelp();
        return text;
      });
    const named = texts.flatMap(commandsIn);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((words) => problemOf(words) !== undefined)).toEqual([]);
  });

  it("are spelled npx trm wherever a page shows a command to type", () => {
    const typed = /^\s*(?:npx tsx src\/cli\/main\.ts|node bin\/trm\.mjs|trm) .*$/gm;
    expect(pages.flatMap((path) => readText(path).match(typed) ?? [])).toEqual([]);
  });

  it("are reported if they or their options do not exist", () => {
    expect(problemOf(["train", "--minutes", "1"])).toBeUndefined();
    expect(problemOf(["data", "sudoku", "--augment", "8"])).toBeUndefined();
    expect(problemOf(["train", "--hours", "1"])).toBe("no option --hours");
    expect(problemOf(["learn"])).toBe("no command learn");
  });
});
