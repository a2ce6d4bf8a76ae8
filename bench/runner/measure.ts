// Measures pairs of programs: writes the case, lets the programs take turns, and reports why a measurement failed.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../../src/tensor/index.ts";
import { makeCase, writeCase } from "../shared/case.ts";
import type { StepConfig } from "../shared/config.ts";
import type { Absent, Contestant } from "./contestants.ts";
import type { Progress } from "./progress.ts";
import type { Failed, Pair } from "./report.ts";
import { takeTurns } from "./turns.ts";

/** Time limit for the turns of one pair; slow programs exceed it (turns.ts). */
const seconds = 60;

export interface PairRequest {
  readonly configName: string;
  readonly config: StepConfig;
  readonly threads: number;
  readonly turns: number;
  /** Our program, on one or two versions of Node. */
  readonly ours: readonly Contestant[];
  /** null: our program runs alone. */
  readonly peer: Contestant | Absent | null;
}

export const nameOfRequest = ({ configName, threads, peer }: PairRequest): string =>
  `${configName}, ${threads} thread(s), ${peer?.name ?? "alone"}`;

/** @returns a pair for each version of our program, all of which took turns with the peer, or the reason of the failure */
export async function measurePairs(request: PairRequest, progress: Progress): Promise<(Pair | Failed)[]> {
  const { configName, config, threads, turns, ours, peer } = request;
  const name = peer?.name ?? "alone";
  progress.start(nameOfRequest(request));
  const folder = mkdtempSync(join(tmpdir(), "trm-bench-"));
  try {
    if (peer && !("command" in peer)) return [{ ...peer, configName, threads }];
    const path = join(folder, `${configName}.json`);
    writeFileSync(path, JSON.stringify(config));
    writeCase(folder, makeCase(config, new Random(1)));
    const onTurn = (done: number, of: number): void => progress.detail(`turn ${done} of ${of}`);
    const turnOptions = { config: path, folder, threads, turns, seconds, onTurn };
    const measured = await takeTurns(peer ? [...ours, peer] : ours, turnOptions);
    return ours.map((_, i) => ({
      configName,
      config,
      threads,
      ours: measured[i]!,
      peer: measured[ours.length] ?? null,
    }));
  } catch (error) {
    return [{ name, configName, threads, reason: error instanceof Error ? error.message : String(error) }];
  } finally {
    rmSync(folder, { recursive: true });
    progress.finish();
  }
}

export const isPair = (result: Pair | Failed): result is Pair => "ours" in result;
