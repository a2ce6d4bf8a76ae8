// The list of named faults fits the sources: `npm run mutation` refuses a fault whose text has changed.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { projectRoot } from "../source.ts";
import { mutated } from "./mutant.ts";
import { namedMutants } from "./named.ts";

it("every named fault replaces text that its source file contains once", () => {
  for (const mutant of namedMutants()) {
    const text = readFileSync(`${projectRoot}${mutant.file}`, "utf8");
    expect(mutated(mutant, text)).not.toBe(text);
  }
});
