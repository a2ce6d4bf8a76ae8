// The places of mutants fit the sources: the list of named faults, and the lines that docs/testing.md names.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { projectRoot, sourceFiles } from "../source.ts";
import { mutated } from "./mutant.ts";
import { namedMutants } from "./named.ts";
import { mutantsOf } from "./operators.ts";

it("every named fault replaces text that its source file contains once", () => {
  for (const mutant of namedMutants()) {
    const text = readFileSync(`${projectRoot}${mutant.file}`, "utf8");
    expect(mutated(mutant, text)).not.toBe(text);
  }
});

it("every line that docs/testing.md names has mutants", () => {
  const page = readFileSync(`${projectRoot}docs/testing.md`, "utf8");
  const lines = [...page.matchAll(/(?:src\/trm\/)?([\w-]+\.ts):(\d+)/g)].map(
    ([, file, line]) => `src/trm/${file}:${line}`,
  );
  const named = new Set(lines.map((line) => line.replace(/:\d+$/, "")));
  const mutants = sourceFiles()
    .filter(({ path }) => named.has(path))
    .flatMap((file) => mutantsOf(file, []).map(({ name }) => name.split(" ")[0]));
  expect(lines.length).toBeGreaterThan(20);
  expect(lines.filter((line) => !mutants.includes(line))).toEqual([]);
});
