// Isolation: threads need a cross-origin isolated page. Where the web server does not send the headers, a button installs a service
// worker that adds them, and stores the page for offline use.
import { signal } from "@preact/signals";
import type { JSX } from "preact";

/** Set while a reload that should have isolated the page is under way; a second reload is never made. */
const guard = "trm-explorer-isolating";
const message = signal("");

/** Whether the guard could be set. A browser that blocks storage throws an error when sessionStorage is read. */
function setGuard(): boolean {
  try {
    sessionStorage.setItem(guard, "1");
    return true;
  } catch {
    return false;
  }
}

/** Removes the guard. @returns whether it was set */
function removeGuard(): boolean {
  try {
    const isSet = sessionStorage.getItem(guard) !== null;
    sessionStorage.removeItem(guard);
    return isSet;
  } catch {
    return false;
  }
}

export const isIsolated = (): boolean => globalThis.crossOriginIsolated === true;

/** After the reload: reports if the page is still not isolated, and removes the guard. */
export function checkIsolation(): void {
  if (removeGuard() && !isIsolated())
    message.value = "This browser did not isolate the page. It goes on with one thread.";
}

/** Waits until a service worker is active. @throws Error if it was discarded, as when a file could not be stored */
function activated(worker: ServiceWorker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") reject(new Error("some files of the page could not be stored"));
    });
  });
}

async function isolate(): Promise<void> {
  try {
    message.value = "Storing the page…";
    const { installing } = await navigator.serviceWorker.register("./isolation.js");
    if (installing) await activated(installing);
    await navigator.serviceWorker.ready;
    if (isIsolated()) {
      message.value = "The page now works offline.";
      return;
    }
    if (setGuard()) location.reload();
    else message.value = "The page now works offline. Reload it to use threads.";
  } catch (error) {
    message.value = `The service worker could not be installed: ${(error as Error).message}`;
  }
}

export function IsolationButton(): JSX.Element | null {
  const canInstall = "serviceWorker" in navigator && import.meta.env.PROD;
  return (
    <div class="stack">
      <p class="note">
        {isIsolated()
          ? "This page is isolated: threads are available."
          : "This page is not isolated: it uses one thread."}
      </p>
      {canInstall && (
        <button type="button" onClick={() => void isolate()}>
          {isIsolated() ? "Keep for offline use" : "Use threads, and work offline"}
        </button>
      )}
      {message.value && <p class="note">{message.value}</p>}
    </div>
  );
}
