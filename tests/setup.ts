// Every test file runs on the backend of TRM_BACKEND (the default one if that is not set).
import { useBackend } from "../src/tensor/index.ts";

await useBackend();
