// Explains an error in one line to the user of the command line.

/** The command line itself is wrong: exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Errors whose message is complete as it is. */
const selfExplaining = [
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
  EISDIR: "got a folder, expected a file",
  EEXIST: "exists already",
  EMFILE: "too many open files",
  ENAMETOOLONG: "the name is too long",
  EBUSY: "in use by another program",
  EFBIG: "the file would be too large",
  EIO: "input/output error of the disk",
};

/** Explains any error in one line. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, path } = error as NodeJS.ErrnoException;
  const firstLine = error.message.split("\n")[0]!;
  if (selfExplaining.includes(error.name)) return firstLine;
  if (code && code in fileProblems) return path ? `${path}: ${fileProblems[code]}` : fileProblems[code]!;
  if (error instanceof RangeError && /array (buffer|length)|allocation/i.test(error.message)) {
    return `not enough memory for this configuration (${firstLine})`;
  }
  return `internal error: ${firstLine} (TRM_DEBUG=1 shows where)`;
}

export const exitCodeOf = (error: unknown): number => (error instanceof UsageError ? 2 : 1);
