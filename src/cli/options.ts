// Options that several commands share, and parsers of option values. Commander calls a parser with the text after the flag.
import { InvalidArgumentError, Option } from "commander";
import { isSameFile, STANDARD_OUTPUT } from "../formats/index.node.ts";
import { checkpointChoices } from "../runs/index.node.ts";
import { type Backend, backendFromEnvironment, backendNames, useBackend } from "../tensor/index.ts";
import { UsageError } from "./explain.ts";

/** Parses a whole number from `least` to `most`. */
export const wholeNumber =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    const isWhole = /^[+-]?\d+$/.test(text.trim());
    if (!isWhole || !Number.isSafeInteger(value) || value < least || value > most) {
      const isTooLarge = isWhole && value > Number.MAX_SAFE_INTEGER;
      throw new InvalidArgumentError(`Expected a whole number${rangeText(least, most, isTooLarge)}.`);
    }
    return value;
  };

function rangeText(least: number, most: number, isTooLarge: boolean): string {
  if (most < Number.MAX_SAFE_INTEGER) return ` from ${least} to ${most}`;
  if (isTooLarge) return ` of at most ${most}`;
  return least > Number.MIN_SAFE_INTEGER ? ` of ${least} or more` : "";
}

/** A decimal number such as "12", "-.5" and "1e2"; NaN for any other text, also for a number that is too large. */
export function decimal(text: string): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : Number.NaN;
}

export function positiveNumber(text: string): number {
  const value = decimal(text);
  if (!(value > 0)) {
    throw new InvalidArgumentError("Expected a number above 0.");
  }
  return value;
}

/** Parses the path of an output file. */
export function outputFile(path: string): string {
  if (path === "") throw new InvalidArgumentError("Expected the path of a file.");
  return path;
}

/** Parses the path of an output folder. */
export function outputFolder(path: string): string {
  if (path === "") throw new InvalidArgumentError("Expected the path of a folder.");
  if (path === STANDARD_OUTPUT) throw new InvalidArgumentError("Expected a folder; - is the standard output.");
  return path;
}

/** Parses any finite number, also in the forms ".5" and "1e2". */
export function anyNumber(text: string): number {
  const value = decimal(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError("Expected a number.");
  return value;
}

/** Parses any safe integer. */
export const seed = wholeNumber(Number.MIN_SAFE_INTEGER);

/** Parses whole numbers from 1 with commas between them: "1,2,5". */
function wholeNumbers(text: string): number[] {
  return text.split(",").map((part) => wholeNumber(1)(part));
}

/** "--longer-than" for the option longerThan. */
export const flagOf = (option: string): string =>
  `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** @throws UsageError if two options, by name, lead to the same file */
export function expectDifferentFiles(command: string, files: Readonly<Record<string, string>>): void {
  const [[one, first], [other, second]] = Object.entries(files) as [[string, string], [string, string]];
  if (isSameFile(first, second)) {
    throw new UsageError(`${command}: ${flagOf(one)} ${first} and ${flagOf(other)} ${second} name the same file`);
  }
}

/** The values of k for which pass@k is computed. */
export const ksOption = (): Option =>
  new Option("--k <numbers>", "ARC: values of k for the score pass@k, separated by commas").argParser(wholeNumbers);

export const attemptsOption = (): Option =>
  new Option("--attempts <n>", "ARC: grids per test pair in submission.json")
    .argParser(wholeNumber(1, 1000))
    .default(2);

/** "auto": one thread per CPU core, or a single one while the steps of a training are faster with it. */
export type ThreadCount = number | "auto";

export interface ComputeOptions {
  readonly backend?: string;
  readonly threads?: ThreadCount;
}

export const checkpointOption = (): Option =>
  new Option(
    "--checkpoint <which>",
    "checkpoint of the run: best (exact accuracy on the puzzles that were watched during training) or last",
  )
    .choices(checkpointChoices)
    .default("last");

/** The task of a run whose module has been moved, or that names none. */
export const taskModuleOption = (): Option =>
  new Option("--task <file>", "module that defines the task of the run, if it has been moved");

/** Every thread is a worker with its own stack, so thousands of them do not fit into memory. */
const maxThreads = 256;

function threadCount(text: string): ThreadCount {
  if (text === "auto") return text;
  try {
    return wholeNumber(1, maxThreads)(text);
  } catch {
    throw new InvalidArgumentError(`Expected auto or a whole number from 1 to ${maxThreads}.`);
  }
}

export const computeOptions = (): Option[] => [
  new Option(
    "--backend <name>",
    "compute backend; auto measures which is fastest here (default: TRM_BACKEND, else wasm where it runs)",
  ).choices(backendNames),
  new Option(
    "--threads <n>",
    "compute threads of wasm, or auto (the default): one thread per CPU core; a training compares all threads with a single one and uses the faster choice",
  ).argParser(threadCount),
];

/**
 * Makes the chosen backend the default of the process. Because the command line owns its process, it chooses the fastest build
 * of the kernels, which may set an experimental flag of V8.
 *
 * @throws UsageError for several threads with a backend that has one; BackendError if the backend cannot run here
 */
export async function chooseBackend({ backend = backendFromEnvironment(), threads }: ComputeOptions): Promise<Backend> {
  if (typeof threads === "number" && threads > 1 && (backend === "reference" || backend === "gpu")) {
    throw new UsageError(
      `--threads ${threads} with the backend ${backend}: only wasm has several threads, expected --backend wasm or auto`,
    );
  }
  return useBackend(backend, {
    threads: threads === "auto" ? undefined : threads,
    build: "fastest",
    onChoice: (reason) => void process.stderr.write(`backend  ${reason}\n`),
  });
}
