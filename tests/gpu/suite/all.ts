// All cases of the gpu suite, in the order of execution.
import type { Case } from "./case.ts";
import { kernelCases } from "./kernels.ts";
import { memoryCases } from "./memory.ts";
import { operationCases } from "./operations.ts";
import { trainingCases } from "./training.ts";
import { wrongAnswerCases } from "./wrong-answers.ts";

/** @param examplesEach  number of examples per operation */
export const allCases = (examplesEach: number): Case[] => [
  ...wrongAnswerCases,
  ...kernelCases,
  ...operationCases(examplesEach),
  ...memoryCases,
  ...trainingCases,
];
