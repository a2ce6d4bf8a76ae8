// The source of a lesson as text: stubs, solutions, planted mistakes, blocks of the page. And the comparison of results.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runCheck } from "../../course/check.ts";
import { firstDifference, showValue } from "../../course/difference.ts";
import { type Lesson, part, quarters } from "../../course/lesson.ts";
import { sourceOf } from "../../course/lessons.node.ts";
import { functionIn } from "../../course/page/markdown.node.ts";
import { showReport } from "../../course/report.ts";
import { blocksOf, hash, planted, plantFor, printedOutput, solutionsOf, stubOf } from "../../course/source.ts";
import { projectRoot } from "../source.ts";

const source = `/*md
# 9. A lesson
*/
export function twice(x: number): number {
  // BEGIN SOLUTION hint="Multiply by two."
  return 2 * x;
  // END SOLUTION
}

export async function program(print: (line: string) => void): Promise<void> {
  /*md
  Text with $x$.
  */
  print("6");
  /*md
  \`\`\`output
  6
  \`\`\`
  */
}

// BEGIN REPAIR
export const one = 1;
// END REPAIR
// BEGIN CHECK
export const secret = 1;
`;

describe("the text of a lesson", () => {
  it("becomes a stub with a numbered TODO in the place of each solution, and without the part for the checker", () => {
    const stub = stubOf(source, 9);
    expect(stub).toContain('  // TODO 9.1: replace the next line\n  throw new Error("TODO 9.1");\n}');
    expect(stub).not.toMatch(/2 \* x|secret|Multiply/);
    expect(stub).toContain("# 9. A lesson");
  });

  it("has solutions with hints", () => {
    expect(solutionsOf(source, 9)).toEqual([{ number: "9.1", hint: "Multiply by two.", code: "  return 2 * x;" }]);
  });

  it("with a solution that does not end, or ends twice, is refused", () => {
    expect(() => stubOf(source.replace("  // END SOLUTION\n", ""), 9)).toThrow("a solution does not end");
    expect(() => stubOf(source.replace("// BEGIN SOLUTION", "// BEGIN"), 9)).toThrow("END SOLUTION without");
  });

  it("has a mistake planted where its text occurs exactly once in the region to repair", () => {
    const plant = { name: "two", from: "one = 1", to: "one = 2" };
    expect(planted(source, plant)).toContain("export const one = 2;");
    expect(() => planted(source, { ...plant, from: "seven" })).toThrow('plant two: "seven" occurs not exactly once');
  });

  it("is cut into prose and code, without the frame of its program", () => {
    expect(blocksOf(stubOf(source, 9)).map(({ kind, text }) => `${kind}: ${text.split("\n")[0]}`)).toEqual([
      "prose: # 9. A lesson",
      "code: export function twice(x: number): number {",
      "prose: Text with $x$.",
      'code: print("6");',
      "prose: ```output",
      "code: // BEGIN REPAIR",
    ]);
    expect(printedOutput(source)).toBe("6\n");
  });

  it("gets different mistakes for different names, and the same mistake for the same name", () => {
    const plants = ["a", "b", "c", "d", "e", "f"].map((name) => ({ name, from: name, to: name }));
    const chosen = Array.from({ length: 60 }, (_, i) => plantFor(plants, `learner ${i}`)!.name);
    expect(new Set(chosen).size).toBe(6);
    expect(plantFor(plants, "ada")).toBe(plantFor(plants, "ada"));
    expect(hash("ada")).not.toBe(hash("adb"));
  });
});

describe("the recursion of lessons 5 and 6", () => {
  it("is, line by line, that of src/trm/recursion.ts, which their pages quote", () => {
    const recursion = readFileSync(`${projectRoot}src/trm/recursion.ts`, "utf8");
    for (const [lesson, name] of [
      [5, "latentRecursion"],
      [6, "deepRecursion"],
    ] as const) {
      expect(solutionsOf(sourceOf(lesson), lesson)[0]!.code.length).toBeGreaterThan(40);
      expect(recursion).toContain(solutionsOf(sourceOf(lesson), lesson)[0]!.code);
      expect(functionIn("src/trm/recursion.ts", name)).toContain(`export function ${name}`);
      expect(sourceOf(lesson)).toContain(`\`\`\`quote\nsrc/trm/recursion.ts ${name}\n`);
    }
    expect(() => functionIn("src/trm/recursion.ts", "lost")).toThrow("no exported function lost");
  });
});

describe("the first difference of two values", () => {
  it("is the place in lists and objects, and nothing for equal values", () => {
    expect(firstDifference([1, 2, 3], Float32Array.of(1, 2, 4))?.place).toBe("index 2");
    expect(firstDifference({ y: [0, [1]] }, { y: [0, [2]] })?.place).toBe("y, index 1, index 0");
    expect(firstDifference([1], [1, 2])).toEqual({ place: "index 1", expected: "nothing", received: 2 });
    expect(firstDifference(Number.NaN, Number.NaN)).toBeUndefined();
    expect(firstDifference("a", "b")?.place).toBe("");
  });

  it("is within the tolerance or reported, whatever the numbers", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), quarters(), (value, move) => {
        const differs = firstDifference([value], [value + move], 0.1) !== undefined;
        return differs === Math.abs(value + move - value) > 0.1 * (1 + Math.abs(value));
      }),
    );
  });

  it("of a long list is shown with its surroundings", () => {
    const long = Array.from({ length: 100 }, (_, i) => i);
    expect(showValue(long, 50)).toBe(
      "[..., 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, ...] (100 values)",
    );
    expect(showValue(["net(x, y)", "net(y)"])).toBe("[net(x, y), net(y)]".slice(1, -1).replace("), ", ")\n"));
  });
});

describe("a check", () => {
  const lesson: Lesson = {
    minutes: 1,
    reference: { twice: (x: number) => 2 * x },
    check: (mine) => [
      part({
        name: "twice doubles",
        given: quarters(),
        show: (x) => `x = ${x}`,
        expected: (x) => 2 * x,
        received: (x) => (mine.twice as (x: number) => number)(x),
        next: "Multiply by 2.",
      }),
    ],
    wrong: [{ name: "square", mine: { twice: (x: number) => x * x }, says: "That is the square." }],
  };

  it("reports the smallest counterexample, both values, the seed and the mistake that gives the same", async () => {
    const [result] = await runCheck(lesson, { twice: (x: number) => x * x }, 7);
    expect(result?.failure).toEqual({
      counterexample: "x = 0.25",
      expected: "0.5",
      received: "0.0625",
      seed: 7,
      looksLike: "That is the square.",
      next: "Multiply by 2.",
    });
    const text = showReport({ lesson: 3, title: "T", parts: [result!] });
    expect(text).toContain("npm run check -- 3 --replay 7");
    expect(text).toContain("0 of 1 passed");
  });

  it("reports an error of the implementation as what was received, and a TODO as not written yet", async () => {
    const failing = (message: string) => ({
      twice: () => {
        throw new Error(message);
      },
    });
    const [failed] = await runCheck(lesson, failing("no"), 7);
    expect(failed?.failure?.received).toBe("an error: Error: no");
    expect(failed?.failure?.looksLike).toBeUndefined();
    expect(await runCheck(lesson, failing("TODO 3.1"), 7)).toEqual([{ name: "twice doubles", todo: "TODO 3.1" }]);
  });

  it("refuses a file that lacks a function", async () => {
    await expect(runCheck(lesson, {}, 7)).rejects.toThrow("exports no function twice");
  });
});
