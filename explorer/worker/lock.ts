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

/** Milliseconds between two breaths. Each leaves garbage that the browser collects late, and a cancelled call may wait this long. */
const interval = 50;
let last = 0;

/** Lets messages arrive, if none could arrive for a while. setTimeout would wait at least 4 ms. */
export function breathe(): Promise<void> {
  if (performance.now() - last < interval) return Promise.resolve();
  last = performance.now();
  return new Promise((resolve) => {
    port1.addEventListener("message", () => resolve(), { once: true });
    port1.start();
    port2.postMessage(null);
  });
}
