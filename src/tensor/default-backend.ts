// Which backend new tensors are made on: that of the current scope, else the first one that runs here.
import type { Backend } from "./backend.ts";
import { ReferenceBackend } from "./backends/reference/backend.ts";
import { scopedBackend, setRootBackend } from "./scope.ts";

/** The backend of the current scope; on first use outside any choice, the default one, which is then kept. */
export function defaultBackend(): Backend {
  const chosen = scopedBackend();
  if (chosen) return chosen;
  const backend = new ReferenceBackend();
  setRootBackend(backend);
  return backend;
}
