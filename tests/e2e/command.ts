// Runs the command line in a separate process, as a user does.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const project = resolve(import.meta.dirname, "../..");
const trmFile = join(project, "bin/trm.mjs");

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
}

export const start = (arguments_: readonly string[], env = {}): Running =>
  startProgram(process.execPath, [trmFile, ...arguments_], env);

/** Starts `npm start -- ...` or `npx trm ...` in a new process group, which gets signals as a whole, as from a terminal. */
export const startInGroup = (program: "npm" | "npx", arguments_: readonly string[]): Running =>
  startProgram(program, arguments_, {}, true);

function startProgram(program: string, arguments_: readonly string[], env: object, detached = false): Running {
  return watch(spawn(program, arguments_, { cwd: project, env: { ...process.env, NO_COLOR: "1", ...env }, detached }));
}

/** Runs a line in the shell. It may use `$TRM` for the command. */
export function startShell(line: string): Running {
  const TRM = `${process.execPath} ${trmFile}`;
  return watch(spawn("bash", ["-c", `set -o pipefail; ${line}`], { cwd: project, env: { ...process.env, TRM } }));
}

function watch(child: ChildProcess): Running {
  let [stdout, stderr] = ["", ""];
  child.stdout!.on("data", (text) => {
    stdout += text;
  });
  child.stderr!.on("data", (text) => {
    stderr += text;
  });
  const finished = new Promise<Finished>((done, fail) => {
    child.on("error", fail);
    child.on("close", (code, signal) => done({ code, signal, stdout, stderr }));
  });
  return { child, finished };
}

export const trm = (...arguments_: string[]): Promise<Finished> => start(arguments_).finished;

/** The arguments of a command line in which no argument contains a space. */
export const words = (line: string): string[] => line.split(" ");

export const newFolder = (): string => mkdtempSync(join(tmpdir(), "trm-e2e-"));

/** The lines of metrics.jsonl that describe training steps. */
export function stepLines(run: string): { step: number; loss: number }[] {
  const text = readFileSync(join(run, "metrics.jsonl"), "utf8");
  const lines = text.split("\n").slice(0, -1); // the text after the last line break may be incomplete
  return lines.map((line) => JSON.parse(line)).filter((line) => "loss" in line);
}

/** Waits at most a minute until a condition is true. */
export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error("until: the condition was still false after a minute");
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** Time limit of hooks that run commands on a busy machine. In ms. */
export const patience = 300_000;

/** Settings of a model that trains in a few seconds. */
export const smallModel = ["hiddenSize=32", "batchSize=32", "nSup=4"];
