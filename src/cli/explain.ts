// What went wrong, in one line, for a user of the command line.

/** The command line itself is wrong: exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Mistakes whose message says everything. */
const plain = [
  "UsageError",
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

/** Errors of the file system by code. */
const fileProblems: Record<string, string> = {
  ENOSPC: "no space left on the disk",
  EDQUOT: "the disk quota is used up",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOENT: "no such file or folder",
  ENOTDIR: "a part of the path is a file, expected a folder",
  EISDIR: "a folder, expected a file",
  EEXIST: "exists already",
  EMFILE: "too many open files",
  ENAMETOOLONG: "the name is too long",
  EBUSY: "in use by something else",
  EFBIG: "the file would be too large",
  EIO: "the disk does not answer properly",
};

/** One line for any error. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, path } = error as NodeJS.ErrnoException;
  const firstLine = error.message.split("\n")[0]!;
  if (plain.includes(error.name)) return firstLine;
  if (code && code in fileProblems) return path ? `${path}: ${fileProblems[code]}` : fileProblems[code]!;
  if (error instanceof RangeError && /array (buffer|length)|allocation/i.test(error.message)) {
    return `not enough memory for this configuration (${firstLine})`;
  }
  return `internal error: ${firstLine} (TRM_DEBUG=1 shows where)`;
}

export const exitCodeOf = (error: unknown): number => (error instanceof UsageError ? 2 : 1);
