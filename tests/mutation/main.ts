// `npm run mutation` puts faults into a copy of the sources and reports which of them no test notices.
//
//   npm run mutation                       the named faults of named.ts: each must be caught
//   npm run mutation -- src/trm src/nn     every mutant of the files in these folders; prints a score and the survivors
//   npm run mutation -- src/trm --sample 5 every fifth of them
//   npm run mutation -- src/trm/probe.ts:150 src/trm/trace.ts   every mutant of this line, and of this file
import { parseArgs } from "node:util";
import { sourceFiles } from "../source.ts";
import type { Mutant } from "./mutant.ts";
import { namedMutants } from "./named.ts";
import { mutantsOf } from "./operators.ts";
import { Laboratory, type Result, usualLimit } from "./run.ts";

/** The quick tests of the algorithm. */
const tests = [
  "tests/trm",
  "tests/nn",
  "tests/parity",
  "tests/wrong-arguments.test.ts",
  "tests/runs/checkpoint.test.ts",
  "tests/runs/ablation.test.ts",
];

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { sample: { type: "string", default: "1" }, workers: { type: "string", default: "2" } },
});

const mutants = positionals.length === 0 ? namedMutants() : generated(positionals, Number(values.sample));
const results = await runTwice(mutants, Number(values.workers));
const survivors = results.filter(({ verdict }) => verdict === "survived" || verdict === "broken");
for (const { mutant, verdict } of survivors) console.log(`${verdict}: ${mutant.name}`);
const caught = results.length - survivors.length;
const endless = results.filter(({ verdict }) => verdict === "timed out").length;
const share = `${((100 * caught) / results.length).toFixed(1)}%`;
console.log(`${caught} of ${results.length} mutants caught (${share}), ${endless} of them by a test that did not end`);
if (positionals.length === 0 && survivors.length > 0) process.exitCode = 1;

/** @param places  folders, files, or lines as FILE:LINE */
function generated(places: readonly string[], sample: number): Mutant[] {
  const all = sourceFiles().flatMap((file) => mutantsOf(file, tests));
  // The name of a mutant begins with "FILE:LINE ".
  const isAt = (place: string, { name }: Mutant): boolean => name.startsWith(/:\d+$/.test(place) ? `${place} ` : place);
  const empty = places.find((place) => !all.some((mutant) => isAt(place, mutant)));
  if (empty !== undefined) {
    console.error(`mutation: got ${empty}, expected a folder, file or FILE:LINE with mutants`);
    process.exit(1);
  }
  return all.filter((mutant) => places.some((place) => isAt(place, mutant))).filter((_, i) => i % sample === 0);
}

/**
 * A busy machine can make a test time out, so mutants whose tests timed out run again, one at a time, with three times the time that
 * the tests take without a mutant; the second result counts.
 */
async function runTwice(all: readonly Mutant[], workers: number): Promise<Result[]> {
  const first = await runAll(all, workers, usualLimit);
  const timedOut = first.filter(({ verdict }) => verdict === "timed out");
  if (timedOut.length === 0) return first;
  const mutants = timedOut.map(({ mutant }) => mutant);
  const second = await runAll(mutants, 1, Math.max(usualLimit, 3 * (await slowestSeconds(mutants))));
  return [...first.filter((result) => !timedOut.includes(result)), ...second];
}

/** Seconds that the tests of these mutants take without a mutant, the longest of them. */
async function slowestSeconds(mutants: readonly Mutant[]): Promise<number> {
  const laboratory = new Laboratory();
  try {
    const seconds: number[] = [];
    for (const each of new Set(mutants.map(({ tests }) => tests))) seconds.push(await laboratory.secondsOf(each));
    return Math.max(...seconds);
  } finally {
    laboratory.dispose();
  }
}

async function runAll(all: readonly Mutant[], workers: number, limit: number): Promise<Result[]> {
  const results: Result[] = [];
  const begin = Date.now();
  let next = 0;
  const work = async (): Promise<void> => {
    const laboratory = new Laboratory();
    try {
      while (next < all.length) {
        const result = await laboratory.run(all[next++]!, limit);
        results.push(result);
        const left = ((Date.now() - begin) / results.length) * (all.length - results.length);
        const minutes = `${Math.ceil(left / 60_000)} min left`;
        const by = result.caughtBy === null ? "" : ` by "${result.caughtBy}"`;
        console.error(`${results.length}/${all.length} ${result.verdict}: ${result.mutant.name}${by} (${minutes})`);
      }
    } finally {
      laboratory.dispose();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return results;
}
