// Runs the command line as a user does: in a process of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const project = resolve(import.meta.dirname, "../..");
const main = join(project, "src/cli/main.ts");

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

/** @param through  "node": node --import tsx; "tsx": the tsx command, as in `npx tsx src/cli/main.ts` */
export function start(arguments_: readonly string[], through: "node" | "tsx" = "node", env = {}): Running {
  const before =
    through === "node" ? ["--import", "tsx", main] : [join(project, "node_modules/tsx/dist/cli.mjs"), main];
  return watch(
    spawn(process.execPath, [...before, ...arguments_], {
      cwd: project,
      env: { ...process.env, NO_COLOR: "1", ...env },
    }),
  );
}

/** A line for the shell, with `$TRM` for the command. */
export function startShell(line: string): Running {
  const TRM = `${process.execPath} --import tsx ${main}`;
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

export const newFolder = (): string => mkdtempSync(join(tmpdir(), "trm-e2e-"));

/** The lines of metrics.jsonl that are steps. */
export function stepLines(run: string): { step: number; loss: number }[] {
  const text = readFileSync(join(run, "metrics.jsonl"), "utf8");
  const lines = text.split("\n").slice(0, -1); // what follows the last line break is being written
  return lines.map((line) => JSON.parse(line)).filter((line) => "loss" in line);
}

/** Waits until a condition holds, at most a minute. */
export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error("until: waited a minute in vain");
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** For hooks that run commands, on a machine that is busy. In ms. */
export const patience = 300_000;

/** Settings of a model that trains in a few seconds. */
export const smallModel = ["hiddenSize=32", "batchSize=32", "nSup=4"];
