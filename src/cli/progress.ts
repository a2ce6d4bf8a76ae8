// A progress line: rewritten in place on a terminal; elsewhere (a log, a pipe) a new line every ten seconds.
import { clearLine, clearScreenDown, cursorTo, moveCursor } from "node:readline";
import type { Terminal } from "./terminal.ts";

export interface Progress {
  /**
   * @param share  share of the work that is done, 0 to 1
   * @param details  a second line
   */
  update(share: number, text: string, details?: string): void;
  /** Removes the lines from a terminal. The next update shows it again. */
  clear(): void;
}

export interface ProgressOptions {
  /** Milliseconds before anything is shown, so that short work shows nothing. */
  readonly after?: number;
  readonly now?: () => number;
}

/** Minimum number of milliseconds between two updates on the screen. */
const intervals = { live: 80, plain: 10_000 };

export function startProgress(
  terminal: Terminal,
  { after = 0, now = () => performance.now() }: ProgressOptions = {},
): Progress {
  const { isLive, progress, remark, columns } = terminal;
  const interval = isLive ? intervals.live : intervals.plain;
  const start = now();
  let [last, shown] = [Number.NEGATIVE_INFINITY, 0]; // lines on the screen
  const toStart = (): void => {
    if (shown > 1) moveCursor(progress, 0, 1 - shown);
    cursorTo(progress, 0);
  };
  return {
    update(share, text, details) {
      if (now() - start < after || (now() - last < interval && (shown > 0 || !isLive))) return;
      last = now();
      if (!isLive) {
        if (share < 1) for (const line of details === undefined ? [text] : [text, `  ${details}`]) remark(line);
        return;
      }
      const lines = [liveLine(terminal, share, text)];
      if (details !== undefined) lines.push(shorten(details, columns - 1));
      toStart();
      lines.forEach((line, index) => {
        if (index > 0) progress.write("\n");
        progress.write(line);
        clearLine(progress, 1); // removes the rest of a longer previous line
      });
      shown = lines.length;
    },
    clear() {
      if (shown === 0) return;
      toStart();
      clearScreenDown(progress);
      shown = 0;
    },
  };
}

const barWidth = 20;

function liveLine({ columns, colours }: Terminal, share: number, text: string): string {
  if (columns < 2 * barWidth) return shorten(text, columns - 1); // no room for the bar
  const filled = Math.round(Math.min(1, Math.max(0, share)) * barWidth);
  const bar = colours.cyan("█".repeat(filled)) + colours.dim("░".repeat(barWidth - filled));
  return `${bar} ${shorten(text, columns - barWidth - 2)}`;
}

const shorten = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
