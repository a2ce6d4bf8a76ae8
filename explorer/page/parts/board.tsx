// A board: what a latent decodes to. Digits of the puzzle are bold on a tint; an outline marks a cell that the last update changed, a
// corner a cell that breaks a rule, and the length of a bar is the confidence. No mark is a colour alone.

import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { Board as BoardShape } from "../../shared/models.ts";
import { boxOf, conflicts } from "../../shared/rules.ts";
import { link } from "../state.ts";

/** The cell under the pointer. It is lit on every board, so that the eye finds it in y, in z and in each update. */
const hovered = signal<number | null>(null);

export interface BoardProps {
  readonly board: BoardShape;
  readonly label: string;
  readonly question: readonly number[];
  readonly tokens: readonly number[];
  readonly changed?: ReadonlySet<number>;
  readonly confidence?: readonly number[] | null;
  /** Cells that differ from the answer. */
  readonly wrong?: ReadonlySet<number>;
  /** A cell to mark, from 0. */
  readonly selected?: number | null;
  readonly onSelect?: (cell: number) => void;
  /** Called when a symbol is typed on a cell; null empties it. */
  readonly onType?: (cell: number, symbol: string | null) => void;
  /** Called for Enter or Space on a cell. */
  readonly onPress?: (cell: number) => void;
  readonly size?: "large" | "small" | "tiny";
  /** Magnitudes per cell, 0..1, drawn as the size of a dot. */
  readonly heat?: readonly number[] | null;
}

/** Whether a cell shows a digit, a wall, the start or the goal of the puzzle. A latent may decode to something else there. */
function isGiven({ board, question, tokens }: BoardProps, cell: number): boolean {
  const symbol = board.symbols[question[cell]!];
  return board.kind !== "grid" && symbol !== "." && symbol !== " " && tokens[cell] === question[cell];
}

/** The symbol that is drawn for a token: blanks and free cells are empty. */
export function symbolOf({ kind, symbols }: BoardShape, token: number): string {
  const symbol = symbols[token] ?? "?";
  if (kind === "sudoku") return symbol === "." ? "" : symbol;
  return kind === "maze" && (symbol === " " || symbol === "#") ? "" : symbol;
}

const mazeNames: Record<string, string> = { "#": "wall", " ": "free", S: "start", G: "goal", o: "path" };

function describe(props: BoardProps, cell: number, broken: ReadonlySet<number>): string {
  const { board, tokens, changed, confidence } = props;
  const [row, column] = [Math.floor(cell / board.columns) + 1, (cell % board.columns) + 1];
  const raw = board.symbols[tokens[cell]!] ?? "?";
  const symbol = board.kind === "maze" ? mazeNames[raw] : symbolOf(board, tokens[cell]!);
  const facts = [
    `row ${row} column ${column}`,
    symbol || "empty",
    isGiven(props, cell) && "given",
    changed?.has(cell) && "changed",
    broken.has(cell) && "breaks a rule",
    props.wrong?.has(cell) && "wrong",
    confidence && `${Math.round(100 * confidence[cell]!)}%`,
  ];
  return facts.filter(Boolean).join(", ");
}

export function Board(props: BoardProps): JSX.Element {
  const { board, label, tokens, changed, confidence, selected, onSelect, onType, onPress, heat } = props;
  const { size = "large" } = props;
  const grid = useRef<HTMLDivElement>(null);
  const broken = conflicts(board, tokens);
  const box = board.kind === "sudoku" ? boxOf(board) : null;
  const isInteractive = onSelect !== undefined;
  const move = (cell: number): void => {
    onSelect?.(cell);
    grid.current?.querySelectorAll<HTMLElement>("[role=gridcell]")[cell]?.focus();
  };
  const onKeyDown = (event: KeyboardEvent, cell: number): void => {
    const { columns, rows } = board;
    const column = cell % columns;
    const targets: Record<string, number | null> = {
      ArrowLeft: column > 0 ? cell - 1 : null,
      ArrowRight: column < columns - 1 ? cell + 1 : null,
      ArrowUp: cell >= columns ? cell - columns : null,
      ArrowDown: cell < columns * (rows - 1) ? cell + columns : null,
    };
    if (event.key in targets) {
      event.preventDefault();
      event.stopPropagation();
      const target = targets[event.key];
      if (target !== null && target !== undefined) move(target);
      return;
    }
    if (onPress && (event.key === "Enter" || event.key === " ")) onPress(cell);
    else if (!onType) return;
    else if (event.key === "Backspace" || event.key === "Delete" || event.key === "0") onType(cell, null);
    else if (event.key !== " " && event.key.length === 1 && board.symbols.includes(event.key)) onType(cell, event.key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  // A link may select a cell that this board does not have.
  const focusable = selected != null && selected < tokens.length ? selected : 0;
  const rowsOf = Array.from({ length: board.rows }, (_, row) => row);
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: the role is "grid" or "img", which have labels
    <div
      ref={grid}
      class={`board board-${size} board-${board.kind}`}
      role={isInteractive ? "grid" : "img"}
      aria-label={label}
      style={{ "--columns": board.columns }}
    >
      {rowsOf.map((row) => (
        <div key={row} class="board-row" role={isInteractive ? "row" : "presentation"}>
          {Array.from({ length: board.columns }, (_, column) => {
            const cell = row * board.columns + column;
            const raw = board.symbols[tokens[cell]!] ?? "?";
            const classes = [
              "cell",
              isGiven(props, cell) && "given",
              board.kind === "maze" && `maze-${mazeNames[raw] ?? "free"}`,
              changed?.has(cell) && "changed",
              broken.has(cell) && "broken",
              props.wrong?.has(cell) && "wrong",
              (selected ?? link.value.cell - 1) === cell && "selected",
              hovered.value === cell && "lit",
              box && column % box.columns === 0 && column > 0 && "box-left",
              box && row % box.rows === 0 && row > 0 && "box-top",
            ];
            const shown = symbolOf(board, tokens[cell]!);
            return (
              <div
                key={cell}
                class={classes.filter(Boolean).join(" ")}
                onPointerEnter={() => {
                  hovered.value = cell;
                }}
                onPointerLeave={() => {
                  hovered.value = null;
                }}
                {...(isInteractive && {
                  role: "gridcell",
                  "aria-label": describe(props, cell, broken),
                  "aria-selected": selected === cell,
                  tabIndex: cell === focusable ? 0 : -1,
                  onClick: () => move(cell),
                  onKeyDown: (event: KeyboardEvent) => onKeyDown(event, cell),
                })}
              >
                <span class="digit">{board.kind === "maze" && shown === "o" ? "" : shown}</span>
                {confidence && size === "large" && !isGiven(props, cell) && (
                  <span class="bar">
                    <span style={{ width: `${Math.round(100 * confidence[cell]!)}%` }} />
                  </span>
                )}
                {heat && <span class="heat" style={{ transform: `scale(${heat[cell] ?? 0})` }} />}
              </div>
            );
          })}
        </div>
      ))}
    </div>
  );
}
