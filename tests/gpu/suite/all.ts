// The whole gpu suite, in the order it runs in.
import type { Case } from "./case.ts";
import { kernelCases } from "./kernels.ts";
import { memoryCases } from "./memory.ts";
import { operationCases } from "./operations.ts";
import { trainingCases } from "./training.ts";
import { wrongAnswerCases } from "./wrong-answers.ts";

/** The cases; each operation is tried on `examplesEach` examples. */
export const allCases = (examplesEach: number): Case[] => [
  ...wrongAnswerCases,
  ...kernelCases,
  ...operationCases(examplesEach),
  ...memoryCases,
  ...trainingCases,
];
