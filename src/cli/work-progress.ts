// Progress of work in parts, such as reading and writing: name of the part, share that is done, time left.
import { InterruptedError } from "./explain.ts";
import { duration, percent } from "./format.ts";
import { startProgress } from "./progress.ts";
import { listenForStop } from "./stop-request.ts";
import type { Terminal } from "./terminal.ts";

/** Milliseconds before anything is shown. */
const delay = 2_000;

export interface WorkProgress {
  /** @param share  share of this part that is done, 0 to 1 */
  update(part: string, share: number): void;
  clear(): void;
}

export function startWork(terminal: Terminal, now = (): number => performance.now()): WorkProgress {
  const progress = startProgress(terminal, { after: delay, now });
  let current = { part: "", start: 0 };
  return {
    update(part, share) {
      if (part !== current.part) current = { part, start: now() };
      const left = share > 0 ? ((now() - current.start) * (1 - share)) / share / 1000 : undefined;
      progress.update(share, `${part}: ${percent(share)}${left === undefined ? "" : ` · ${duration(left)} left`}`);
    },
    clear: () => progress.clear(),
  };
}

/** Shows progress. After Ctrl-C it throws InterruptedError, upon which the work removes its temporary files. */
export type AwaitedProgress = (part: string, share: number) => Promise<void>;

/** Minimum number of milliseconds between two checks for Ctrl-C. */
const checkInterval = 50;

/** Runs work that Ctrl-C cancels. The work must await its progress calls. */
export async function runCancellable<T>(
  terminal: Terminal,
  work: (onProgress: AwaitedProgress) => T | Promise<T>,
): Promise<T> {
  const progress = startWork(terminal);
  const stop = listenForStop(() => {});
  let lastCheck = 0;
  try {
    return await work(async (part, share) => {
      progress.update(part, share);
      if (performance.now() - lastCheck < checkInterval) return;
      lastCheck = performance.now();
      if (await stop.check()) throw new InterruptedError("interrupted");
    });
  } finally {
    stop.release();
    progress.clear();
  }
}
