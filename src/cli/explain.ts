// Explains an error in one line to the user of the command line.
import { quoted, SYSTEM_ERRORS } from "../formats/index.ts";
import { oneLine } from "./format.ts";

/** The command line itself is wrong: exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";

  /** @param usage  how the command is used, for a second line */
  constructor(
    message: string,
    readonly usage?: string,
  ) {
    super(message);
  }
}

/** Ctrl-C has cancelled the work: exit code 130, as shells use it for SIGINT. */
export class InterruptedError extends Error {
  override name = "InterruptedError";
}

/** Errors whose message is complete as it is. */
const selfExplaining = [
  "UsageError",
  "InterruptedError",
  "PuzzleError",
  "DatasetError",
  "FileError",
  "ConfigError",
  "CheckpointError",
  "BackendError",
  "MemoryError",
  "OccupiedError",
  "LockError",
  "TrainingError",
];

/** Explains any error in one line. */
export const explain = (error: unknown): string => oneLine(explanation(error));

function explanation(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === "string" ? error : quoted(error, 160);
  const { code, path } = error as NodeJS.ErrnoException;
  if (selfExplaining.includes(error.name)) return error.message;
  const firstLine = error.message.split("\n")[0]!;
  const problem = code === undefined ? undefined : SYSTEM_ERRORS[code];
  if (problem !== undefined) return path ? `${path}: ${problem}` : problem;
  if (error instanceof RangeError && /array (buffer|length)|allocation/i.test(error.message)) {
    return `not enough memory for this configuration (${firstLine})`;
  }
  return `internal error: ${firstLine} (TRM_DEBUG=1 shows where)`;
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return 2;
  return error instanceof InterruptedError ? 130 : 1;
}
