/** What a builder tells of its work. */
import { ConfigError } from "../trm/index.ts";
import type { SplitName } from "./official-layout/layout.ts";
import type { SplitBuilder } from "./official-layout/split-builder.ts";

/** What was written. */
export interface BuildReport {
  readonly splits: readonly { readonly name: SplitName; readonly groups: number; readonly examples: number }[];
  /** Lines for the user: what is not as asked. */
  readonly notes: readonly string[];
}

/** Called as the work goes on, with what is being done and how much of that is done, 0 to 1. */
export type BuildProgress = (what: string, share: number) => void;

export const reportOf = (name: SplitName, builder: SplitBuilder): BuildReport["splits"][number] => ({
  name,
  groups: builder.groupCount,
  examples: builder.exampleCount,
});

/** @throws ConfigError */
export function checkCount(name: string, count: number): void {
  if (!Number.isSafeInteger(count) || count < 0)
    throw new ConfigError(`${name} ${count}, expected a whole number from 0`);
}
