// Requests to stop. (tests/e2e/interruptions.full.test.ts sends real signals and closes real terminals.)
import { afterEach, describe, expect, it, vi } from "vitest";
import { isReaderGone, listenForStop } from "../../src/cli/stop-request.ts";

afterEach(() => vi.useRealTimers());

describe("a request to stop", () => {
  it.each(["EPIPE", "EIO", "ENOSPC"])("follows from a standard output that fails with %s, once", async (code) => {
    const onRequest = vi.fn();
    const stop = listenForStop(onRequest);
    try {
      expect(await stop.check()).toBe(false);
      for (let i = 0; i < 2; i++) process.stdout.emit("error", Object.assign(new Error(code), { code }));
      expect(await stop.check()).toBe(true);
      expect(onRequest).toHaveBeenCalledTimes(1);
    } finally {
      stop.release();
    }
  });

  it("restores the default handling of signals after a second, so that the next Ctrl-C ends the process", () => {
    vi.useFakeTimers();
    const before = process.listenerCount("SIGINT");
    const stop = listenForStop(() => {});
    try {
      expect(process.listenerCount("SIGINT")).toBe(before + 1);
      stop.request();
      vi.advanceTimersByTime(900);
      expect(process.listenerCount("SIGINT")).toBe(before + 1); // npm may pass the same Ctrl-C on
      vi.advanceTimersByTime(200);
      expect(process.listenerCount("SIGINT")).toBe(before);
    } finally {
      stop.release();
    }
  });

  it("leaves no listener behind when it is released", () => {
    const listeners = (): number => process.listenerCount("SIGINT") + process.stdout.listenerCount("error");
    const before = listeners();
    listenForStop(() => {}).release();
    expect(listeners()).toBe(before);
  });
});

it.each([
  ["EPIPE", false, true],
  ["EIO", true, true],
  ["EIO", false, false],
  ["ENOSPC", false, false],
] as const)("the error %s on a terminal (%s) means that the reader is gone: %s", (code, isTTY, expected) => {
  expect(isReaderGone(Object.assign(new Error(code), { code }), { isTTY })).toBe(expected);
});
