// Starts the Web Worker that trains, and leaves its answer where the test looks for it.
const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
const leave = (report: unknown): void => void Object.assign(globalThis, { report });
worker.onmessage = ({ data }) => leave(data);
worker.onerror = ({ message }) => leave({ error: message || "the worker did not start" });
