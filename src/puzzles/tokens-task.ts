// A task that is known only from its data set. Text and pictures show the tokens as numbers.
import { quoted } from "../formats/index.ts";
import { ConfigError, PuzzleError, type Task } from "../trm/index.ts";
import { checkedTask } from "./checked-task.ts";
import { drawRows } from "./draw-rows.ts";

/**
 * @param cells L; drawn as a square if L is a square number, else as one row
 * @param vocabularySize V
 */
export function tokensTask(cells: number, vocabularySize: number): Task {
  const side = Math.sqrt(cells);
  const columns = Number.isInteger(side) ? side : cells;
  const rows = cells / columns;
  const width = String(vocabularySize - 1).length;
  return checkedTask<Task>({
    name: "tokens",
    rows,
    columns,
    sequenceLength: cells,
    vocabularySize,

    /** Numbers, separated by spaces. */
    parse(question) {
      const words = question.trim().split(/\s+/);
      const wrong = words.findIndex((word) => !/^\d{1,9}$/.test(word) || Number(word) >= vocabularySize);
      if (wrong >= 0) {
        throw new PuzzleError(
          `tokens: number ${wrong + 1} is ${quoted(words[wrong])}, expected 0 to ${vocabularySize - 1}`,
        );
      }
      if (words.length !== cells) throw new PuzzleError(`tokens: ${words.length} numbers, expected ${cells}`);
      return Int32Array.from(words, Number);
    },

    format: (tokens) => Array.from(tokens).join(" "),

    draw(tokens, paint = (symbol) => symbol) {
      const symbols = Array.from(tokens, (token, cell) => paint(String(token).padStart(width), cell));
      return drawRows(symbols, columns, " ");
    },

    mistake: () => undefined,
    canJudge: false,

    generate() {
      throw new ConfigError("tokens: such puzzles cannot be generated, expected a data set");
    },

    augment: (question, answer) => ({ question, answer }),
  });
}
