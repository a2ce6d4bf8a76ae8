// Starts the Web Worker that trains and stores its report in `globalThis.report`, where the test reads it.
const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
const store = (report: unknown): void => void Object.assign(globalThis, { report });
worker.onmessage = ({ data }) => store(data);
worker.onerror = ({ message }) => store({ error: message || "the worker did not start" });
