// Choosing the puzzle: the samples, and one of the visitor's own, typed, pasted or drawn.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { firstPlace } from "../../shared/link.ts";
import { go, link, model, puzzleError, puzzleText, sample, shown } from "../state.ts";
import { isDrawing } from "./maze-drawing.tsx";

export function PuzzleChoice(): JSX.Element {
  const { samples, samplesFrom, board } = model.value!;
  const isOwn = link.value.puzzle !== "";
  const turn = (by: number): void => {
    const next = ((sample.value - 1 + by + samples.length) % samples.length) + 1;
    go({ sample: next, puzzle: "", at: firstPlace });
  };
  return (
    <div class="puzzle-choice">
      <div class="row">
        <button type="button" onClick={() => turn(-1)} aria-label="Previous sample puzzle">
          ‹
        </button>
        <span class="number" title={isOwn ? "" : samplesFrom}>
          {isOwn ? "your puzzle" : `puzzle ${sample.value} of ${samples.length}`}
        </span>
        <button type="button" onClick={() => turn(1)} aria-label="Next sample puzzle">
          ›
        </button>
        {isOwn && (
          <button type="button" class="quiet" onClick={() => go({ puzzle: "", at: firstPlace })}>
            back to the samples
          </button>
        )}
      </div>
      {board.kind === "maze" ? (
        <button type="button" aria-expanded={isDrawing.value} onClick={() => (isDrawing.value = !isDrawing.value)}>
          Draw your own maze
        </button>
      ) : (
        <details class="own-puzzle" open={puzzleError.value !== null}>
          <summary>Enter your own puzzle</summary>
          <PuzzleText />
        </details>
      )}
      {puzzleError.value && (
        <p class="error" role="alert">
          {puzzleError.value}.{shown.value && " The board still shows the last valid puzzle."}
        </p>
      )}
    </div>
  );
}

function PuzzleText(): JSX.Element {
  const { board } = model.value!;
  const { columns } = board;
  const lines = puzzleText.value.match(new RegExp(`.{1,${columns}}`, "g")) ?? [];
  const [text, setText] = useState<string | null>(null);
  const submit = (): void => {
    if (text === null) return;
    // Rules and gaps of a pasted board are removed, as the parser does; the parser says what is wrong with the rest.
    const joined = text.replace(/[\s|+-]/g, "");
    go({ puzzle: joined, at: firstPlace });
    setText(null);
  };
  return (
    <div class="stack">
      <label>
        <span class="note">Digits, and “.” or “0” for a blank. You can also select a cell of the board and type.</span>
        <textarea
          rows={board.rows}
          spellcheck={false}
          value={text ?? lines.join("\n")}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="button" class="primary" disabled={text === null} onClick={submit}>
        Solve it
      </button>
    </div>
  );
}
