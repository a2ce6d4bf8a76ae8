// One process at a time writes a run folder. The lock is a file with the process id of its holder, so that it can be told
// from the lock of a process that has died. (A lock kept alive by a timer, as proper-lockfile's, would look dead during a
// training step of many seconds.)
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";

export const lockFile = "lock";

/** Somebody else is writing. */
export class LockError extends Error {
  override name = "LockError";
}

const holderSchema = z.object({ pid: z.number().int().min(1), host: z.string(), started: z.string().nullable() });
type Holder = z.output<typeof holderSchema>;

export interface FolderLock {
  release(): void;
}

/** @throws LockError if a living process holds the lock, or one of another machine, which cannot be asked */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, lockFile);
  const own = JSON.stringify({ pid: process.pid, host: hostname(), started: startOf(process.pid) } satisfies Holder);
  // Twice: once more after a stale lock is gone. Whoever is faster then is the holder.
  for (let attempt = 0; attempt < 2; attempt++) {
    if (tryCreate(path, own)) return { release: () => releaseOwn(path, own) };
    clearIfStale(folder, path);
  }
  throw new LockError(`${folder}: another process has just begun to write this run`);
}

/** Never half-written: the file appears with its contents, or not at all. */
function tryCreate(path: string, text: string): boolean {
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, text);
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    // A file system without hard links: the plain way, whose only weakness is a crash between its two steps.
    return tryCreatePlainly(path, text, error as NodeJS.ErrnoException);
  } finally {
    rmSync(draft, { force: true });
  }
}

function tryCreatePlainly(path: string, text: string, cause: NodeJS.ErrnoException): boolean {
  if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(cause.code ?? "")) throw cause;
  try {
    writeFileSync(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function clearIfStale(folder: string, path: string): void {
  const text = readIfThere(path);
  if (text === undefined) return;
  const holder = parseHolder(text);
  if (holder && holder.host !== hostname()) {
    throw new LockError(
      `${folder}: process ${holder.pid} on ${holder.host} is writing this run (if it is not, delete ${path})`,
    );
  }
  if (holder && isAlive(holder)) throw new LockError(`${folder}: process ${holder.pid} is writing this run`);
  // Moved away, not deleted: if another process took the lock over in the meantime, it gets it back.
  const moved = `${path}.${process.pid}`;
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
    throw error;
  }
}

/** undefined for a file that is no lock of ours (a crash, an old version): nobody holds it. */
function parseHolder(text: string): Holder | undefined {
  try {
    return holderSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false; // else: alive, but another user's
  }
  // The id may have been given to another process since.
  const startNow = startOf(pid);
  return started === null || startNow === null || started === startNow;
}

/** When a process started, in the system's own units; null where the system does not tell (it is not Linux). */
function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the name in parentheses, and may hold anything; the start is field 22.
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}
