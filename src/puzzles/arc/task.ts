// ARC as a task of trm-ts, with which a run shows its grids. ARC tasks are published, not generated, and their augmentations are
// stored in the data set.
import { shortened } from "../../formats/index.ts";
import { showValue } from "../../tensor/index.ts";
import { ConfigError, PuzzleError, type Task } from "../../trm/index.ts";
import { checkedTask } from "../checked-task.ts";
import { drawRows } from "../draw-rows.ts";
import { ARC_SIDE, ARC_VOCABULARY, cropTokens, gridFromRows, gridToRows, gridToTokens } from "./grid.ts";

/**
 * ARC puzzles on a canvas of `side` rows and columns, which are side² tokens.
 * @throws ConfigError unless the side is a whole number from 1 to 30
 */
export function arcTaskOfSide(side: number): Task {
  if (!isArcSide(side)) {
    throw new ConfigError(`arc: side ${showValue(side)}, expected a whole number from 1 to ${ARC_SIDE}`);
  }
  return checkedTask<Task>({
    name: "arc",
    rows: side,
    columns: side,
    sequenceLength: side * side,
    vocabularySize: ARC_VOCABULARY,

    /** Reads a grid as in the JSON files: [[0,1],[2,3]]. */
    parse(question) {
      const grid = gridIn(question);
      if (grid.rows > side || grid.columns > side) {
        const given = `${grid.rows} ${grid.rows === 1 ? "row" : "rows"} of ${grid.columns} cells`;
        throw new PuzzleError(`arc: ${given}, expected at most ${side} rows of ${side}`);
      }
      return Int32Array.from(gridToTokens(grid, { side }));
    },

    format: (tokens) => JSON.stringify(gridToRows(cropTokens(tokens))),

    /** Draws the whole canvas: colours as digits, the end of the grid as "|", padding as ".". */
    draw(tokens, paint = (symbol) => symbol) {
      const symbols = Array.from(tokens, (token, cell) => paint(".|0123456789"[token] ?? "?", cell));
      return drawRows(symbols, side);
    },

    /** The rule of a task is unknown; an answer must be a grid. */
    mistake: (_, answer) =>
      cropTokens(answer).cells.length === 0 ? "no colour at the top left corner, expected a grid" : undefined,
    canJudge: false,

    generate() {
      throw new ConfigError("arc: such puzzles cannot be generated, expected a data set made by npx trm data arc");
    },

    augment: (question, answer) => ({ question, answer }),
  });
}

/** ARC puzzles as a task: grids of up to 30 rows and columns in a sequence of 900 tokens. */
export const arcTask: Task = arcTaskOfSide(ARC_SIDE);

export function isArcSide(side: number): boolean {
  return Number.isInteger(side) && side >= 1 && side <= ARC_SIDE;
}

/** @throws PuzzleError */
function gridIn(question: string) {
  let rows: unknown;
  try {
    rows = JSON.parse(question);
  } catch {
    throw new PuzzleError(`arc: ${shortened(JSON.stringify(question))}, expected rows of colours as in [[0,1],[2,3]]`);
  }
  try {
    return gridFromRows(rows, "arc");
  } catch (error) {
    throw new PuzzleError((error as Error).message);
  }
}
