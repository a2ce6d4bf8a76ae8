// The calls of the worker, in Node: what the views Inside a step, 200 puzzles at once, Failures and Gradients show.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Calls, Puzzle, Rollout } from "../../explorer/shared/calls.ts";
import type { CallContext } from "../../explorer/shared/protocol.ts";
import { readPuzzle, truthBeside } from "../../explorer/worker/puzzles.ts";
import { solverHandlers } from "../../explorer/worker/solver.ts";
import { loadModel, mazeTask, predictions, predictRollouts, recordTrace, sudokuTask } from "../../src/index.ts";
import { defaultBackend } from "../../src/tensor/index.ts";
import { projectRoot } from "../source.ts";

const folder = `${projectRoot}weights/sudoku4/`;
const [config, weights] = [readFileSync(`${folder}config.json`, "utf8"), readFileSync(`${folder}model.safetensors`)];
const { test } = sudokuTask(4).generate({ train: 0, test: 12, seed: 99 });
const puzzles: Puzzle[] = Array.from({ length: test.count }, (_, i) => ({
  question: [...test.inputs.subarray(16 * i, 16 * (i + 1))],
  truth: [...test.labels.subarray(16 * i, 16 * (i + 1))],
}));
const [puzzle] = puzzles as [Puzzle];

/** Makes a call as the page does. */
async function call<K extends keyof typeof solverHandlers>(
  name: K,
  args: Calls[K]["args"],
): Promise<{ result: Calls[K]["result"]; reports: Calls[K]["progress"][] }> {
  const reports: Calls[K]["progress"][] = [];
  const context: CallContext<Calls[K]["progress"]> = {
    signal: new AbortController().signal,
    progress: (report) => void reports.push(report),
  };
  const handler = solverHandlers[name] as (args: unknown, context: unknown) => Promise<Calls[K]["result"]>;
  return { result: await handler(args, context), reports };
}

beforeAll(async () => {
  const files = { name: "sudoku4", config, weights: new Uint8Array(weights).buffer, basis: null };
  await call("open", { files, choice: { backend: "wasm", threads: 1 } });
});

describe("a class", () => {
  it("has the wrong cells and the moves of each puzzle's own trace", async () => {
    const { reports } = await call("class", { puzzles, steps: 2 });
    const frames = reports.flat();
    const loaded = loadModel({ config, weights });
    const inputs = Int32Array.from(puzzles.flatMap(({ question }) => question));
    const trace = await recordTrace(loaded.model, { inputs }, { steps: 2 });
    loaded.model.dispose();
    expect(frames).toHaveLength(2 * 2 * 3);
    frames.forEach(({ step, cycle, update, latent, wrong, move }, i) => {
      const own = trace.frames.slice(i * puzzles.length, (i + 1) * puzzles.length);
      expect(own.map((frame) => [frame.step, frame.cycle, frame.update, frame.latent])).toEqual(
        puzzles.map(() => [step, cycle, update, latent]),
      );
      own.forEach((frame, k) => {
        const differing = frame.tokens.filter((token, cell) => token !== puzzles[k]!.truth![cell]).length;
        expect(wrong[k]).toBe(differing);
        expect(move[k]).toBeCloseTo(frame.move / Math.sqrt(16 * 32), 5);
      });
    });
  });
});

describe("an inspected update", () => {
  it("has a tape and a gradient in the last cycle, and neither before it", async () => {
    for (const cycle of [1, 2]) {
      for (const update of [1, 2, 3]) {
        const { result } = await call("inspect", { puzzle, at: { step: 2, cycle, update } });
        expect(result.values).toHaveLength(16 * 32);
        expect(result.tape.length > 0).toBe(cycle === 2);
        expect(result.gradient !== null).toBe(cycle === 2);
        expect(result.tapeLength).toBeGreaterThan(20);
      }
    }
  });

  it("has the tape of its own operations: together with heads and loss they are the whole tape", async () => {
    const { result: whole } = await call("tape", { puzzle, step: 1 });
    let counted = 0;
    for (const update of [1, 2, 3]) {
      const { result } = await call("inspect", { puzzle, at: { step: 1, cycle: 2, update } });
      const owner = `${update === 3 ? "y" : "z"} ${update}`;
      const own = whole.entries.filter((entry) => entry.owner === owner);
      const described = (entries: readonly { operation: string; shape: readonly number[] }[]): string[] =>
        entries.map(({ operation, shape }) => `${operation} ${shape}`).toSorted();
      expect(described(own)).toEqual(described(result.tape));
      counted += own.length;
    }
    expect(counted + whole.entries.filter(({ owner }) => owner === "heads and loss").length).toBe(whole.entries.length);
    expect(whole.unfused).toBeGreaterThan(whole.entries.length);
  });
});

describe("the gradient of the tape", () => {
  it("agrees with nudging the number in the last cycle alone", async () => {
    const { result: first } = await call("nudge", { puzzle, step: 1, parameter: "", entry: -1 });
    for (const { name } of first.parameters.filter((_, i) => i % 4 === 0)) {
      const { result } = await call("nudge", { puzzle, step: 1, parameter: name, entry: -1 });
      const error = Math.min(...result.quotients.map(({ last }) => Math.abs(last - result.analytic)));
      const scale = Math.abs(result.analytic) + 1e-3; // float32: slopes near 0 drown in rounding
      expect(error / scale, `${name}: ${result.analytic}`).toBeLessThan(0.02);
    }
  });

  it("leaves the weights as they were", async () => {
    const before = await call("trace", { puzzle, steps: 1 });
    await call("nudge", { puzzle, step: 1, parameter: "", entry: 3 });
    expect((await call("trace", { puzzle, steps: 1 })).reports).toEqual(before.reports);
  });
});

describe("the definition of a fused operation", () => {
  it("is composed of operations that are not fused themselves", async () => {
    const { result } = await call("unfold", { operation: "swigluBlock" });
    const names = result.entries.map(({ operation }) => operation);
    expect(names).toContain("matmul");
    expect(names).not.toContain("swigluBlock");
    expect(names).not.toContain("siluGate");
  });
});

describe("rollouts with noise on z", () => {
  const roll = async (sigma: number, count: number) =>
    (await call("rollouts", { puzzle, steps: 3, sigma, count })).result;

  it("are those of predictRollouts, bit for bit, and the plain answer is the prediction", async () => {
    const loaded = loadModel({ config, weights });
    const question = { inputs: Int32Array.from(puzzle.question) };
    const expected = await predictRollouts(loaded.model, question, { steps: 3, rollouts: 4, sigma: 1 });
    let last: { tokens: Int32Array; qHalt: Float32Array } | null = null;
    for await (const made of predictions(loaded.model, question, 3)) last = made;
    loaded.model.dispose();
    const { plain, rollouts } = await roll(1, 4);
    const answerOf = (made: { tokens: Int32Array; qHalt: Float32Array }): Rollout => {
      const tokens = [...made.tokens];
      return { tokens, q: made.qHalt[0]!, isRight: tokens.join() === puzzle.truth!.join() };
    };
    expect(rollouts).toEqual(expected.map(answerOf));
    expect(plain).toEqual(answerOf(last!));
  });

  it("are selected by the highest q, and by the most frequent answer", async () => {
    const { rollouts, byQ, byVote } = await roll(3, 8);
    expect(new Set(rollouts.map(({ q }) => q)).size).toBe(8);
    expect(rollouts[byQ]!.q).toBe(Math.max(...rollouts.map(({ q }) => q)));
    const votes = rollouts.map(
      ({ tokens }) => rollouts.filter((other) => other.tokens.join() === tokens.join()).length,
    );
    expect(votes[byVote]).toBe(Math.max(...votes));
  });
});

describe("a drawn maze", () => {
  const task = mazeTask(7);
  const read = (rows: readonly string[]): Puzzle => readPuzzle(task, rows.join(""));
  const open = ["S      ", "       ", "       ", "       ", "       ", "       ", "      G"];

  it("is compared with the shortest path that the model found, if it found one of several", () => {
    const maze = read(open);
    const other = task.parse(open.join("")).map((token) => token);
    for (let row = 1; row < 7; row++) other[7 * row] = 5; // down the first column
    for (let i = 1; i < 6; i++) other[42 + i] = 5; // then right
    expect([...other]).not.toEqual(maze.truth);
    expect(truthBeside(task, maze, [...other])).toEqual([...other]);
    expect(truthBeside(task, maze, [...other].with(7, 2))).toEqual(maze.truth);
  });

  it("is refused with the words of its task", () => {
    expect(() => read(["S  #  G", ...open.slice(1, 6), "       "].map((row) => row.replace("G", " ")))).toThrow(
      "maze: 0 cells are G (goal), expected exactly one",
    );
    expect(() => read(open.with(5, "#######"))).toThrow("maze: no path from S to G");
  });
});

describe("all calls", () => {
  it("release the memory that they use", async () => {
    const all = async (): Promise<void> => {
      await call("trace", { puzzle, steps: 2 });
      await call("inspect", { puzzle, at: { step: 1, cycle: 2, update: 1 } });
      await call("class", { puzzles, steps: 1 });
      await call("exam", { puzzles, steps: 1 });
      await call("rollouts", { puzzle, steps: 1, sigma: 1, count: 2 });
      await call("tape", { puzzle, step: 2 });
      await call("nudge", { puzzle, step: 2, parameter: "", entry: 0 });
      await call("unfold", { operation: "swigluBlock" });
    };
    await all();
    const before = defaultBackend().memory().liveBytes;
    await all();
    expect(defaultBackend().memory().liveBytes).toBe(before);
  });
});

afterAll(async () => {
  // Another model in place of this one releases it.
  const files = { name: "none", config: "{}", weights: new ArrayBuffer(0), basis: null };
  await call("open", { files, choice: { backend: "wasm", threads: 1 } }).catch(() => {});
});
