// Output streams of the command line: results go to one stream, progress and remarks to another (or the same), errors to stderr.
import type { WriteStream } from "node:tty";
import pc from "picocolors";
import { checkOutput, isStandardOutput } from "../formats/index.node.ts";
import { runOfFile } from "../runs/index.node.ts";
import { UsageError } from "./explain.ts";

export type Colours = ReturnType<typeof pc.createColors>;

export interface Terminal {
  /** Prints one line of the result. */
  print(line?: string): void;
  /** Prints one line that does not belong to the result. */
  remark(line?: string): void;
  /** The stream of the remarks. */
  readonly progress: WriteStream;
  /** Whether a line on that stream can be rewritten. */
  readonly isLive: boolean;
  readonly columns: number;
  readonly colours: Colours;
}

type StreamName = "stdout" | "stderr";

/**
 * @param remarksTo  stderr if the result is for a program (--json), else stdout
 * @param resultTo  stderr if the standard output is taken by an output file, else stdout
 */
export function openTerminal(remarksTo: StreamName = "stdout", resultTo: StreamName = "stdout"): Terminal {
  const progress = process[remarksTo] as WriteStream;
  const columns = Math.min(progress.columns || process.stdout.columns || 80, 120); // a terminal of unknown size reports 0 columns
  return {
    print: (line = "") => void process[resultTo].write(`${line}\n`),
    remark: (line = "") => void progress.write(`${line}\n`),
    progress,
    isLive: Boolean(progress.isTTY) && process.env.TERM !== "dumb",
    columns,
    colours: pc.createColors(usesColour(process.env, Boolean(process.stdout.isTTY))),
  };
}

/**
 * Opens the terminal of a command that may write an output file at its end, perhaps to the standard output.
 * @throws UsageError for the standard output with --json too, and for a file of a run; FileError if the file cannot be written
 */
export function openTerminalBeside(option: string, path: string | undefined, json = false): Terminal {
  const isTaken = path !== undefined && isStandardOutput(path);
  if (isTaken && json) throw new UsageError(`${option} ${path} and --json both print to standard output`);
  if (path !== undefined) checkOutputFile(option, path);
  return openTerminal(json || isTaken ? "stderr" : "stdout", isTaken ? "stderr" : "stdout");
}

/** Checks an output file before long work. @throws UsageError for a file of a run; FileError if it cannot be written */
export function checkOutputFile(option: string, path: string): void {
  checkOutput(path);
  const run = isStandardOutput(path) ? undefined : runOfFile(path);
  if (run !== undefined) throw new UsageError(`${option} ${path} is a file of the run ${run}, expected another file`);
}

/** NO_COLOR (https://no-color.org) and FORCE_COLOR decide; without them, only a terminal has colours. */
export function usesColour(environment: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = environment;
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return isTerminal && TERM !== "dumb";
}
