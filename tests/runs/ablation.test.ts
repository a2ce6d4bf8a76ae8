// The ablation: its rows, their compute budget, resuming, and the labels of the table.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { type AblationCell, stepsFor, trainCell } from "../../src/runs/ablation/cell.ts";
import {
  readCells,
  readPlan,
  readUnfinished,
  saveUnfinished,
  writeCell,
  writePlan,
} from "../../src/runs/ablation/folder.node.ts";
import { ablationTable, reportRow, spread } from "../../src/runs/ablation/report.ts";
import { ablated, ablationRows, everyRow, laterRows } from "../../src/runs/ablation/rows.ts";
import { packCheckpoint } from "../../src/runs/checkpoint.ts";
import { isRecording } from "../../src/tensor/scope.ts";
import { trainingFlops } from "../../src/trm/flops.ts";
import { effectiveDepth, operationsOf, parseConfig, ShuffledExamples, Training } from "../../src/trm/index.ts";
import { Block } from "../../src/trm/network.ts";

const small = { vocabularySize: 6, sequenceLength: 16, hiddenSize: 16, widthMultiple: 8, T: 2, n: 2 };
const base = parseConfig({ ...small, nSup: 2, batchSize: 4, warmupSteps: 10 });
const full = parseConfig({ vocabularySize: 11, sequenceLength: 81, puzzleEmbeddingSize: 512 });
const rowOf = (key: string) => everyRow.find((row) => row.key === key)!;
const sets = sudokuTask(4).generate({ train: 50, test: 20, seed: 1 });

describe("ablation rows", () => {
  it("are the twelve rows of the paper with its numbers", () => {
    expect(ablationRows.map(({ publishedPercent }) => publishedPercent)).toEqual([
      87.4, 86.1, 82.4, 79.9, 79.5, 74.7, 73.7, 56.5, 55, 77.6, 71.9, 0,
    ]);
    expect(new Set(ablationRows.map(({ key }) => key)).size).toBe(12);
  });

  it("are followed by the methods after the paper, each with the source and the certainty of its number", () => {
    expect(laterRows.map(({ key }) => key)).toEqual(["eqr", "depth-curriculum", "fixed-point", "easy-mixing"]);
    expect(new Set(everyRow.map(({ key }) => key)).size).toBe(16);
    for (const { publishedIn } of laterRows)
      expect(publishedIn).toMatch(/^arXiv \d{4}\.\d{5}, (abstract|from a summary)/);
  });

  it("have the settings of the paper at full scale", () => {
    const model = (key: string) => ablated(rowOf(key), full).model;
    expect(model("trm")).toMatchObject({ T: 3, n: 6, layers: 2 });
    expect(model("four-layers")).toMatchObject({ T: 3, n: 3, layers: 4 });
    expect(model("fewer-recursions")).toMatchObject({ T: 2, n: 2, layers: 2 });
    expect(model("hrm")).toMatchObject({ T: 2, n: 2, layers: 4, separateNets: true, heads: 8 });
    expect(effectiveDepth(model("trm"))).toBe(42);
  });

  it("keep the attention of a base that has attention, with its heads and its positions", () => {
    const board = { mixer: "attention", positions: "rotary2d", columns: 4, heads: 2 } as const;
    const attention = parseConfig({ ...small, ...board });
    for (const key of ["self-attention", "hrm", "direct"]) {
      expect(ablated(rowOf(key), attention).model).toMatchObject(board);
    }
  });

  it("train a step at small scale, and each differs from the row trm", async () => {
    for (const row of everyRow) {
      const config = ablated(row, base);
      if (row.key !== "trm") expect(config).not.toEqual(base);
      const training = new Training(config, new ShuffledExamples(sets.train, 1));
      expect((await training.supervisionStep()).loss).toBeGreaterThan(0);
      training.dispose();
    }
  });
});

describe("the count of floating-point operations", () => {
  it.each(everyRow.map((row) => [row.key, row] as const))(
    "equals the network calls of a training step: %s",
    async (_, row) => {
      const config = ablated(row, base);
      const training = new Training(config, new ShuffledExamples(sets.train, 1));
      // Counts the blocks that run on and off the tape.
      const blocks = { onTape: 0, offTape: 0 };
      const forward = vi.spyOn(Block.prototype, "forward").mockImplementation(function (this: Block, ...args) {
        blocks[isRecording() ? "onTape" : "offTape"]++;
        return original.apply(this, args);
      });
      await training.supervisionStep();
      forward.mockRestore();
      training.dispose();
      // The count is linear in the number of blocks, so two other configurations determine its two unknowns.
      const oneBlock = { ...config, model: { ...config.model, recursion: "direct" as const, layers: 1, layersY: 1 } };
      const noTarget = { ...oneBlock, training: { ...config.training, continueLoss: false } };
      const twoBlocks = { ...noTarget, model: { ...noTarget.model, layers: 2, layersY: 2 } };
      const perBlock = (trainingFlops(twoBlocks) - trainingFlops(noTarget)) / 3;
      const heads = trainingFlops(noTarget) - 3 * perBlock;
      expect(operationsOf(config, 1)).toBeCloseTo((3 * blocks.onTape + blocks.offTape) * perBlock + heads, 3);
    },
  );

  it("counts 2abc operations for a matrix product, as in one block computed by hand", () => {
    const config = parseConfig({ ...small, recursion: "direct", layers: 1, batchSize: 1 });
    // Inner width: round(4 * 16 * 2 / 3) = 43, to a multiple of 8: 48. Three products over L for 16 features, three over D.
    const block = 3 * 2 * 16 * 48 * 16 + 3 * 2 * 16 * 48 * 16;
    expect(trainingFlops(config)).toBe(3 * block + 3 * 2 * 16 * 16 * 6);
  });
});

describe("a cell", () => {
  it("trains for the number of steps in the budget and is reproducible", async () => {
    const budget = 12.5 * trainingFlops(base);
    for (const key of ["trm", "hrm"]) {
      const config = ablated(rowOf(key), base);
      const options = { row: key, seed: 3, config, sets, budget };
      const [one, two] = [(await trainCell(options))!, (await trainCell(options))!];
      expect(one.steps).toBe(stepsFor(config, budget));
      expect(one.flops).toBeLessThanOrEqual(budget);
      expect(one.flops).toBeGreaterThan(budget - trainingFlops(config));
      expect({ ...one, seconds: 0 }).toEqual({ ...two, seconds: 0 });
      expect(one.puzzles).toBe(20);
    }
    expect(stepsFor(base, budget)).toBe(12);
  });

  it("with a depth curriculum makes as many steps as its stages, summed up, allow", () => {
    const whole = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(whole, whole, fc.double({ min: 1, max: 500, noNaN: true }), (T, n, share) => {
        const full = parseConfig({ ...small, T, n, batchSize: 4 });
        const config = ablated(rowOf("depth-curriculum"), full);
        const budget = share * trainingFlops(full);
        const steps = stepsFor(config, budget);
        const cost = (totalSteps: number) =>
          operationsOf({ ...config, training: { ...config.training, totalSteps } }, totalSteps);
        expect(steps).toBeGreaterThanOrEqual(stepsFor(full, budget));
        if (steps > 1) expect(cost(steps)).toBeLessThanOrEqual(budget);
        expect(cost(steps + 3)).toBeGreaterThan(budget); // the stages are rounded to whole steps
      }),
    );
  });
});

describe("a cell that stops early", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "trm-ablation-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const about = { task: { name: "sudoku4" as const }, backend: { name: "any", build: "" }, madeBy: "test" };
  const seed = 2;
  /** Trains in sessions that end after the given numbers of steps; the last session finishes the cell. */
  async function inSessions(key: string, ends: readonly number[]): Promise<AblationCell> {
    const config = ablated(rowOf(key), base);
    for (const end of [...ends, Number.POSITIVE_INFINITY]) {
      let steps = 0;
      const cell = await trainCell({
        row: key,
        seed,
        config,
        sets,
        budget: 8.5 * trainingFlops(config),
        begun: readUnfinished(folder, key, seed),
        isStopping: async () => ++steps === end,
        save: async (training, seconds) =>
          saveUnfinished(folder, key, seed, training.step, await packCheckpoint(training, { ...about, seconds })),
      });
      if (cell) return cell;
    }
    throw new Error("unreachable: the last session has no end");
  }

  it("continues to the same result bit for bit, wherever it stopped", async () => {
    const whole = new Map([
      ["trm", await inSessions("trm", [])],
      ["hrm", await inSessions("hrm", [])],
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("trm", "hrm"),
        fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 3 }),
        async (key, ends) => {
          const cell = await inSessions(key, ends);
          expect({ ...cell, seconds: 0 }).toEqual({ ...whole.get(key), seconds: 0 });
          writeCell(folder, cell);
          expect(readdirSync(folder)).toEqual([`cell-${key}-seed${seed}.json`]);
          rmSync(join(folder, `cell-${key}-seed${seed}.json`));
        },
      ),
      { numRuns: 8 },
    );
  });

  it("is refused if its settings differ", async () => {
    const config = ablated(rowOf("hrm"), base);
    const budget = 8.5 * trainingFlops(config);
    const other = new Training(base, new ShuffledExamples(sets.train, seed));
    saveUnfinished(folder, "hrm", seed, 0, await packCheckpoint(other, { ...about, seconds: 0 }));
    other.dispose();
    const begun = readUnfinished(folder, "hrm", seed);
    await expect(trainCell({ row: "hrm", seed, config, sets, budget, begun })).rejects.toThrow(
      /unfinished-hrm-seed2.*: the configuration differs from that of row hrm, seed 2/,
    );
  });

  it("starts again if it has no complete checkpoint", () => {
    expect(readUnfinished(folder, "trm", seed)).toBeUndefined();
    mkdirSync(join(folder, "unfinished-trm-seed2")); // a crash during the first save leaves an empty folder
    expect(readUnfinished(folder, "trm", seed)).toBeUndefined();
  });
});

const cell = (row: string, seed: number, exact: number): AblationCell => ({
  row,
  seed,
  exact,
  steps: 10,
  flops: 1,
  seconds: 1,
  parameters: 9,
  puzzles: 200,
  cell: 1,
  meanHaltStep: 2,
  settings: {},
});

describe("the ablation table", () => {
  const about = { scale: "sudoku4, D 16", budget: 1e9, minutes: 2, seeds: 3 };
  const cells = [cell("trm", 1, 0.5), cell("trm", 2, 0.7)];

  it("labels every number as measured here or quoted", () => {
    const rows = ablationRows.map((row) => reportRow(row, base.model, cells));
    const lines = ablationTable(about, rows);
    expect(lines[1]).toContain("MEASURED HERE at small scale: sudoku4");
    expect(lines[3]).toContain("QUOTED from the paper at full scale: Sudoku-Extreme");
    expect(lines.find((line) => line.startsWith("TRM"))).toMatch(
      /^TRM +\| +60\.0% +± 14\.1 +2\/3 +10 +1\.00e\+0 +9 \| +87\.4%$/,
    );
    expect(lines.find((line) => line.startsWith("HRM"))).toMatch(/^HRM +\| +- +\| +55\.0%$/);
    expect(rows[0]!.oursSmallScale!.exactPercent.bySeed).toEqual([50, 70]);
    expect(rows[0]!.paperFullScale).toMatchObject({ exactPercent: 87.4, quoted: true });
  });

  it("says what determined the budget", () => {
    expect(ablationTable(about, [])[2]).toMatch(/1\.00e\+9 .* \(2 min of the row trm\)$/);
    expect(ablationTable({ ...about, minutes: undefined, steps: 1400 }, [])[2]).toMatch(
      /\(1,400 steps of the row trm\)$/,
    );
  });

  it("shows the mean and the sample deviation", () => {
    expect(spread([1, 2, 3, 4])).toEqual({ mean: 2.5, deviation: Math.sqrt(5 / 3) });
    expect(spread([7])).toEqual({ mean: 7, deviation: null });
  });
});

describe("the ablation folder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "trm-ablation-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("returns the plan and the cells that were written", () => {
    const plan = {
      task: { name: "sudoku4" as const },
      base: { T: 2 },
      puzzles: { train: 5, unseen: 2 },
      minutes: 1,
      budget: 9,
      rows: ["trm", "eqr"],
      seeds: 2,
    };
    writePlan(folder, plan);
    expect(readPlan(folder)).toMatchObject(plan);
    writeCell(folder, cell("trm", 1, 0.5));
    writeCell(folder, cell("hrm", 1, 0.25));
    expect(readCells(folder)).toEqual([cell("hrm", 1, 0.25), cell("trm", 1, 0.5)]);
  });

  it("of an earlier version, without rows and seeds, can be read, and one with an unknown row cannot", () => {
    const older = {
      task: { name: "sudoku4" as const },
      base: {},
      puzzles: { train: 5, unseen: 2 },
      minutes: 1,
      budget: 9,
    };
    writePlan(folder, older);
    expect(readPlan(folder)).toMatchObject(older);
    writePlan(folder, { ...older, rows: ["trm", "lstm"] });
    expect(() => readPlan(folder)).toThrow(/ablation\.json: rows\.1: /);
  });

  it("names a broken file in its errors", () => {
    expect(() => readPlan(folder)).toThrow("contains no ablation.json, expected the folder of an ablation");
    writeFileSync(join(folder, "cell-trm-seed1.json"), "{}");
    expect(() => readCells(folder)).toThrow(/cell-trm-seed1\.json: row: /);
  });
});

const original = Block.prototype.forward;
