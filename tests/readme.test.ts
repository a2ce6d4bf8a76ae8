// What the README prints is true: the recursion is the source, the library code runs as printed, and the commands exist. The full suite
// runs the library code against the packed package too (tests/package/programs.full.test.ts).
import { describe, expect, it } from "vitest";
import { codeBlocks } from "./doc-code.ts";
import { readText } from "./docs/files.ts";
import { runProgram, shortened } from "./run-program.ts";

const [recursion, library, solving] = codeBlocks("README.md", "ts");

describe("the README", () => {
  it("prints the two functions of src/trm/recursion.ts line by line", () => {
    const functions = readText("src/trm/recursion.ts").match(/^export function .*?^}$/gms);
    expect(functions).toHaveLength(2);
    expect(recursion).toBe(`${functions!.join("\n\n")}\n`);
  });

  it("has ten lines of library code that train and evaluate a model", async () => {
    const lines = library!.split("\n").filter((line) => line !== "" && !line.startsWith("import"));
    expect(lines.length).toBeLessThanOrEqual(10);
    expect(await runProgram("readme", shortened(library!))).toMatch(
      /^solved after supervision step 1: [\d.]+, after step 8: [\d.]+\n$/,
    );
  });

  it("has library code that solves a puzzle with a model of the repository", async () => {
    expect(await runProgram("readme-solving", solving!)).toMatch(/^4 2 \| 1 3\n[\s\S]* after \d+ steps, q \d+\.\d\n$/);
  });

  it("names only npm scripts that package.json has", () => {
    const { scripts } = JSON.parse(readText("package.json")) as { scripts: Record<string, string> };
    const named = [...readText("README.md").matchAll(/\bnpm run ([\w:]+)/g)].map(([, name]) => name!);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});
