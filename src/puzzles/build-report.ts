// What the builders of data sets return, and the progress that they report.
import { ConfigError } from "../trm/index.ts";
import type { SplitName } from "./official-layout/layout.ts";
import type { SplitBuilder } from "./official-layout/split-builder.ts";

export interface BuildReport {
  readonly splits: readonly { readonly name: SplitName; readonly groups: number; readonly examples: number }[];
  /** Lines for the user about what differs from the request, or looks wrong in the data. */
  readonly notes: readonly string[];
}

/**
 * Called during a build with the current work and the share of it that is done, 0 to 1. It may throw to stop the build: then nothing
 * is written, and no temporary file is left.
 */
export type BuildProgress = (work: string, share: number) => void | Promise<void>;

export const reportOf = (name: SplitName, builder: SplitBuilder): BuildReport["splits"][number] => ({
  name,
  groups: builder.groupCount,
  examples: builder.exampleCount,
});

/** A note about examples without labels, if there are any. */
export function unlabelledNote(name: SplitName, { unlabelledCount }: SplitBuilder): string[] {
  if (unlabelledCount === 0) return [];
  return [
    `${name}: examples without an answer, which count neither in training nor in an evaluation: ${unlabelledCount}`,
  ];
}

/** @throws ConfigError unless the count is an integer from 0 */
export function checkCount(name: string, count: number): void {
  if (!Number.isSafeInteger(count) || count < 0) throw new ConfigError(`${name} ${count}, expected an integer from 0`);
}
