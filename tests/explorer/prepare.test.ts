// The measurements in explorer/measured, which spare a build of the explorer minutes.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { keyOf, measuredFile, prepare } from "../../explorer/build/prepare.ts";
import { projectRoot } from "../source.ts";

const temporary = mkdtempSync(join(tmpdir(), "trm-prepare-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

const weights = join(projectRoot, "weights");
const kept = (name: string) => JSON.parse(readFileSync(measuredFile(name), "utf8"));

it("the kept measurements are those of the shipped weights; `npm run explorer:build` renews them", () => {
  const folders = readdirSync(weights, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = folders.map(({ name }) => name);
  expect(names).toContain("sudoku9");
  for (const name of names) expect(kept(name).key, name).toBe(keyOf(join(weights, name)));
});

it("a model outside weights/ is measured anew, with about the numbers that are kept for the same shipped model", async () => {
  cpSync(join(weights, "sudoku4"), join(temporary, "from/sudoku4"), { recursive: true });
  const { models } = await prepare({ from: [join(temporary, "from")], to: join(temporary, "to") });
  expect(models.map(({ name }) => name)).toEqual(["sudoku4"]);
  const { exact } = models[0]!.measured;
  const expected: number[] = kept("sudoku4").exact;
  // Other kernels round differently, which changes a few of the 200 answers on the way.
  expect(exact).toHaveLength(expected.length);
  for (const [i, count] of exact.entries()) expect(Math.abs(count - expected[i]!), `frame ${i}`).toBeLessThanOrEqual(4);
});
