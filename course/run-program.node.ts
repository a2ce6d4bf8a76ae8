// Runs the program of a lesson with the learner's functions, in a process of its own.
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { repository } from "./lessons.node.ts";
import { addressOf, loader } from "./run-check.node.ts";

/** Runs until the program ends. Returns its exit code. */
export function runProgram(folder: string, lesson: number): Promise<number> {
  const code = `const { program } = await import(${JSON.stringify(addressOf(folder, lesson))});
try { await program(console.log); }
catch (error) { console.error(error.message); process.exitCode = 1; }`;
  const child = spawn(process.execPath, [...loader, "--input-type=module", "--eval", code], {
    cwd: resolve(folder),
    env: { ...process.env, TSX_TSCONFIG_PATH: join(repository, "tsconfig.json") },
    stdio: "inherit",
  });
  return new Promise((done, refuse) => child.on("error", refuse).on("exit", (exit) => done(exit ?? 1)));
}
