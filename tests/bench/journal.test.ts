// The journal of a benchmark session: a resumed session does not repeat recorded parts.
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

describe("the benchmark journal", () => {
  let folder: string;
  let path: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "trm-journal-"));
    path = join(folder, "unfinished.jsonl");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("a resumed journal returns recorded parts and measures the others", async () => {
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

  it("incomplete results and failed parts are not recorded", async () => {
    const journal = Journal.begin(path, head, early);
    expect(await journal.part("a", () => "failed", () => false)).toBe("failed"); // biome-ignore format: one line
    await expect(journal.part("b", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    const resumed = Journal.resume(path, machine, late);
    expect([resumed.has("a"), resumed.has("b")]).toEqual([false, false]);
  });

  it("a journal without a path works in memory", async () => {
    rmSync(path, { force: true });
    const journal = Journal.begin(null, head, early);
    expect(await journal.part("a", () => 1)).toBe(1);
    expect([journal.has("a"), existsSync(path)]).toEqual([true, false]);
    journal.end();
  });

  it("a journal truncated at any byte resumes after its last complete part, or is rejected if its first line is incomplete", async () => {
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
        expect(Journal.resume(path, machine, late).moments.at(-1)).toEqual(late); // the file is repaired
      }),
    );
  });

  it("a journal that is missing, damaged or from another machine or version is rejected with one line", () => {
    expect(() => Journal.resume(join(folder, "none"), machine, late)).toThrow("there is no unfinished session");
    const journal = Journal.begin(path, head, early);
    expect(() => Journal.resume(path, [...machine.slice(0, 1), ["trm-ts", "def"]], late)).toThrow(
      "--resume: trm-ts: got abc in the unfinished session, expected the current def",
    );
    writeFileSync(path, "what is this?\n");
    expect(() => Journal.resume(path, machine, late)).toThrow(`${path}:1: got "what is this?", expected a line that`);
    journal.end();
  });
});
