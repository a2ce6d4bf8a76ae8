// Turns Ctrl-C into a request: the running step ends, the state is saved, the process exits. A second Ctrl-C exits at once.

/** Signals that request a stop. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** One Ctrl-C can arrive twice: from the terminal, and from npm, which passes it on. Signals this close count as one. In ms. */
const repeatWindow = 1_000;

export interface StopRequest {
  readonly isRequested: boolean;
  request(): void;
  /** Lets Node deliver pending signals, which wait while a step computes. Resolves to `isRequested`. */
  check(): Promise<boolean>;
  /** Restores the default handling of signals. */
  release(): void;
}

/** Whether the reader of a stream has closed the pipe or the terminal. EIO on a file means a broken disk instead. */
export const isReaderGone = ({ code }: NodeJS.ErrnoException, { isTTY }: { isTTY?: boolean }): boolean =>
  code === "EPIPE" || (code === "EIO" && Boolean(isTTY));

/** @param onRequest  called once, when the first request arrives */
export function listenForStop(onRequest: () => void): StopRequest {
  let isRequested = false;
  let timer: NodeJS.Timeout | undefined;
  const release = (): void => {
    clearTimeout(timer);
    for (const signal of signals) process.off(signal, request);
    process.stdout.off("error", request);
  };
  const request = (): void => {
    if (isRequested) return;
    isRequested = true;
    onRequest();
    // From then on the default handling ends the process, even in the middle of a long step.
    timer = setTimeout(() => {
      for (const signal of signals) process.off(signal, request);
    }, repeatWindow);
    timer.unref();
  };
  for (const signal of signals) process.on(signal, request);
  process.stdout.on("error", request); // main.ts reports the error; what has been trained is saved first.
  return {
    get isRequested() {
      return isRequested;
    },
    request,
    async check() {
      await new Promise((resolve) => setImmediate(resolve));
      return isRequested;
    },
    release,
  };
}
