// Progress of work in parts, such as reading and writing: name of the part, share that is done, time left.
import { duration, percent } from "./format.ts";
import { startProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** Milliseconds before anything is shown. */
const delay = 2_000;

export interface WorkProgress {
  /** @param share  share of this part that is done, 0 to 1 */
  update(part: string, share: number): void;
  clear(): void;
}

export function startWork(terminal: Terminal, now: () => number = Date.now): WorkProgress {
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
