// Drawing a maze with the mouse, a finger, a pen or the keyboard. The model solves it after every change.
import { signal } from "@preact/signals";
import type { JSX, TargetedPointerEvent } from "preact";
import { useRef, useState } from "preact/hooks";
import { go, model, puzzleText, shape } from "../state.ts";
import { Board } from "./board.tsx";

/** Whether the visitor draws. */
export const isDrawing = signal(false);

const tools = [
  ["#", "wall"],
  [" ", "free"],
  ["S", "start"],
  ["G", "goal"],
] as const;

const isSingle = (symbol: string): boolean => symbol === "S" || symbol === "G";

/** Makes the drawn maze the puzzle, and shows its answer. */
function show(cells: readonly string[]): void {
  const { steps, T, updates } = shape.peek();
  go({ puzzle: cells.join(""), at: { step: steps, cycle: T, update: updates.length } });
}

/** Draws a symbol. There is one start and one goal, so an earlier one becomes free. */
function paint(cell: number, symbol: string): void {
  const cells = [...puzzleText.peek()].map((old) => (isSingle(symbol) && old === symbol ? " " : old));
  cells[cell] = symbol;
  show(cells);
}

export function MazeDrawing(): JSX.Element {
  const { board } = model.value!;
  const [tool, setTool] = useState<string>("#");
  const [selected, setSelected] = useState(0);
  /** The symbol that the pressed pointer draws; null while none is pressed. */
  const stroke = useRef<string | null>(null);
  const text = puzzleText.value;
  const question = [...text].map((symbol) => board.symbols.indexOf(symbol));
  /** What the tool makes of a cell: drawing a wall on a wall removes it. */
  const symbolFor = (cell: number): string => (tool === "#" && text[cell] === "#" ? " " : tool);
  const cellUnder = ({ currentTarget, clientX, clientY }: TargetedPointerEvent<HTMLElement>): number => {
    const cells: (Element | null)[] = [...currentTarget.querySelectorAll("[role=gridcell]")];
    const under = document.elementFromPoint(clientX, clientY)?.closest("[role=gridcell]") ?? null;
    return under === null ? -1 : cells.indexOf(under);
  };
  return (
    <section class="panel stack" aria-label="Your maze">
      <h2>Draw a maze; the model solves it after every change</h2>
      <fieldset class="row">
        <legend class="sr-only">What to draw</legend>
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
        <button
          type="button"
          class="quiet"
          onClick={() => show([...puzzleText.peek()].map((old) => (old === "#" ? " " : old)))}
        >
          remove all walls
        </button>
      </fieldset>
      <div
        class="canvas"
        onPointerDown={(event) => {
          const cell = cellUnder(event);
          if (cell < 0 || event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          stroke.current = symbolFor(cell);
          setSelected(cell);
          paint(cell, stroke.current);
        }}
        onPointerMove={(event) => {
          const symbol = stroke.current;
          const cell = symbol === null ? -1 : cellUnder(event);
          const old = puzzleText.peek()[cell];
          // A line of walls does not run over the start and the goal.
          if (symbol !== null && cell >= 0 && old !== symbol && (isSingle(symbol) || !isSingle(old!)))
            paint(cell, symbol);
        }}
        onPointerUp={() => {
          stroke.current = null;
        }}
        onPointerCancel={() => {
          stroke.current = null;
        }}
      >
        <Board
          board={board}
          size="small"
          label="Your maze"
          question={question}
          tokens={question}
          selected={selected}
          onSelect={setSelected}
          onPress={(cell) => paint(cell, symbolFor(cell))}
          onType={(cell, symbol) => paint(cell, symbol ?? " ")}
        />
      </div>
      <p class="note">
        Draw with the pointer; drawing a wall on a wall removes it. On the keyboard, the arrow keys move, Enter and
        Space draw the chosen symbol, the keys #, S and G draw that symbol, and Delete clears the cell.
      </p>
    </section>
  );
}
