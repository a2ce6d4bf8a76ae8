import { trainSmallModels } from "../step.ts";

try {
  postMessage({ ...(await trainSmallModels()), isolated: globalThis.crossOriginIsolated });
} catch (error) {
  postMessage({ error: String(error) });
}
