import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { exitCodeOf, explain, InterruptedError, UsageError } from "../../src/cli/explain.ts";
import { CheckpointError } from "../../src/formats/index.ts";

it("every kind of error is explained in one line", () => {
  expect(explain(new CheckpointError("x: broken"))).toBe("x: broken");
  expect(explain(Object.assign(new Error("ENOSPC"), { code: "ENOSPC" }))).toBe("no space left on the disk");
  expect(explain(new RangeError("Array buffer allocation failed"))).toMatch(/^not enough memory/);
  expect(explain(new TypeError("x is not a function\nat y"))).toBe(
    "internal error: x is not a function (TRM_DEBUG=1 shows where)",
  );
  expect(explain("text")).toBe("text");
  expect(explain(new Error("\u001b[2J"))).toBe("internal error: \\u{1b}[2J (TRM_DEBUG=1 shows where)");
  expect(explain(Object.create(null))).toMatch(/^\S/);
  expect(explain(new CheckpointError("/home/\u{1f468}\u200d\u{1f469}/run: broken"))).toBe(
    "/home/\u{1f468}\u200d\u{1f469}/run: broken",
  );
  expect(explain(new CheckpointError("one\u2028two\n"))).toBe("one\\u{2028}two");
  expect(explain(new CheckpointError("new\nline/run: no such folder"))).toBe("new line/run: no such folder");
});

it("the explanation of a file error names the file", () => {
  try {
    readFileSync("/no/such/file");
    expect.unreachable();
  } catch (error) {
    expect(explain(error)).toBe("/no/such/file: no such file or folder");
  }
});

it("the exit code is 2 for wrong usage, 130 after Ctrl-C and 1 for all other errors", () => {
  expect([new UsageError("x"), new InterruptedError("x"), new Error("x")].map(exitCodeOf)).toEqual([2, 130, 1]);
});
