// Draws docs/images/solve.svg, the picture in the README: how the shipped 6x6 model solves an unseen puzzle, after supervision steps
// 1, 2, 4 and 8. Run: npm run draw:solve
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Model, predictions, sudokuTask } from "trm-ts";
import { loadRun } from "trm-ts/node";

const side = 6;
const [boxRows, boxColumns] = [2, 3];
const shownSteps = [1, 2, 4, 8];
const lastStep = shownSteps.at(-1)!;

const task = sudokuTask(side, { clues: 10 });
const { test } = task.generate({ train: 0, test: 300, seed: 2026 }); // not the seed of the training

/** The answer to one puzzle after a supervision step. */
interface Answer {
  readonly step: number;
  readonly tokens: Int32Array;
  readonly qHalt: number;
}

async function answersOf(model: Model): Promise<Answer[][]> {
  const answers: Answer[][] = Array.from({ length: test.count }, () => []);
  for await (const { step, tokens, qHalt } of predictions(model, test, lastStep)) {
    for (const [puzzle, steps] of answers.entries()) {
      const from = puzzle * test.length;
      steps.push({ step, tokens: tokens.slice(from, from + test.length), qHalt: qHalt[puzzle]! });
    }
  }
  return answers;
}

const rowOf = (tokens: Int32Array, puzzle: number): Int32Array =>
  tokens.subarray(puzzle * test.length, (puzzle + 1) * test.length);

/** The number of wrong cells after each supervision step. */
function errorsOf(steps: readonly Answer[], puzzle: number): number[] {
  const labels = rowOf(test.labels, puzzle);
  return steps.map(({ tokens }) => tokens.filter((token, cell) => token !== labels[cell]).length);
}

/** Of the puzzles that are solved in the end, the one that has the most wrong cells on the way. */
function slowestPuzzle(answers: readonly Answer[][]): number {
  let [best, most] = [-1, 0];
  for (const [puzzle, steps] of answers.entries()) {
    const errors = errorsOf(steps, puzzle);
    const onTheWay = errors.slice(0, 4).reduce((sum, count) => sum + count, 0);
    if (errors.at(-1) === 0 && onTheWay > most) [best, most] = [puzzle, onTheWay];
  }
  if (best < 0) throw new Error("no unseen puzzle takes more than one step to solve");
  return best;
}

// --- The drawing --------------------------------------------------------------------------------------------------------

const cellSize = 26;
const boardSize = side * cellSize;
const gap = 22;
const margin = 16;
const boardTop = 44;
const width = 2 * margin + 5 * boardSize + 4 * gap;
const height = boardTop + boardSize + 112;

const style = `
  text { font: 15px ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
  .page { fill: #ffffff; stroke: #d1d9e0; }
  .title { font-weight: 600; text-anchor: middle; }
  .digit { text-anchor: middle; dominant-baseline: central; }
  .given { font-weight: 700; }
  .clue { fill: #e6eaef; }
  .thin { stroke: #c4ccd4; stroke-width: 1; }
  .thick { stroke: #59636e; stroke-width: 2; fill: none; }
  .changed { fill: none; stroke: #0969da; stroke-width: 2.5; }
  .wrong { stroke: #cf222e; stroke-width: 1.5; }
  text.error { fill: #cf222e; }
  .note { font-size: 13px; fill: #59636e; }
  .middle { text-anchor: middle; }
  .track { fill: #e6eaef; }
  .bar { fill: #1a7f37; }
  .threshold { stroke: #59636e; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .page { fill: #0d1117; stroke: #3d444d; }
    .clue, .track { fill: #262c36; }
    .thin { stroke: #3d444d; }
    .thick, .threshold { stroke: #9198a1; }
    .changed { stroke: #4493f8; }
    .wrong { stroke: #ff7b72; }
    text.error { fill: #ff7b72; }
    .note { fill: #9198a1; }
    .bar { fill: #3fb950; }
  }
`;

const line = (kind: string, [x1, y1, x2, y2]: readonly number[]): string =>
  `<line class="${kind}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;
const text = (kind: string, x: number, y: number, content: string): string =>
  `<text class="${kind}" x="${x}" y="${y}">${content}</text>`;
const box = (kind: string, x: number, y: number, size: number): string =>
  `<rect class="${kind}" x="${x}" y="${y}" width="${size}" height="${size}"/>`;

interface Board {
  readonly left: number;
  readonly title: string;
  readonly tokens: Int32Array;
  readonly previous: Int32Array;
  readonly question: Int32Array;
  readonly labels: Int32Array;
}

const blank = 1;
const symbolOf = (token: number): string => (token > blank ? String(token - 1) : "");

function drawBoard({ left, title, tokens, previous, question, labels }: Board): string {
  const parts = [text("title", left + boardSize / 2, boardTop - 14, title)];
  const cells = [...tokens.keys()].map((cell) => {
    const x = left + (cell % side) * cellSize;
    const y = boardTop + Math.floor(cell / side) * cellSize;
    const isGiven = question[cell] !== blank;
    return { cell, x, y, isGiven, isWrong: tokens[cell] !== blank && tokens[cell] !== labels[cell] };
  });
  for (const { x, y, isGiven } of cells) if (isGiven) parts.push(box("clue", x, y, cellSize));
  for (let i = 1; i < side; i++) {
    const at = i * cellSize;
    parts.push(line("thin", [left + at, boardTop, left + at, boardTop + boardSize]));
    parts.push(line("thin", [left, boardTop + at, left + boardSize, boardTop + at]));
  }
  for (let row = 0; row < side; row += boxRows) {
    for (let column = 0; column < side; column += boxColumns) {
      const [x, y] = [left + column * cellSize, boardTop + row * cellSize];
      const size = `width="${boxColumns * cellSize}" height="${boxRows * cellSize}"`;
      parts.push(`<rect class="thick" x="${x}" y="${y}" ${size}/>`);
    }
  }
  for (const { cell, x, y, isGiven, isWrong } of cells) {
    const kind = `digit${isGiven ? " given" : ""}${isWrong ? " error" : ""}`;
    parts.push(text(kind, x + cellSize / 2, y + cellSize / 2 + 1, symbolOf(tokens[cell]!)));
    if (isWrong) parts.push(line("wrong", [x + 6, y + cellSize - 6, x + cellSize - 6, y + 6]));
    if (tokens[cell] !== previous[cell]) parts.push(box("changed", x + 3, y + 3, cellSize - 6));
  }
  return parts.join("\n");
}

/** q as a bar from 0 to 100%, with a mark at 50%, above which the model halts. */
function drawQ(left: number, qHalt: number, errors: number): string {
  const share = 1 / (1 + Math.exp(-qHalt));
  const top = boardTop + boardSize + 12;
  const verdict = errors === 0 ? "all cells correct" : `${errors} ${errors === 1 ? "cell" : "cells"} wrong`;
  const bar = `y="${top}" height="8" rx="4"`;
  const middle = left + boardSize / 2;
  return [
    `<rect class="track" x="${left}" width="${boardSize}" ${bar}/>`,
    `<rect class="bar" x="${left}" width="${Math.max(8, share * boardSize).toFixed(1)}" ${bar}/>`,
    line("threshold", [middle, top - 3, middle, top + 11]),
    text("note middle", middle, top + 27, `q ${Math.round(100 * share)}%`),
    text("note middle", middle, top + 44, verdict),
  ].join("\n");
}

function drawLegend(): string {
  const y = height - 20;
  const size = 18;
  const top = y - 14;
  const column = [margin, margin + 110, margin + 300, margin + 405] as const;
  const label = (index: number, content: string): string => text("note", column[index]! + size + 8, y, content);
  return [
    box("clue", column[0], top, size),
    label(0, "given digit"),
    box("changed", column[1] + 1, top + 1, size - 2),
    label(1, "changed from the left"),
    line("wrong", [column[2] + 2, top + size - 2, column[2] + size - 2, top + 2]),
    label(2, "wrong"),
    line("threshold", [column[3] + size / 2, top + 2, column[3] + size / 2, top + size - 2]),
    label(3, "q: estimated chance that all cells are correct; mark: 50%"),
  ].join("\n");
}

function draw(puzzle: number, steps: readonly Answer[]): string {
  const question = rowOf(test.inputs, puzzle);
  const labels = rowOf(test.labels, puzzle);
  const errors = errorsOf(steps, puzzle);
  const parts = [drawBoard({ left: margin, title: "puzzle", tokens: question, previous: question, question, labels })];
  let previous = question;
  for (const [index, step] of shownSteps.entries()) {
    const { tokens, qHalt } = steps[step - 1]!;
    const left = margin + (index + 1) * (boardSize + gap);
    parts.push(drawBoard({ left, title: `step ${step}`, tokens, previous, question, labels }));
    parts.push(drawQ(left, qHalt, errors[step - 1]!));
    previous = tokens;
  }
  const described = shownSteps.map((step) => `${errors[step - 1]} wrong cells after step ${step}`).join(", ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<!-- Drawn by scripts/draw-solve.ts. -->
<title id="title">A model solves an unseen 6x6 Sudoku: ${described}.</title>
<style>${style}</style>
<rect class="page" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${parts.join("\n")}
${drawLegend()}
</svg>
`;
}

const { model } = await loadRun(fileURLToPath(new URL("../weights/sudoku6", import.meta.url)));
const answers = await answersOf(model);
for (const step of shownSteps) {
  const solved = answers.filter((steps, puzzle) => errorsOf(steps, puzzle)[step - 1] === 0).length;
  console.log(`step ${step}: ${solved} of ${test.count} unseen puzzles solved`);
}
const puzzle = slowestPuzzle(answers);
console.log(`puzzle ${puzzle}: wrong cells ${errorsOf(answers[puzzle]!, puzzle).join(" ")}`);
writeFileSync(new URL("../docs/images/solve.svg", import.meta.url), draw(puzzle, answers[puzzle]!));
