// Progress of work in parts.
import { expect, it } from "vitest";
import { InterruptedError } from "../../src/cli/explain.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { runCancellable, startWork } from "../../src/cli/work-progress.ts";
import { recordedTerminal } from "./recorded-terminal.ts";

it("the progress of work shows nothing for two seconds, then estimates the time left of the current part only", () => {
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

it("Ctrl-C cancels work at its next progress call, and signals are listened for only meanwhile", async () => {
  const listeners = process.listenerCount("SIGINT");
  let [parts, isCleanedUp] = [0, false];
  const result = runCancellable(recordedTerminal().terminal, async (onProgress) => {
    try {
      for (; parts < 1_000; parts++) {
        await onProgress("working", parts / 1_000);
        if (parts === 2) process.emit("SIGINT");
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
    } finally {
      isCleanedUp = true;
    }
  });
  await expect(result).rejects.toThrow(InterruptedError);
  expect([parts, isCleanedUp, process.listenerCount("SIGINT")]).toEqual([3, true, listeners]);
});

it("work that is not cancelled returns its result", async () => {
  await expect(runCancellable(recordedTerminal().terminal, () => "done")).resolves.toBe("done");
});
