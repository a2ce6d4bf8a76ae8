// Progress of work in parts: silent at first, then what, how much, and how long.
import { expect, it } from "vitest";
import type { Terminal } from "../../src/cli/terminal.ts";
import { startWork } from "../../src/cli/work-progress.ts";

it("says nothing for two seconds, then counts the time of the present part only", () => {
  let clock = 0;
  const said: string[] = [];
  const terminal = { isLive: false, remark: (line: string) => said.push(line) } as unknown as Terminal;
  const work = startWork(terminal, () => clock);
  clock = 1_000;
  work.update("reading", 0.1);
  expect(said).toEqual([]);
  clock = 10_000;
  work.update("writing", 0);
  clock = 30_000;
  work.update("writing", 0.25);
  expect(said.at(-1)).toBe("writing: 25.0% · 1:00 left");
});
