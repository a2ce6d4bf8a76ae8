// A request to stop, however it comes. (Signals, and the terminal itself: tests/e2e/interruptions.full.test.ts.)
import { describe, expect, it } from "vitest";
import { listenForStop } from "../../src/cli/stop-request.ts";

const failWith = (code: string) => process.stdout.emit("error", Object.assign(new Error(code), { code }));

describe("a stream that cannot be written any more", () => {
  it.each(["EPIPE", "EIO"])("asks for a stop, once: %s (a closed pipe, a closed terminal)", async (code) => {
    let requests = 0;
    const stop = listenForStop(() => requests++);
    try {
      expect(await stop.check()).toBe(false);
      failWith(code);
      failWith(code);
      expect(await stop.check()).toBe(true);
      expect(requests).toBe(1);
    } finally {
      stop.release();
    }
  });
});
