// Every test file runs on a new backend of the kind that TRM_BACKEND names (the default one if that is not set).
import { afterAll } from "vitest";
import { useBackend } from "../src/tensor/index.ts";

const backend = await useBackend();
afterAll(() => backend.dispose());
