import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Run, readRuns, writeRuns } from "../../bench/learning/curves.ts";

describe("the curves of bench:learn", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "curves-"));
    path = join(folder, "sudoku4.json");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const run = (seed: number): Run => ({
    seed,
    date: "2026-01-01 00:00",
    load: "0.00",
    machine: { Node: "24.0.0" },
    ours: [{ step: 50, seconds: 1.5, exact: [0.25, 0.5] }],
    peer: null,
  });

  it("the trainings of a file are those written to it, by seed", () => {
    expect(readRuns(path, {})).toEqual([]);
    writeRuns(path, { nSup: 8, T: 2 }, [run(2), run(1)]);
    expect(readRuns(path, { T: 2, nSup: 8 })).toEqual([run(1), run(2)]);
  });

  it("a measurement with other settings is not continued", () => {
    writeRuns(path, { T: 2 }, [run(1)]);
    expect(() => readRuns(path, { T: 3 })).toThrow(
      `${path} was measured with --set {"T":2}, expected the same, got {"T":3}`,
    );
  });

  it("a damaged file is refused and kept", () => {
    writeFileSync(path, '{"runs": 1}');
    expect(() => readRuns(path, {})).toThrow(`${path} is not a file of bench:learn`);
    expect(readFileSync(path, "utf8")).toBe('{"runs": 1}');
  });
});
