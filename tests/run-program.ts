// Runs a TypeScript program as a user of a clone runs it, with `npx tsx FILE` in the root: there "trm-ts" is the source (tsconfig.json).
import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { projectRoot } from "./source.ts";

/**
 * What a program prints. It runs from a temporary file in the folder tests, on the default backend.
 *
 * @param temporary  folder for the temporary files that the program writes
 * @throws Error with the output if the program fails
 */
export async function runProgram(name: string, code: string, temporary?: string): Promise<string> {
  const file = `${projectRoot}tests/${name}.generated.mts`;
  writeFileSync(file, code);
  const env = { ...process.env, TRM_BACKEND: "", ...(temporary && { TMPDIR: temporary }) };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", file], {
      cwd: projectRoot,
      env,
    });
    return stdout;
  } finally {
    rmSync(file);
  }
}

/** The code with its loops of training steps, `step <= 600`, shortened to 3 steps. @throws Error if there is none */
export function shortened(code: string): string {
  const short = code.replaceAll(/\bstep <= \d+/g, "step <= 3");
  if (short === code) throw new Error("shortened: no loop over training steps, expected `step <= N`");
  return short;
}
