// Every test file runs on a new backend of the kind that TRM_BACKEND names (the default one if that is not set).
import { afterAll, vi } from "vitest";
import { useBackend } from "../src/tensor/index.ts";

const backend = await useBackend();
afterAll(() => {
  backend.dispose();
  // vitest restores them before the next test, which after the last test of a file is one of another file.
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});
