// Options that several commands share, and the checks of their values. Commander calls a parser with the text after the flag.
import { InvalidArgumentError, Option } from "commander";
import { type Backend, backendNames, useBackend } from "../tensor/index.ts";

/** A whole number of at least `least`. */
export const wholeNumber =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text.trim()) || !Number.isSafeInteger(value) || value < least) {
      const limit = least > Number.MIN_SAFE_INTEGER ? ` of ${least} or more` : "";
      throw new InvalidArgumentError(`Expected a whole number${limit}.`);
    }
    return value;
  };

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError("Expected a number above 0.");
  }
  return value;
}

/** Any safe integer. */
export const seed = wholeNumber(Number.MIN_SAFE_INTEGER);

/** "1,2,5": whole numbers from 1. */
function wholeNumbers(text: string): number[] {
  return text.split(",").map((part) => wholeNumber(1)(part));
}

/** How many candidates per puzzle count for pass@k. */
export const ksOption = (): Option =>
  new Option("--k <numbers>", "k of pass@k, with commas between").argParser(wholeNumbers);

export const attemptsOption = (): Option =>
  new Option("--attempts <n>", "grids per test pair in submission.json").argParser(wholeNumber(1)).default(2);

export interface ComputeOptions {
  readonly backend?: string;
  readonly threads?: number;
}

export const computeOptions = (): Option[] => [
  new Option(
    "--backend <name>",
    "what computes; auto tries which is fastest here (default: TRM_BACKEND, else wasm where it runs)",
  ).choices(backendNames),
  new Option("--threads <n>", "threads that compute (default: all)").argParser(wholeNumber(1)),
];

/**
 * The chosen backend, made that of all tensors. The process is ours, so it may be the fastest build of the kernels, with an
 * experimental flag of V8.
 *
 * @throws BackendError for one that cannot run here
 */
export const chooseBackend = ({ backend, threads }: ComputeOptions): Promise<Backend> =>
  useBackend(backend, {
    threads,
    build: "fastest",
    onChoice: (reason) => void process.stderr.write(`backend  ${reason}\n`),
  });
