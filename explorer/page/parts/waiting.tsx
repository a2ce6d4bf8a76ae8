// What stands in for a view that has nothing to show yet, or that never will.
import type { JSX } from "preact";
import { go, puzzleError, shown, workerError } from "../state.ts";

export function Waiting({ children = "Loading the model…" }: { readonly children?: string | undefined }): JSX.Element {
  if (workerError.value) return <p class="waiting-text">The model could not be loaded.</p>;
  if (!puzzleError.value || shown.value) return <p class="waiting-text">{children}</p>;
  return (
    <div class="waiting-text stack">
      <h2>The puzzle of this link is not valid</h2>
      <p class="error" role="alert">
        {puzzleError.value}.
      </p>
      <button type="button" onClick={() => go({ view: "solve" })}>
        Change the puzzle
      </button>
    </div>
  );
}
