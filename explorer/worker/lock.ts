// Calls that compute run one after another, although each of them awaits: a trace must not see weights change under it.

/** Runs `body` when all earlier bodies are finished. */
export function lock(): <T>(body: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (body) => {
    const next = last.then(body, body);
    last = next.catch(() => {});
    return next;
  };
}

// One channel for all calls, because a port takes memory outside the heap and a training calls `breathe` after every step.
const { port1, port2 } = new MessageChannel();

/** Lets messages arrive. setTimeout would wait 4 ms each time. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    port1.addEventListener("message", () => resolve(), { once: true });
    port1.start();
    port2.postMessage(null);
  });
}
