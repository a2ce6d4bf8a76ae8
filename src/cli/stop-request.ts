// Ctrl-C, as a request: the running step ends, the state is saved, the process exits. A second Ctrl-C exits at once.

/** What asks a process to end. */
export const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** One Ctrl-C can arrive twice: from the terminal, and again from the npm or tsx process around this one. */
export const sameRequest = 1_000; // ms

export interface StopRequest {
  readonly isRequested: boolean;
  request(): void;
  /** Lets pending signals in; computing blocks them. */
  check(): Promise<boolean>;
  /** Back to the system's behaviour. */
  release(): void;
}

/** Whether the reader of a stream has gone: a closed pipe, or a closed terminal. EIO of a file is a broken disk. */
export const isReaderGone = ({ code }: NodeJS.ErrnoException, { isTTY }: { isTTY?: boolean }): boolean =>
  code === "EPIPE" || (code === "EIO" && Boolean(isTTY));

/** @param onRequest  called once, when the first signal arrives */
export function listenForStop(onRequest: () => void): StopRequest {
  let isRequested = false;
  let timer: NodeJS.Timeout | undefined;
  const release = (): void => {
    clearTimeout(timer);
    for (const signal of signals) process.off(signal, request);
    process.stdout.off("error", onBrokenPipe);
  };
  const request = (): void => {
    if (isRequested) return;
    isRequested = true;
    onRequest();
    // Then the system's own handling is back: it ends the process even in the middle of a computation.
    timer = setTimeout(() => {
      for (const signal of signals) process.off(signal, request);
    }, sameRequest);
    timer.unref();
  };
  const onBrokenPipe = (error: NodeJS.ErrnoException): void => {
    if (isReaderGone(error, process.stdout)) request();
  };
  for (const signal of signals) process.on(signal, request);
  process.stdout.on("error", onBrokenPipe);
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
