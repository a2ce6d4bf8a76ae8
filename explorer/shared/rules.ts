// The rules of Sudoku on tokens: which cells contradict another one. A digit is its token minus 1; tokens 0 and 1 are empty.
import type { Board } from "./models.ts";

/** Rows and columns of a box: 2 × 2, 2 × 3 and 3 × 3. */
export function boxOf({ rows }: Pick<Board, "rows">): { readonly rows: number; readonly columns: number } {
  const boxRows = Math.floor(Math.sqrt(rows));
  return { rows: boxRows, columns: rows / boxRows };
}

/** The cells whose digit occurs twice in their row, column or box. Empty for other tasks. */
export function conflicts(board: Board, tokens: readonly number[]): ReadonlySet<number> {
  const found = new Set<number>();
  if (board.kind !== "sudoku") return found;
  const box = boxOf(board);
  const unitsOf = (cell: number): string[] => {
    const [row, column] = [Math.floor(cell / board.columns), cell % board.columns];
    return [`row ${row}`, `column ${column}`, `box ${Math.floor(row / box.rows)} ${Math.floor(column / box.columns)}`];
  };
  const seen = new Map<string, number>();
  tokens.forEach((token, cell) => {
    if (token < 2) return;
    for (const unit of unitsOf(cell)) {
      const other = seen.get(`${unit} ${token}`);
      if (other === undefined) seen.set(`${unit} ${token}`, cell);
      else found.add(cell).add(other);
    }
  });
  return found;
}
