// Progress of work in parts (reading, writing ...): what is being done, how much of it is done, and the time it still takes.
import { duration, percent } from "./format.ts";
import { startProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** Work that is done by then shows nothing. In ms. */
const patience = 2_000;

export interface WorkProgress {
  /** @param share  of this part that is done, 0 to 1 */
  update(what: string, share: number): void;
  clear(): void;
}

export function startWork(terminal: Terminal, now: () => number = Date.now): WorkProgress {
  const progress = startProgress(terminal, { after: patience, now });
  let part = { what: "", start: 0 };
  return {
    update(what, share) {
      if (what !== part.what) part = { what, start: now() };
      const left = share > 0 ? ((now() - part.start) * (1 - share)) / share / 1000 : undefined;
      progress.update(share, `${what}: ${percent(share)}${left === undefined ? "" : ` · ${duration(left)} left`}`);
    },
    clear: () => progress.clear(),
  };
}
