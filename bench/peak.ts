// Measures the peak in a separate process, because the kernels depend on the version of Node: `tsx bench/peak.ts --threads 2` prints
// one line of JSON.
import { parseArgs } from "node:util";
import { loadBenchBackend } from "./backend.ts";
import { nameOf } from "./ours.ts";
import { type OwnPeak, ownPeak } from "./own-peak.ts";

export interface PeakResult extends OwnPeak {
  /** Name of the program, with the build of its kernels. */
  readonly peer: string;
  readonly threads: number;
}

async function measurePeak(name: string | undefined, threads: number): Promise<PeakResult> {
  const { backend, threads: used } = await loadBenchBackend(name, threads);
  try {
    return { peer: nameOf(backend), threads: used, ...ownPeak(backend) };
  } finally {
    backend.dispose();
  }
}

const { values } = parseArgs({ options: { threads: { type: "string", default: "1" }, backend: { type: "string" } } });
console.log(JSON.stringify(await measurePeak(values.backend, Number(values.threads))));
