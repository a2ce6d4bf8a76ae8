// The warning for programs that create tensors in a loop and release none.
import { afterEach, expect, it, vi } from "vitest";
import { scope, tensor, zeros } from "../../src/tensor/index.ts";
import { keep } from "../../src/tensor/scope.ts";
import { Unowned, unownedLimit } from "../../src/tensor/unowned.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

it("tensors in scopes, disposed and kept tensors do not warn; others warn once, with the place", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  for (let i = 0; i < unownedLimit + 10; i++) {
    scope(() => tensor([1, 2]));
    scope(() => zeros([2])).dispose();
    keep(zeros([1]));
    zeros([1]).dispose();
    scope(() => void tensor([3]));
  }
  expect(warn).toHaveBeenCalledTimes(1); // about the first line of the loop: its tensors are never disposed
  expect(warn.mock.calls[0]![0]).toMatch(
    /^trm-ts: 1000 tensors live outside every scope, the latest created at .*unowned\.test\.ts:\d+:\d+\)?; release them/,
  );
});

it("tensors that are disposed or kept do not count as unowned", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const unowned = new Unowned();
  scope(() => {
    for (let i = 0; i < 2 * unownedLimit; i++) {
      const x = zeros([1]);
      unowned.add(x);
      unowned.forget(x);
    }
  });
  expect(warn).not.toHaveBeenCalled();
});

it("unowned tensors do not warn in production", () => {
  vi.stubEnv("NODE_ENV", "production");
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const unowned = new Unowned();
  scope(() => {
    for (let i = 0; i < 2 * unownedLimit; i++) unowned.add(zeros([1]));
  });
  expect(warn).not.toHaveBeenCalled();
});
