// A request to stop, however it comes. (Signals, and the terminal itself: tests/e2e/interruptions.full.test.ts.)
import { describe, expect, it } from "vitest";
import { listenForStop } from "../../src/cli/stop-request.ts";

/** How often a stop is asked for when writing to stdout fails twice. */
async function requestsAfter(code: string, isTTY: boolean): Promise<number> {
  const before = process.stdout.isTTY;
  process.stdout.isTTY = isTTY;
  let requests = 0;
  const stop = listenForStop(() => requests++);
  try {
    expect(await stop.check()).toBe(false);
    for (let i = 0; i < 2; i++) process.stdout.emit("error", Object.assign(new Error(code), { code }));
    expect(await stop.check()).toBe(requests > 0);
    return requests;
  } finally {
    stop.release();
    process.stdout.isTTY = before;
  }
}

describe("a stdout that cannot be written any more", () => {
  it.each([
    ["EPIPE", false, 1, "a closed pipe"],
    ["EIO", true, 1, "a closed terminal"],
    ["EIO", false, 0, "a broken disk under a file, which must not look like a wish to stop"],
  ] as const)("%s, terminal: %s, asks for a stop %i times: %s", async (code, isTTY, times, _why) => {
    expect(await requestsAfter(code, isTTY)).toBe(times);
  });
});
