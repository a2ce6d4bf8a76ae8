// A progress line: rewritten in place on a terminal; elsewhere (a log, a pipe) a new line every ten seconds.
import { clearLine, cursorTo } from "node:readline";
import type { Terminal } from "./terminal.ts";

export interface Progress {
  /** @param share  share of the work that is done, 0 to 1 */
  update(share: number, text: string): void;
  /** Removes the line from a terminal. The next update shows it again. */
  clear(): void;
}

export interface ProgressOptions {
  /** Milliseconds before anything is shown, so that short work shows nothing. */
  readonly after?: number;
  readonly now?: () => number;
}

/** Minimum number of milliseconds between two updates on the screen. */
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
      clearLine(progress, 1); // removes the rest of a longer previous line
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
