// Choosing the puzzle: the samples, and one of the visitor's own, typed, pasted or drawn.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { go, link, model, puzzleError, puzzleText, shown } from "../state.ts";
import { Board } from "./board.tsx";

const restart = { step: 0, cycle: 0, update: 0 };

export function PuzzleChoice(): JSX.Element {
  const { samples, samplesFrom, board } = model.value!;
  const { sample, puzzle } = link.value;
  const isOwn = puzzle !== "";
  const turn = (by: number): void => {
    const next = ((sample - 1 + by + samples.length) % samples.length) + 1;
    go({ sample: next, puzzle: "", at: restart });
  };
  return (
    <div class="puzzle-choice">
      <div class="row">
        <button type="button" onClick={() => turn(-1)} aria-label="Previous sample puzzle">
          ‹
        </button>
        <span class="number" title={isOwn ? "" : samplesFrom}>
          {isOwn ? "your puzzle" : `puzzle ${sample} of ${samples.length}`}
        </span>
        <button type="button" onClick={() => turn(1)} aria-label="Next sample puzzle">
          ›
        </button>
        {isOwn && (
          <button type="button" class="quiet" onClick={() => go({ puzzle: "", at: restart })}>
            back to the samples
          </button>
        )}
      </div>
      <details class="own-puzzle" open={puzzleError.value !== null}>
        <summary>Enter your own puzzle</summary>
        {board.kind === "maze" ? <MazeDrawing /> : <PuzzleText />}
      </details>
      {puzzleError.value && (
        <p class="error" role="alert">
          {puzzleError.value}
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
    go({ puzzle: joined, at: restart });
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

const tools = [
  ["#", "wall"],
  [" ", "free"],
  ["S", "start"],
  ["G", "goal"],
] as const;

/** Draws walls with the mouse; the keyboard works on the board itself. */
function MazeDrawing(): JSX.Element {
  const { board } = model.value!;
  const [tool, setTool] = useState<string>("#");
  const text = puzzleText.value;
  const question = [...text].map((symbol) => board.symbols.indexOf(symbol));
  const paint = (cell: number): void => {
    // There is one start and one goal.
    const isSingle = tool === "S" || tool === "G";
    const cells = [...puzzleText.peek()].map((symbol) => (isSingle && symbol === tool ? " " : symbol));
    cells[cell] = tool;
    go({ puzzle: cells.join(""), at: restart });
  };
  return (
    <div class="stack">
      <div class="row">
        {tools.map(([symbol, name]) => (
          <button
            key={name}
            type="button"
            aria-pressed={tool === symbol}
            class={tool === symbol ? "primary" : ""}
            onClick={() => setTool(symbol)}
          >
            {name}
          </button>
        ))}
      </div>
      <div
        onPointerMove={(event) => {
          if (event.buttons !== 1) return;
          const cells = [...event.currentTarget.querySelectorAll("[role=gridcell]")];
          const cell = cells.indexOf((event.target as Element).closest("[role=gridcell]")!);
          if (cell >= 0 && text[cell] !== tool) paint(cell);
        }}
      >
        <Board
          board={board}
          size="small"
          label="Your maze"
          question={question}
          tokens={question}
          onSelect={paint}
          onType={(cell, symbol) => {
            const cells = [...puzzleText.peek()];
            cells[cell] = symbol ?? " ";
            go({ puzzle: cells.join(""), at: restart });
          }}
        />
      </div>
      {shown.value === null && <p class="note">The model is loading.</p>}
    </div>
  );
}
