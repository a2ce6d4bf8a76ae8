// The view Failures on mazes, in Node: an answer is judged by the rule of its task, because a maze may have several shortest paths.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Calls, Puzzle } from "../../explorer/shared/calls.ts";
import { isRight, readPuzzle, truthBeside } from "../../explorer/worker/puzzles.ts";
import { solverHandlers } from "../../explorer/worker/solver.ts";
import { gridTask, mazeTask, sudokuTask } from "../../src/index.ts";
import { setRootBackend, WasmBackend } from "../../src/tensor/index.ts";
import { projectRoot } from "../source.ts";

const task = mazeTask(9);
/** Two unseen mazes of maze9. It finds another shortest path than the rule of the generator in the first, and none in the second. */
const puzzles: readonly Puzzle[] = [
  "     # # # #      #   ##  G  #     # # # ###  S##       ## ## #  ### # #         ",
  "     #    #          ##     # ##     #   # G  #         ###    #S ##  #  #       ",
].map((text) => readPuzzle(task, text));

/** Makes a call as the page does. */
function call<K extends "open" | "exam" | "rollouts">(name: K, args: Calls[K]["args"]): Promise<Calls[K]["result"]> {
  const context = { signal: new AbortController().signal, progress: () => {} };
  const handler = solverHandlers[name] as (args: unknown, context: unknown) => Promise<Calls[K]["result"]>;
  return handler(args, context);
}

beforeAll(async () => {
  const folder = `${projectRoot}weights/maze9/`;
  const config = readFileSync(`${folder}config.json`, "utf8");
  const weights = new Uint8Array(readFileSync(`${folder}model.safetensors`)).buffer;
  await call("open", {
    files: { name: "maze9", config, weights, basis: null },
    choice: { backend: "wasm", threads: 1 },
  });
});

it("an exam counts a shortest path that differs from the known one as correct", async () => {
  const { right } = await call("exam", { puzzles, steps: 8 });
  expect([...right.at(-1)!]).toEqual([1, 0]);
});

it("rollouts say whether each answer is correct", async () => {
  for (const [index, expected] of [true, false].entries()) {
    const { plain, rollouts } = await call("rollouts", { puzzle: puzzles[index]!, steps: 8, sigma: 0, count: 2 });
    expect([plain, ...rollouts].map(({ isRight: own }) => own)).toEqual([expected, expected, expected]);
    expect(plain.tokens).not.toEqual(puzzles[index]!.truth);
  }
});

it("an answer to a puzzle without a known answer is judged by the rule", () => {
  const sudoku = sudokuTask(4);
  const question = [...sudoku.parse("................")];
  const answer = [...sudoku.parse("1234341221434321")];
  expect(isRight(sudoku, { question, truth: null }, answer)).toBe(true);
  expect(isRight(sudoku, { question, truth: null }, answer.with(0, 3))).toBe(false);
});

it("an answer of a task without a rule is compared with the known answer", () => {
  const grid = gridTask({
    name: "row",
    rows: 1,
    columns: 2,
    symbols: ".#",
    draw: () => ({ question: "..", answer: "##" }),
  });
  const puzzle = { question: [1, 1], truth: [2, 2] };
  expect(isRight(grid, puzzle, [2, 2])).toBe(true);
  expect(isRight(grid, puzzle, [2, 1])).toBe(false);
  expect(isRight(grid, { ...puzzle, truth: null }, [2, 2])).toBeNull();
  expect(truthBeside(grid, puzzle, [2, 1])).toEqual([2, 2]);
});

afterAll(async () => {
  // Another model in place of this one releases it.
  const files = { name: "none", config: "{}", weights: new ArrayBuffer(0), basis: null };
  await call("open", { files, choice: { backend: "wasm", threads: 1 } }).catch(() => {});
  setRootBackend(new WasmBackend({ threads: 1 }));
});
