// The worked example of docs/tasks.md as a task: every "#" falls to the bottom of its column.
import { gridTask } from "../../src/puzzles/index.ts";

const [rows, columns] = [5, 4];

/** What a grid looks like when everything has fallen. */
function settled(question: string): string {
  const answer = new Array<string>(rows * columns).fill(".");
  for (let column = 0; column < columns; column++) {
    const cells = Array.from({ length: rows }, (_, row) => question[row * columns + column]);
    const blocks = cells.filter((cell) => cell === "#").length;
    for (let row = rows - blocks; row < rows; row++) answer[row * columns + column] = "#";
  }
  return answer.join("");
}

export const gravity = gridTask({
  name: "gravity",
  rows,
  columns,
  symbols: ".#",
  draw(random) {
    const question = Array.from({ length: rows * columns }, () => (random.bernoulli(0.4) ? "#" : ".")).join("");
    return { question, answer: settled(question) };
  },
});
