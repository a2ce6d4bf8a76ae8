// ARC as a task of trm-ts, with which a run shows its grids. ARC tasks are published, not generated, and their augmentations are
// stored in the data set.
import { shortened } from "../../formats/index.ts";
import { ConfigError, PuzzleError, type Task } from "../../trm/index.ts";
import { checkedTask } from "../checked-task.ts";
import { drawRows } from "../draw-rows.ts";
import { ARC_LENGTH, ARC_SIDE, ARC_VOCABULARY, cropTokens, gridFromRows, gridToRows, gridToTokens } from "./grid.ts";

/** ARC puzzles as a task: grids of up to 30 rows and columns in a sequence of 900 tokens. */
export const arcTask: Task = checkedTask<Task>({
  name: "arc",
  rows: ARC_SIDE,
  columns: ARC_SIDE,
  sequenceLength: ARC_LENGTH,
  vocabularySize: ARC_VOCABULARY,

  /** Reads a grid as in the JSON files: [[0,1],[2,3]]. */
  parse(question) {
    let rows: unknown;
    try {
      rows = JSON.parse(question);
    } catch {
      throw new PuzzleError(
        `arc: ${shortened(JSON.stringify(question))}, expected rows of colours as in [[0,1],[2,3]]`,
      );
    }
    try {
      return Int32Array.from(gridToTokens(gridFromRows(rows, "arc")));
    } catch (error) {
      throw new PuzzleError((error as Error).message);
    }
  },

  format: (tokens) => JSON.stringify(gridToRows(cropTokens(tokens))),

  /** Draws the whole canvas: colours as digits, the end of the grid as "|", padding as ".". */
  draw(tokens, paint = (symbol) => symbol) {
    const symbols = Array.from(tokens, (token, cell) => paint(".|0123456789"[token] ?? "?", cell));
    return drawRows(symbols, ARC_SIDE);
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
