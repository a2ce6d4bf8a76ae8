// Progress: one line that is rewritten on a terminal, a plain line now and then elsewhere (a log, a pipe).
import { clearLine, cursorTo } from "node:readline";
import type { Terminal } from "./terminal.ts";

export interface Progress {
  /** @param share  of the work that is done, 0 to 1 */
  update(share: number, text: string): void;
  /** Takes the line away; an update brings it back. */
  clear(): void;
}

export interface ProgressOptions {
  /** Show nothing before so many ms have passed: most work is done by then. */
  readonly after?: number;
  readonly now?: () => number;
}

/** Between two drawings, in ms. */
const intervals = { live: 80, plain: 10_000 };

export function startProgress(terminal: Terminal, { after = 0, now = Date.now }: ProgressOptions = {}): Progress {
  const { isLive, progress, remark } = terminal;
  const interval = isLive ? intervals.live : intervals.plain;
  const start = now();
  let [last, isShown] = [Number.NEGATIVE_INFINITY, false];
  return {
    update(share, text) {
      if (now() - start < after || (now() - last < interval && (isShown || !isLive))) return;
      last = now();
      if (!isLive) return share < 1 ? remark(text) : undefined;
      cursorTo(progress, 0);
      progress.write(liveLine(terminal, share, text));
      clearLine(progress, 1); // what a longer line before has left
      isShown = true;
    },
    clear() {
      if (!isShown) return;
      cursorTo(progress, 0);
      clearLine(progress, 0);
      isShown = false;
    },
  };
}

const barWidth = 20;

function liveLine({ columns, colours }: Terminal, share: number, text: string): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * barWidth);
  const bar = colours.cyan("█".repeat(filled)) + colours.dim("░".repeat(barWidth - filled));
  return `${bar} ${shorten(text, columns - barWidth - 2)}`;
}

const shorten = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
