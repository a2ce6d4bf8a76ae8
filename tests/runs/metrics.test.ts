// The lines of metrics.jsonl: schemas, documentation, lines of earlier versions, CSV.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { readMetrics } from "../../src/runs/index.node.ts";
import {
  haltingShare,
  linesOf,
  metricsCsv,
  parseMetrics,
  startSchema,
  stepSchema,
  type UnseenLine,
  unseenSchema,
} from "../../src/runs/metrics.ts";
import { MetricsLog, metricsFile } from "../../src/runs/metrics-log.node.ts";
import { tinyStartLine, tinyStepLine } from "./tiny-run.ts";

const unseenLine = (step: number): UnseenLine => ({
  event: "unseen",
  step,
  seconds: 2,
  puzzles: 4,
  unlabelled: 0,
  exact: 0.75,
  cell: 0.9,
  exactLow: 0.3,
  exactHigh: 0.95,
  exactAfter: [0.25, 0.75],
  cellAfter: [0.8, 0.9],
  meanHaltStep: 1.5,
  haltCounts: [2, 1],
});
const textOf = (lines: readonly object[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join("");
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const project = join(import.meta.dirname, "../..");

describe("metrics.jsonl", () => {
  it("returns its steps and evaluations as they were written, without a last line that is incomplete", () =>
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 10 }), fc.nat({ max: 60 }), (kinds, cut) => {
        const steps = kinds.map((_, i) => tinyStepLine(i + 1));
        const unseen = kinds.flatMap((isEvaluated, i) => (isEvaluated ? [unseenLine(i + 1)] : []));
        const text = textOf([tinyStartLine, ...steps, ...unseen]);
        const begun = JSON.stringify(tinyStepLine(99)).slice(0, cut);
        expect(parseMetrics(bytesOf(text + begun), "m")).toEqual({ steps, unseen });
      }),
    ));

  it("of the committed run of an earlier version is read, with null for what it lacks", () => {
    const { steps } = readMetrics(join(project, "weights/sudoku9/run"));
    expect(steps.length).toBeGreaterThan(500);
    expect(steps[0]).toMatchObject({ event: "step", step: 1, gradientNorm: null, exact: null });
    const {
      exact,
      cell,
      exactLow,
      exactHigh,
      exactAfter,
      cellAfter,
      haltCounts: _,
      seconds: __,
      ...rest
    } = unseenLine(1);
    const old = { ...rest, exact: exactAfter, cell: cellAfter, interval95: [exactLow, exactHigh] };
    const [read] = parseMetrics(bytesOf(textOf([old])), "m").unseen;
    expect(read).toEqual({ ...unseenLine(1), seconds: null, haltCounts: [] });
    expect([exact, cell, haltingShare(read!)]).toEqual([0.75, 0.9, null]);
  });

  it.each([
    ["{\n", "m: line 2: not JSON"],
    ['{"step":2}\n', "m: line 2: seconds: "],
    [textOf([{ ...tinyStepLine(2), loss: "low" }]), "m: line 2: loss: Invalid input: expected number, received string"],
    [textOf([{ ...unseenLine(2), exact: 2 }]), "m: line 2: exact: "],
    [textOf([{ ...unseenLine(2), exactAfter: [] }]), "m: line 2: exactAfter: "],
    ["null\n", "m: line 2: "],
  ])("with the line %s is refused with the number of the line and the field", (line, message) => {
    expect(() => parseMetrics(bytesOf(textOf([tinyStepLine(1)]) + line), "m")).toThrow(message);
  });

  it("is split into the same lines as its text", () =>
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "\n", "é") }), (text) => {
        const lines = [...linesOf(bytesOf(text))].map((line) => new TextDecoder().decode(line));
        expect(lines).toEqual(text === "" ? [] : text.replace(/\n$/, "").split("\n"));
      }),
    ));

  it("is read and continued line by line, because a long one exceeds the longest string", () => {
    const folder = mkdtempSync(join(tmpdir(), "trm-metrics-"));
    const path = join(folder, metricsFile);
    const steps = Array.from({ length: 100 }, (_, i) => tinyStepLine(i + 1));
    writeFileSync(path, textOf([tinyStartLine, ...steps]) + JSON.stringify(tinyStepLine(50)));
    const decode = TextDecoder.prototype.decode;
    const limited = vi.spyOn(TextDecoder.prototype, "decode").mockImplementation(function (this: TextDecoder, bytes) {
      if (bytes !== undefined && bytes !== null && bytes.byteLength > 1000) throw new Error("string too long");
      return decode.call(this, bytes);
    });
    try {
      expect(readMetrics(folder).steps).toEqual(steps);
      new MetricsLog(path, 60).close();
      // The last line lacks its line break, but nothing else.
      expect(readMetrics(folder).steps).toEqual([...steps.slice(0, 60), tinyStepLine(50)]);
    } finally {
      limited.mockRestore();
      rmSync(folder, { recursive: true });
    }
  });

  it("is documented field by field", () => {
    const page = readFileSync(join(project, "docs/metrics.md"), "utf8");
    const sections = page.split(/^## /m).slice(1);
    const fields = sections.map((section) => [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name));
    expect(fields).toEqual([startSchema, stepSchema, unseenSchema].map(({ shape }) => Object.keys(shape)));
  });
});

describe("the metrics as CSV", () => {
  it("have one row per step with the fields of the step, and the evaluation in the row of its step", () => {
    const metrics = { steps: [1, 2, 3].map((step) => tinyStepLine(step, step / 2)), unseen: [unseenLine(2)] };
    const rows = parse(metricsCsv(metrics), { columns: true }) as Record<string, string>[];
    expect(rows.map(({ step }) => step)).toEqual(["1", "2", "3"]);
    expect(rows.map(({ loss }) => loss)).toEqual(["0.5", "1", "1.5"]);
    expect(rows.map(({ exact }) => exact)).toEqual(["", "", ""]);
    expect(rows.map(({ unseenExact }) => unseenExact)).toEqual(["", "0.75", ""]);
    expect(rows[1]).toMatchObject({ unseenExactAfter1: "0.25", unseenCellAfter2: "0.9", unseenHalting: "0.75" });
  });

  it("may be of more evaluations than a call takes arguments", () => {
    const line = unseenLine(1);
    expect(metricsCsv({ steps: [], unseen: Array.from({ length: 200_000 }, () => line) })).toContain("exact");
  });
});
