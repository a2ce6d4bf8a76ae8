import { Command } from "commander";
import { afterEach, expect, it, vi } from "vitest";
import { chooseBackend, computeOptions } from "../../src/cli/options.ts";

afterEach(() => vi.unstubAllEnvs());

/** The number of threads that a command line asks for. */
function threadsOf(...line: string[]): unknown {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  for (const option of computeOptions()) command.addOption(option);
  return command.parse(line, { from: "user" }).opts().threads;
}

it("--threads takes a number, or auto, which is the default", () => {
  expect(threadsOf("--threads", "3")).toBe(3);
  expect(threadsOf("--threads", "auto")).toBe("auto");
  expect(threadsOf()).toBeUndefined();
});

it.each(["reference", "gpu"])("several threads are refused for the backend %s", async (backend) => {
  await expect(chooseBackend({ backend, threads: 4 })).rejects.toThrow(
    `--threads 4 with the backend ${backend}: only wasm has several threads, expected --backend wasm or auto`,
  );
  vi.stubEnv("TRM_BACKEND", backend);
  await expect(chooseBackend({ threads: 4 })).rejects.toThrow(`--threads 4 with the backend ${backend}`);
});

it.each(["0", "257", "1.5", "two", "Auto", ""])("--threads refuses %j", (given) => {
  expect(() => threadsOf("--threads", given)).toThrow("Expected auto or a whole number from 1 to 256.");
});
