// The protocol between the page and a worker. A call has one answer and, before it, any number of reports of progress; it can be
// cancelled. `Calls` in calls.ts lists the calls; this file moves them over any pair of ports.

/** Arguments, progress and result of a call. All three are plain data that can be posted. */
export interface Call {
  readonly args: unknown;
  readonly progress: unknown;
  readonly result: unknown;
}

export type Request =
  | { readonly id: number; readonly call: string; readonly args: unknown }
  | { readonly cancel: number };

export type Reply =
  | { readonly id: number; readonly progress: unknown }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failed: { readonly name: string; readonly message: string } };

/** What both ends need of a Worker, of the scope inside one, or of a MessagePort. */
export interface Port<Out, In> {
  postMessage(message: Out, transfer?: Transferable[]): void;
  onmessage: ((event: { readonly data: In }) => void) | null;
  /** Called if the script of a worker cannot be loaded, or throws an error. */
  onerror?: ((event: { readonly message?: string }) => void) | null;
}

export interface CallOptions<P> {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: P) => void) | undefined;
}

/** Makes calls. The promise of a cancelled call is rejected with the reason of its signal. */
export type Caller<T extends { [K in keyof T]: Call }> = <K extends keyof T & string>(
  call: K,
  args: T[K]["args"],
  options?: CallOptions<T[K]["progress"]>,
) => Promise<T[K]["result"]>;

/** An error of the other end, with the name of its class. */
export class RemoteError extends Error {
  constructor({ name, message }: { readonly name: string; readonly message: string }) {
    super(message);
    this.name = name;
  }
}

/** The end of the page. If the worker does not start, its calls are rejected. */
export function callerOf<T extends { [K in keyof T]: Call }>(port: Port<Request, Reply>): Caller<T> {
  interface Open {
    readonly resolve: (result: unknown) => void;
    readonly reject: (error: unknown) => void;
    readonly onProgress: ((progress: never) => void) | undefined;
  }
  const open = new Map<number, Open>();
  let last = 0;
  let hasAnswered = false;
  let startError: Error | null = null;
  port.onerror = ({ message }) => {
    if (hasAnswered) return; // errors of calls arrive as messages
    startError = new Error(`the worker could not be started${message ? `: ${message}` : ""}`);
    for (const { reject } of open.values()) reject(startError);
    open.clear();
  };
  port.onmessage = ({ data }) => {
    hasAnswered = true;
    const call = open.get(data.id);
    if (!call) return; // it was cancelled
    if ("progress" in data) {
      call.onProgress?.(data.progress as never);
      return;
    }
    open.delete(data.id);
    if ("failed" in data) call.reject(new RemoteError(data.failed));
    else call.resolve(data.result);
  };
  return (call, args, { signal, onProgress } = {}) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (startError) return reject(startError);
      const id = ++last;
      open.set(id, { resolve: resolve as (result: unknown) => void, reject, onProgress });
      signal?.addEventListener("abort", () => {
        if (!open.delete(id)) return;
        port.postMessage({ cancel: id });
        reject(signal.reason);
      });
      port.postMessage({ id, call, args });
    });
}

export interface CallContext<P> {
  /** Aborted when the page cancels the call. */
  readonly signal: AbortSignal;
  readonly progress: (progress: P) => void;
}

/** The functions that answer calls. */
export type Handlers<T extends { [K in keyof T]: Call }> = {
  readonly [K in keyof T]: (
    args: T[K]["args"],
    context: CallContext<T[K]["progress"]>,
  ) => Promise<T[K]["result"]> | T[K]["result"];
};

/**
 * The end of the worker. Results are transferred, not copied, where they contain array buffers. Handlers may still be loading: the port
 * listens at once, because a message that arrives at a worker before that is lost.
 */
export function answerCalls<T extends { [K in keyof T]: Call }>(
  port: Port<Reply, Request>,
  handlers: Handlers<T> | Promise<Handlers<T>>,
): void {
  const running = new Map<number, AbortController>();
  port.onmessage = async ({ data }) => {
    if ("cancel" in data) {
      running.get(data.cancel)?.abort();
      return;
    }
    const { id, call, args } = data;
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const handler = (await handlers)[call as keyof T & string];
      if (!handler) throw new Error(`worker: unknown call "${call}"`);
      const { signal } = controller;
      const progress = (value: unknown): void => {
        if (!signal.aborted) port.postMessage({ id, progress: value }, buffersIn(value));
      };
      const result = await handler(args, { signal, progress });
      if (!signal.aborted) port.postMessage({ id, result }, buffersIn(result));
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      if (!controller.signal.aborted) port.postMessage({ id, failed: { name, message } });
    } finally {
      running.delete(id);
    }
  };
}

/** The buffers of the typed arrays in a value, at any depth of objects and arrays. Arrays of numbers are not searched. */
function buffersIn(value: unknown, found = new Set<ArrayBuffer>()): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer) found.add(value.buffer);
  } else if (Array.isArray(value)) {
    if (typeof value[0] === "object") for (const item of value) buffersIn(item, found);
  } else if (typeof value === "object" && value !== null) {
    for (const item of Object.values(value)) buffersIn(item, found);
  }
  return [...found];
}
