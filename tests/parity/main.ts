// `npm run parity [-- DIR...]` replays the parity cases found under the given folders, by default those in tests/fixtures/parity.
// Prints one line per case. The exit code is 1 if a case fails or none is found.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { useBackend } from "../../src/tensor/index.ts";
import { readCase } from "./case.ts";
import { Comparison } from "./compare.ts";
import { replayOps } from "./replay-ops.ts";
import { replaySystem } from "./replay-system.ts";

/** The cases of this repository. */
const ownCases = fileURLToPath(new URL("../fixtures/parity", import.meta.url));

export interface CaseResult {
  readonly passes: boolean;
  readonly line: string;
}

/** Folders that contain a case.json, sorted by name. */
export function findCases(folder: string): string[] {
  if (existsSync(join(folder, "case.json"))) return [folder];
  const children = readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
  return children.filter((path) => statSync(path).isDirectory()).flatMap(findCases);
}

/** Replays a case. Never throws: a case that cannot be read or replayed counts as failed. */
export async function runCase(folder: string): Promise<CaseResult> {
  const compare = new Comparison();
  try {
    const { json, tensors } = readCase(folder);
    if (json.kind === "ops" && "ops" in json) await replayOps(json.ops, tensors, compare);
    else await replaySystem(json as Exclude<typeof json, { ops: unknown }>, tensors, compare);
    if (tensors.unread.size > 0) {
      throw new Error(`${tensors.unread.size} tensors were not compared, the first is ${[...tensors.unread][0]}`);
    }
  } catch (error) {
    return { passes: false, line: `FAIL  ${folder}: ${(error as Error).message}` };
  }
  const { passes, worst, worstError, worstWhere, count } = compare;
  const share = Number.isFinite(worst) ? `${(100 * worst).toFixed(1)}% of its tolerance` : "not equal";
  const line = `${passes ? "PASS" : "FAIL"}  ${folder}: largest error ${worstError.toExponential(1)} (${share}) in ${worstWhere}; ${count} comparisons`;
  return { passes, line };
}

async function main(args: readonly string[]): Promise<void> {
  const folders = args.length > 0 ? args : [ownCases];
  const backend = await useBackend();
  const cases = folders.flatMap((folder) => {
    if (existsSync(folder)) return findCases(folder);
    console.error(`parity: no folder ${folder}`);
    process.exitCode = 1;
    return [];
  });
  let failed = 0;
  for (const folder of cases) {
    const { passes, line } = await runCase(folder);
    console.log(line.replace(folder, relative(process.cwd(), folder) || folder));
    if (!passes) failed++;
  }
  if (cases.length === 0) console.error(`parity: no case found under ${folders.join(", ")}`);
  console.log(`parity on ${backend.name} (${backend.build}): ${cases.length - failed} passed, ${failed} failed`);
  if (failed > 0 || cases.length === 0) process.exitCode = 1;
}

if (process.argv[1]?.endsWith("main.ts")) await main(process.argv.slice(2));
