// Boards as text: a puzzle and the answer of every supervision step, side by side, with the changed cells highlighted.
import { stripVTControlCharacters } from "node:util";
import { haltProbability, type Task } from "../trm/index.ts";
import type { Solution, SolveStep } from "./solve-steps.ts";
import type { Colours } from "./terminal.ts";

/** The lines of one board: a title, the drawing, a remark. */
export type Block = readonly string[];

export interface BoardStyle {
  readonly colours: Colours;
  readonly columns: number;
}

/** The puzzle, then the answers up to `lastStep`. */
export function solutionBlocks(
  task: Task,
  { question, steps, haltStep }: Solution,
  lastStep: number,
  { colours }: BoardStyle,
) {
  const puzzle: Block = [colours.bold("puzzle"), ...task.draw(question).split("\n")];
  const shown = steps.filter(({ step }) => step <= lastStep);
  return [puzzle, ...shown.map((step) => stepBlock(task, step, step.step === haltStep, colours))];
}

function stepBlock(task: Task, { step, tokens, qHalt, changed }: SolveStep, isHalt: boolean, colours: Colours): Block {
  return [
    colours.bold(`step ${step}`),
    ...drawChanged(task, tokens, changed, colours),
    `q ${qText(qHalt)}${isHalt ? colours.green(" halt") : ""}`,
  ];
}

/** "+2.3 (91%)": the logit and its probability. */
export const qText = (q: number): string =>
  `${q >= 0 ? "+" : "-"}${Math.abs(q).toFixed(1)} (${Math.round(100 * haltProbability(q))}%)`;

/** Placeholder behind a changed cell. It becomes a star once the character after it is known. */
const mark = "\u0001";

/** Whether `drawChanged` marks cells: by colours, or by stars if the drawing has room for them. */
export const marksChanges = (task: Task, { isColorSupported }: Colours): boolean =>
  isColorSupported || hasRoom(task, task.draw(new Int32Array(task.sequenceLength)));

/** Whether a drawing has a space between two cells of a row. */
const hasRoom = ({ columns }: Task, drawing: string): boolean => drawing.split("\n")[0]!.length >= 2 * columns - 1;

/** Shows changed cells in reverse colours; without colours, with a star after them if the drawing has room for it. */
export function drawChanged(
  task: Task,
  tokens: ArrayLike<number>,
  changed: ReadonlySet<number>,
  colours: Colours,
): string[] {
  if (colours.isColorSupported) {
    return task
      .draw(tokens, (symbol, cell) => (changed.has(cell) ? colours.yellow(colours.inverse(symbol)) : symbol))
      .split("\n");
  }
  const plain = task.draw(tokens);
  if (!hasRoom(task, plain)) return plain.split("\n");
  return task
    .draw(tokens, (symbol, cell) => (changed.has(cell) ? symbol + mark : symbol))
    .split("\n")
    .map((line) => line.replaceAll(`${mark} `, "*").replaceAll(mark, "*"));
}

const gap = "   ";

/** Places as many blocks beside each other as the width allows, then starts the next row of blocks. */
export function sideBySide(blocks: readonly Block[], columns: number): string[] {
  // There may be more blocks (--rollouts) than a call can take arguments, so that Math.max takes two numbers at a time.
  const width = blocks.flat().reduce((widest, line) => Math.max(widest, visibleLength(line)), 0);
  const perRow = Math.max(1, Math.floor((columns + gap.length) / (width + gap.length)));
  const lines: string[] = [];
  for (let start = 0; start < blocks.length; start += perRow) {
    const row = blocks.slice(start, start + perRow);
    const height = row.reduce((tallest, block) => Math.max(tallest, block.length), 0);
    if (start > 0) lines.push("");
    for (let line = 0; line < height; line++) {
      lines.push(
        row
          .map((block) => padVisible(block[line] ?? "", width))
          .join(gap)
          .trimEnd(),
      );
    }
  }
  return lines;
}

const visibleLength = (text: string): number => stripVTControlCharacters(text).length;
const padVisible = (text: string, width: number): string => text + " ".repeat(width - visibleLength(text));
