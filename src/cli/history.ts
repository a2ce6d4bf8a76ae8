// The course of a training in a few lines, from the evaluations in its metrics.
import { haltingShare, type Metrics, type UnseenLine } from "../runs/index.ts";
import { duration, percent, shareText, thousands } from "./format.ts";

/** Rows of the table. */
const most = 8;

/** One row per evaluation, at most eight that are spread evenly; empty without evaluations. */
export function historyTable({ unseen }: Metrics): string[] {
  if (unseen.length === 0) return [];
  return ["      step      time  exact after 1  exact after last  cells correct  q halts", ...spread(unseen).map(row)];
}

function row(line: UnseenLine): string {
  const { step, seconds, exact, cell, exactAfter } = line;
  return [
    thousands(step).padStart(10),
    (seconds === null ? "-" : duration(seconds)).padStart(9),
    percent(exactAfter[0]!).padStart(14),
    percent(exact).padStart(17),
    percent(cell).padStart(14),
    shareText(haltingShare(line)).padStart(8),
  ].join(" ");
}

/** Items at equal distances, the last one included. */
function spread<T>(items: readonly T[]): T[] {
  const count = Math.min(most, items.length);
  return Array.from({ length: count }, (_, i) => items[Math.ceil(((i + 1) * items.length) / count) - 1]!);
}
