// The files of the repository as a reader of a clone sees them, for the tests that follow references.
import { readdirSync, readFileSync } from "node:fs";
import { projectRoot } from "../source.ts";

const topFolders = new Set([
  "bench",
  "bin",
  "course",
  "docs",
  "examples",
  "explorer",
  "interop",
  "scripts",
  "src",
  "tests",
  "weights",
]);
const builtFolders = new Set(["node_modules", "dist", "generated"]);

/** Folders of models that a user has added to the explorer. */
const addedFolders = new Set(["explorer/models"]);

/** Programs that other tests write, run and remove while these tests read the repository; git ignores them. */
const isTemporary = (name: string): boolean => /\.generated\.\w+$/.test(name);

/** Paths from the root of the project, without installed packages, build output, temporary programs and folders that a user has added. */
export function repositoryFiles(folder = ""): string[] {
  return readdirSync(projectRoot + folder, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory()) return isTemporary(entry.name) ? [] : [folder + entry.name];
    const isOurs = folder === "" ? topFolders.has(entry.name) : !builtFolders.has(entry.name);
    return isOurs && !addedFolders.has(folder + entry.name) && !entry.name.startsWith(".")
      ? repositoryFiles(`${folder}${entry.name}/`)
      : [];
  });
}

export const readText = (path: string): string => readFileSync(projectRoot + path, "utf8");
