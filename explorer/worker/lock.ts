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

/** Lets messages arrive. setTimeout would wait 4 ms each time. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      // Both ends: an open port keeps memory outside the heap until it is collected, which a training does not wait for.
      port1.close();
      port2.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
