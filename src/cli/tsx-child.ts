// The tsx command kills its process when a signal is not acknowledged within 60 ms; a training step computes longer than that,
// and Ctrl-C would end it unsaved. So under tsx this process only waits, and the work is done by a child.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { sameRequest, signals } from "./stop-request.ts";

const isTsxPreflight = (argument: string): boolean => /[\\/]tsx[\\/].*preflight/.test(argument);

/** Whether the tsx command started this process (`node --import tsx` does not, and needs no child). */
export const isUnderTsx = (): boolean => process.execArgv.some(isTsxPreflight);

/** Runs the same command line in a child and ends as it ends. */
export function runAgainInChild(): Promise<void> {
  const loader = process.execArgv.filter((_, i, all) => !isTsxPreflight(all[i]!) && !isTsxPreflight(all[i + 1] ?? ""));
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const child = spawn(process.execPath, [...loader, main, ...process.argv.slice(2)], { stdio: "inherit" });
  let first = Number.POSITIVE_INFINITY;
  const pass = (signal: NodeJS.Signals): void => {
    first = Math.min(first, Date.now());
    // A second Ctrl-C ends a child that is deep in a long step, and cannot hear anything. Its checkpoint is complete always.
    child.kill(Date.now() - first > sameRequest ? "SIGKILL" : signal);
  };
  for (const signal of signals) process.on(signal, pass);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      process.exitCode = code ?? 128 + constants.signals[signal!];
      resolve();
    });
  });
}
