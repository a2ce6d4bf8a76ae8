// Output on the screen: progress, boards, solutions.
import { stripVTControlCharacters } from "node:util";
import pc from "picocolors";
import { describe, expect, it, vi } from "vitest";
import { accuracyTable } from "../../src/cli/accuracy-table.ts";
import { drawChanged, marksChanges, qText, sideBySide } from "../../src/cli/boards.ts";
import { startProgress } from "../../src/cli/progress.ts";
import { evaluationText, progressDetails, progressText, stepPartText } from "../../src/cli/progress-text.ts";
import { showSolution, solutionJson } from "../../src/cli/show-solution.ts";
import type { Solution, SolveStep } from "../../src/cli/solve-steps.ts";
import { openTerminal, usesColour } from "../../src/cli/terminal.ts";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { taskOf } from "../../src/puzzles/named-task.ts";
import type { UnseenLine } from "../../src/runs/index.ts";
import { recordedTerminal } from "./recorded-terminal.ts";

describe("the progress line", () => {
  it("is a plain line every ten seconds outside a terminal", () => {
    let now = 0;
    const { terminal, text } = recordedTerminal();
    const progress = startProgress(terminal, { now: () => now });
    for (; now < 25_000; now += 1_000) progress.update(now / 25_000, `at ${now}`);
    progress.clear();
    expect(text()).toBe("at 0\nat 10000\nat 20000\n");
  });
  it("is rewritten on a terminal, is never wider than the screen and is cleared at the end", () => {
    let now = 0;
    const { terminal, text } = recordedTerminal({ isLive: true, columns: 40 });
    const progress = startProgress(terminal, { now: () => now });
    for (; now <= 1_000; now += 50) progress.update(now / 1_000, `${"long ".repeat(20)}${now}`);
    progress.clear();
    expect(text()).not.toContain("\n");
    expect(text().endsWith("\x1b[0J")).toBe(true);
    for (const line of text().split("\x1b[1G")) expect(stripVTControlCharacters(line).length).toBeLessThan(40);
  });
  it("has a second line for details, which is rewritten and cleared with the first", () => {
    let now = 0;
    const { terminal, text } = recordedTerminal({ isLive: true, columns: 40 });
    const progress = startProgress(terminal, { now: () => now });
    for (; now < 300; now += 100) progress.update(0.5, `step ${now}`, "details ".repeat(9));
    progress.clear();
    expect(text().split("\x1b[1A")).toHaveLength(1 + 3); // up one line: before the second and third update, and to clear
    expect(text().endsWith("\x1b[0J")).toBe(true);
    for (const line of text().replaceAll("\x1b[1G", "\n").split("\n"))
      expect(stripVTControlCharacters(line).length).toBeLessThan(40);
    const log = recordedTerminal();
    startProgress(log.terminal).update(0.5, "step 1", "loss 2");
    expect(log.text()).toBe("step 1\n  loss 2\n");
  });
  it("has no bar on a screen that is too narrow for it", () => {
    const { terminal, text } = recordedTerminal({ isLive: true, columns: 15 });
    startProgress(terminal).update(0.5, "step 12 of 3,000");
    expect(stripVTControlCharacters(text())).toBe("step 12 of 3,…");
  });
  it("moves on if the clock of the system is set back", () => {
    vi.useFakeTimers({ toFake: ["Date", "performance"], now: 10_000_000 });
    try {
      const { terminal, text } = recordedTerminal();
      const progress = startProgress(terminal);
      progress.update(0.1, "first");
      vi.setSystemTime(0);
      vi.advanceTimersByTime(20_000);
      progress.update(0.2, "second");
      expect(text()).toBe("first\nsecond\n");
    } finally {
      vi.useRealTimers();
    }
  });
  it("is not shown for work that is done soon", () => {
    const { terminal, text } = recordedTerminal({ isLive: true });
    const progress = startProgress(terminal, { after: 2_000, now: () => 0 });
    progress.update(0.5, "half");
    progress.clear();
    expect(text()).toBe("");
  });
});

describe("the progress of a training", () => {
  const unseen = {
    exactAfter: [0.45, 0.6, 0.9],
    cellAfter: [0.951, 0.96, 0.99],
    puzzles: 100,
    haltCounts: [40, 20, 7],
  } as unknown as UnseenLine;

  it("shows step, speed and time left, then loss, rate, and the accuracy after the first and the last step", () => {
    expect(progressText({ step: 1234, totalSteps: 20_000, stepsPerSecond: 12.34, left: 5025 })).toBe(
      "step 1,234 of 20,000 · 12.3 steps/s · 1:23:45 left",
    );
    expect(progressText({ step: 7, totalSteps: null, stepsPerSecond: 0.02, left: null })).toBe("step 7 · 50 s/step");
    const untilTarget = { step: 7, totalSteps: null, stepsPerSecond: 50, left: 480, mayEndEarlier: true };
    expect(progressText(untilTarget)).toBe("step 7 · 50.0 steps/s · at most 8:00 left");
    expect(stepPartText({ step: 65_104, slots: 192, of: 768, seconds: 100 })).toBe(
      "step 65,104: puzzles 192 of 768 · 5:00 left",
    );
    expect(evaluationText({ step: 1000, done: 25, total: 100, seconds: 20 })).toBe(
      "step 1,000, evaluating: 25 of 100 · 1:00 left",
    );
    expect(evaluationText({ step: 5, done: 0, total: 1, seconds: 20 })).toBe("step 5, evaluating: 0 of 1");
    expect(progressDetails({ loss: 0.1234, learningRate: 8.26e-4, unseen })).toBe(
      "loss 0.123 · lr 8.3e-4 · unseen: cells 95.1→99.0%, exact 45.0→90.0%, 67% halt",
    );
  });

  it("never says how many steps a halt takes, and leaves out what was not measured", () => {
    const earlier = { ...unseen, haltCounts: [] };
    expect(progressDetails({ loss: 1, learningRate: 1e-3, unseen: earlier })).toMatch(/exact 45.0→90.0%$/);
    expect(progressDetails({ loss: 1, learningRate: 1e-3, unseen: undefined })).toBe("loss 1.000 · lr 0.001");
  });

  it("fits 80 columns at its longest, the first line beside the bar", () => {
    const text = progressText({ step: 1_000_000, totalSteps: 1_000_000, stepsPerSecond: 99.9, left: 359_999 });
    const part = stepPartText({ step: 1_000_000, slots: 384, of: 768, seconds: 359_999 });
    const evaluated = evaluationText({ step: 1_000_000, done: 500, total: 1000, seconds: 359_999 });
    for (const line of [text, part, evaluated]) expect(line.length + 21).toBeLessThan(80);
    const full = { ...unseen, exactAfter: [0.999, 0.999], cellAfter: [0.999, 0.999], haltCounts: [100, 0] };
    expect(progressDetails({ loss: 0.00012, learningRate: 8.26e-4, unseen: full }).length).toBeLessThanOrEqual(79);
  });
});

it("a terminal of 0 columns, which does not know its size, counts as one of 80", () => {
  const columns = Object.getOwnPropertyDescriptor(process.stdout, "columns");
  Object.defineProperty(process.stdout, "columns", { value: 0, configurable: true, writable: true });
  try {
    expect(openTerminal().columns).toBe(80);
  } finally {
    if (columns) Object.defineProperty(process.stdout, "columns", columns);
    else Reflect.deleteProperty(process.stdout, "columns");
  }
});

it("colours are used as NO_COLOR and FORCE_COLOR say, else on a terminal only", () => {
  expect(usesColour({}, true)).toBe(true);
  expect(usesColour({}, false)).toBe(false);
  expect(usesColour({ NO_COLOR: "1" }, true)).toBe(false);
  expect(usesColour({ TERM: "dumb" }, true)).toBe(false);
  expect(usesColour({ FORCE_COLOR: "1" }, false)).toBe(true);
  expect(usesColour({ FORCE_COLOR: "0" }, true)).toBe(false);
});

const task = sudokuTask(4);
const question = task.parse("1...............");
const right = task.parse("1234341221434321");
const wrong = task.parse("1234341221434322".replace(/2$/, "1")).map((token, cell) => (cell === 15 ? 3 : token));
const step = (number: number, tokens: Int32Array, changed: number[], q: number): SolveStep => ({
  step: number,
  tokens,
  qHalt: q,
  qContinue: -5,
  changed: new Set(changed),
  saysHalt: q > 0,
});

describe("boards", () => {
  it("mark changed cells with a star, or with reverse colours", () => {
    expect(drawChanged(task, right, new Set([1, 3, 4]), pc.createColors(false))).toEqual([
      "1 2*| 3 4*",
      "3*4 | 1 2",
      "----+----",
      "2 1 | 4 3",
      "4 3 | 2 1",
    ]);
    const [first] = drawChanged(task, right, new Set([1]), pc.createColors(true));
    expect(first).toContain("\x1b[7m2\x1b[27m");
    expect(stripVTControlCharacters(first!)).toBe("1 2 | 3 4");
  });
  it("leave out the stars in a maze, whose drawing has no room for them", () => {
    const maze = taskOf({ name: "maze", side: 7 });
    const tokens = Int32Array.from({ length: 49 }, () => 2);
    expect(drawChanged(maze, tokens, new Set([0, 5]), pc.createColors(false))).toEqual(maze.draw(tokens).split("\n"));
    const marked = [false, true].map((hasColours) => marksChanges(maze, pc.createColors(hasColours)));
    expect([...marked, marksChanges(task, pc.createColors(false))]).toEqual([false, true, true]);
  });
  it("are placed side by side as far as the width allows", () => {
    const blocks = [["ab", "c"], ["d"], ["efg", "h", "i"]];
    expect(sideBySide(blocks, 100)).toEqual(["ab    d     efg", "c           h", "            i"]);
    expect(sideBySide(blocks, 9)).toEqual(["ab    d", "c", "", "efg", "h", "i"]);
    expect(sideBySide(blocks, 1)).toEqual(["ab", "c", "", "d", "", "efg", "h", "i"]);
  });
  it("are placed side by side, however many there are", () => {
    const blocks = Array.from({ length: 150_000 }, () => ["a"]);
    expect(sideBySide(blocks, 1_000_000)).toEqual([blocks.map(() => "a").join("   ")]);
  });

  it("show q as a logit and as a probability", () => {
    expect([0, 2.2, -5].map(qText)).toEqual(["+0.0 (50%)", "+2.2 (90%)", "-5.0 (1%)"]);
  });
});

describe("a solution", () => {
  const steps = [step(1, wrong, [1, 2], -2), step(2, right, [15], 1), step(3, right, [], 3)];
  const solved: Solution = { question, steps, haltStep: 2, answer: right, mistake: undefined };

  it("is shown up to the halt, or completely with `all`", () => {
    const short = recordedTerminal({ columns: 80 });
    showSolution(task, solved, short.terminal);
    expect(short.text()).toContain("q +1.0 (73%) halt");
    expect(short.text()).not.toContain("step 3");
    expect(short.text().trimEnd().split("\n").at(-1)).toBe("halts after step 2; the answer is correct");
    const long = recordedTerminal({ columns: 80 });
    showSolution(task, solved, long.terminal, { all: true });
    expect(long.text()).toContain("step 3");
  });
  it("is shown up to its last change if the model never halts", () => {
    const stuck = [step(1, wrong, [1, 2], -2), ...[2, 3, 4, 5].map((number) => step(number, wrong, [], -1))];
    const mistake = task.mistake(question, wrong);
    const { terminal, text } = recordedTerminal({ columns: 80 });
    showSolution(task, { question, steps: stuck, haltStep: null, answer: wrong, mistake }, terminal);
    expect(text()).not.toContain("step 3\n");
    expect(text()).toContain("nothing changes after step 1; q is -1.0 (27%) after step 5");
    expect(text()).toContain("no halt within 5 steps; wrong: two 2s in row 4 (columns 3 and 4)");
  });
  it("is not called correct if the task cannot judge answers", () => {
    const { terminal, text } = recordedTerminal({ columns: 80 });
    const tokens = taskOf({ name: "tokens", cells: 16, vocabulary: 5 });
    showSolution(tokens, solved, terminal);
    expect(text().trimEnd()).toMatch(/halts after step 2; this task cannot tell whether the answer is correct$/);
    const json = solutionJson(tokens, solved);
    expect([json.correct, ...json.steps.map((each) => each.correct)]).toEqual([null, null, null, null]);
  });
  it("is plain data as JSON", () => {
    const json = JSON.parse(JSON.stringify(solutionJson(task, solved)));
    expect(json).toMatchObject({
      task: "sudoku4",
      haltStep: 2,
      answer: "1234341221434321",
      correct: true,
      mistake: null,
    });
    expect(json.steps[0]).toMatchObject({ step: 1, qHalt: -2, changed: [1, 2], halts: false, correct: false });
  });
});

it("the accuracy table has the powers of two and the last step, and tells when q says halt", () => {
  const shares = Array.from({ length: 6 }, (_, i) => i / 10);
  const evaluation = {
    puzzles: 10,
    unlabelled: 0,
    exact: shares,
    cell: shares,
    interval95: [0.2, 0.8],
    meanHaltStep: 3,
    haltCounts: [0, 0, 10, 0, 0, 0],
  } as const;
  const lines = accuracyTable(evaluation);
  expect(lines.slice(1, 5).map((line) => Number.parseInt(line, 10))).toEqual([1, 2, 4, 6]);
  expect(lines.slice(5)).toEqual([
    "95% interval of the last step: 20.0% to 80.0%",
    "q says halt after 3.0 steps on average",
  ]);
  const some = accuracyTable({ ...evaluation, meanHaltStep: 4.5, haltCounts: [0, 0, 5, 0, 0, 0] });
  expect(some.at(-1)).toBe("q says halt for 50.0% of the puzzles, after 3.0 steps on average");
  const none = accuracyTable({ ...evaluation, meanHaltStep: 6, haltCounts: [0, 0, 0, 0, 0, 0] });
  expect(none.at(-1)).toBe("q never says halt");
});
