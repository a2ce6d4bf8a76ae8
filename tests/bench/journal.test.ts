// The journal of a benchmark run: what was measured before a run was stopped is not measured again.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Journal } from "../../bench/runner/journal.ts";

const machine: [string, string][] = [
  ["Node", "20.20.2"],
  ["trm-ts", "abc"],
];
const head = { args: ["--turns", "5"], machine };
const [early, late] = [
  { date: "2026-11-24 19:59", load: "0.22" },
  { date: "2026-11-24 21:00", load: "0.10" },
];

describe("a journal", () => {
  let folder: string;
  let path: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "trm-journal-"));
    path = join(folder, "unfinished.jsonl");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("gives back what was measured, and measures the rest", async () => {
    const journal = Journal.begin(path, head, early);
    await journal.part("a", () => ({ train: [1, 2] }));
    const measure = vi.fn(() => 3);
    const resumed = Journal.resume(path, machine, late);
    expect(resumed.args).toEqual(head.args);
    expect(resumed.moments).toEqual([early, late]);
    expect(await resumed.part("a", () => ({ train: [9] }))).toEqual({ train: [1, 2] });
    expect([await resumed.part("b", measure), await resumed.part("b", measure)]).toEqual([3, 3]);
    expect(measure).toHaveBeenCalledOnce();
    resumed.end();
    expect(existsSync(path)).toBe(false);
  });

  it("does not keep what is not whole, and nothing of a part that fails", async () => {
    const journal = Journal.begin(path, head, early);
    expect(await journal.part("a", () => "failed", () => false)).toBe("failed"); // biome-ignore format: one line
    await expect(journal.part("b", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    const resumed = Journal.resume(path, machine, late);
    expect([resumed.has("a"), resumed.has("b")]).toEqual([false, false]);
  });

  it("has no file if it is given none", async () => {
    rmSync(path, { force: true });
    const journal = Journal.begin(null, head, early);
    expect(await journal.part("a", () => 1)).toBe(1);
    expect([journal.has("a"), existsSync(path)]).toEqual([true, false]);
    journal.end();
  });

  it("that was cut off anywhere goes on behind its last whole part, or says what is wrong", async () => {
    const journal = Journal.begin(path, head, early);
    for (const part of ["a", "b", "c"]) await journal.part(part, () => [part]);
    const whole = readFileSync(path);
    fc.assert(
      fc.property(fc.nat({ max: whole.length }), (length) => {
        const kept = whole.subarray(0, length);
        const lines = kept.toString().split("\n").length - 1;
        writeFileSync(path, kept);
        if (lines === 0) {
          expect(() => Journal.resume(path, machine, late)).toThrow(`${path}:1: got "`);
          return;
        }
        const resumed = Journal.resume(path, machine, late);
        expect(["a", "b", "c"].filter((part) => resumed.has(part))).toEqual(
          ["a", "b", "c"].slice(0, Math.max(0, lines - 2)),
        );
        expect(Journal.resume(path, machine, late).moments.at(-1)).toEqual(late); // it is whole again
      }),
    );
  });

  it("is refused in one line if it is missing, damaged, or of another machine or version", () => {
    expect(() => Journal.resume(join(folder, "none"), machine, late)).toThrow("there is no unfinished run");
    const journal = Journal.begin(path, head, early);
    expect(() => Journal.resume(path, [...machine.slice(0, 1), ["trm-ts", "def"]], late)).toThrow(
      "--resume: trm-ts: got abc in the unfinished run, expected def as now",
    );
    writeFileSync(path, "what is this?\n");
    expect(() => Journal.resume(path, machine, late)).toThrow(`${path}:1: got "what is this?", expected a line that`);
    journal.end();
  });
});
