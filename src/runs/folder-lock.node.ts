// A lock that allows one writing process per run folder. The lock file contains the process id of its holder, so that the lock
// of a dead process is recognised. (A lock that a timer keeps alive, as in proper-lockfile, would expire during a training step
// of many seconds.)
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import * as z from "zod/mini";
import { isRunning, temporaryName, writeFlushed } from "../formats/index.node.ts";
import { FileError } from "../formats/index.ts";

export const lockFile = "lock";

/** Another process is writing to the folder. */
export class LockError extends Error {
  override name = "LockError";
}

const holderSchema = z.object({
  pid: z.number().check(z.int(), z.minimum(1)),
  host: z.string(),
  started: z.nullable(z.string()),
});
type Holder = z.output<typeof holderSchema>;

/** How every lock begins. A crash may leave only a part of it. */
const beginning = '{"pid":';

export interface FolderLock {
  release(): void;
}

/**
 * @param what  what the folder holds, for errors
 * @throws FileError, also for another file named lock; LockError if a living process holds the lock, or a process on another machine,
 *   which cannot be checked
 */
export function lockFolder(folder: string, what = "this run"): FolderLock {
  const path = join(folder, lockFile);
  const own = JSON.stringify({ pid: process.pid, host: hostname(), started: startOf(process.pid) } satisfies Holder);
  // The second attempt follows the removal of a stale lock. Another process may win that race.
  for (let attempt = 0; attempt < 2; attempt++) {
    if (tryCreate(path, own)) return { release: () => releaseOwn(path, own) };
    clearIfStale(folder, path, what);
  }
  throw new LockError(`${folder}: another process has just started to write ${what}`);
}

/** Whether a folder contains the lock of a process, which may have been killed. */
export function isLocked(folder: string): boolean {
  const text = readIfThere(join(folder, lockFile));
  return text !== undefined && isLock(text);
}

/** Whether the text of a file is that of a lock, or the part of it that a crash has left. */
const isLock = (text: string): boolean => text.startsWith(beginning.slice(0, text.length));

/** Creates the lock file together with its contents, through a hard link. Returns false if the file exists. */
function tryCreate(path: string, text: string): boolean {
  const draft = temporaryName(path);
  try {
    writeFlushed(draft, Buffer.from(text));
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    // The file system has no hard links. Exclusive creation is safe except for a crash between creating and writing.
    return tryCreatePlainly(path, text, error as NodeJS.ErrnoException);
  } finally {
    rmSync(draft, { force: true });
  }
}

function tryCreatePlainly(path: string, text: string, cause: NodeJS.ErrnoException): boolean {
  if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(cause.code ?? ""))
    throw cause instanceof FileError ? cause : new FileError(path, "write", cause);
  try {
    writeFileSync(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new FileError(path, "write", error);
  }
}

function clearIfStale(folder: string, path: string, what: string): void {
  const text = readIfThere(path);
  if (text === undefined) return;
  if (!isLock(text)) throw new FileError(path, "write", "not a lock file of trm: move or rename it");
  const holder = parseHolder(text);
  if (holder && holder.host !== hostname()) {
    throw new LockError(
      `${folder}: process ${holder.pid} on ${holder.host} is writing ${what} (if it is not, delete ${path})`,
    );
  }
  if (holder && isAlive(holder)) {
    throw new LockError(
      `${folder}: process ${holder.pid} is writing ${what} (if it writes another one, as after a copy, delete ${path})`,
    );
  }
  // The lock is renamed before it is deleted: if another process has replaced it in the meantime, it is renamed back.
  const moved = temporaryName(path);
  try {
    renameSync(path, moved);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if (readIfThere(moved) !== text) renameSync(moved, path);
  rmSync(moved, { force: true });
}

function releaseOwn(path: string, own: string): void {
  if (readIfThere(path) === own) rmSync(path, { force: true });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new FileError(path, "read", error);
  }
}

/** Returns undefined for contents that are not a valid lock, as after a crash. Such a lock has no holder. */
function parseHolder(text: string): Holder | undefined {
  try {
    return holderSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, started }: Holder): boolean {
  if (!isRunning(pid)) return false;
  // The system may have reused the id for another process.
  const startNow = startOf(pid);
  return started === null || startNow === null || started === startNow;
}

/** Start time of a process, in the units of the system; null where it is not available (anywhere but Linux). */
function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Field 2 is the name in parentheses and may contain spaces; the start time is field 22.
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}
