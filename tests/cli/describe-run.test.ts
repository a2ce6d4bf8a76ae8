// The descriptions of a run, whose texts come from a file.
import { describe, expect, it } from "vitest";
import { backendText, taskText } from "../../src/cli/describe-run.ts";

const clear = "\u001b[2J";

describe("the description of a run", () => {
  it("names the task and what makes its puzzles easier or harder", () => {
    expect(taskText({ name: "sudoku9", clues: 36 })).toBe("sudoku9, 36 clues");
    expect(taskText({ name: "grid", title: "flood" })).toBe("flood");
  });

  it("escapes control characters of a file, which a terminal would obey", () => {
    expect(taskText({ name: "grid", title: `flood${clear}` })).toBe("flood\\u{1b}[2J");
    expect(backendText({ name: "wasm", build: `simd${clear}` })).toBe("wasm (simd\\u{1b}[2J)");
  });
});
