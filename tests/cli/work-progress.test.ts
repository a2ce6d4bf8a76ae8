// Progress of work in parts.
import { expect, it } from "vitest";
import type { Terminal } from "../../src/cli/terminal.ts";
import { startWork } from "../../src/cli/work-progress.ts";

it("prints nothing for two seconds, then estimates the time left of the current part only", () => {
  let clock = 0;
  const printed: string[] = [];
  const terminal = { isLive: false, remark: (line: string) => printed.push(line) } as unknown as Terminal;
  const work = startWork(terminal, () => clock);
  clock = 1_000;
  work.update("reading", 0.1);
  expect(printed).toEqual([]);
  clock = 10_000;
  work.update("writing", 0);
  clock = 30_000;
  work.update("writing", 0.25);
  expect(printed.at(-1)).toBe("writing: 25.0% · 1:00 left");
});
