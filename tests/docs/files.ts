// The files of the repository as a reader of a clone sees them, for the tests that follow references.
import { readdirSync, readFileSync } from "node:fs";
import { projectRoot } from "../source.ts";

const skippedFolders = new Set(["node_modules", ".git", "dist", "coverage", "generated", "runs"]);

/** Paths from the root of the project, without installed packages and build output. `src/runs` is not a folder of runs. */
export function repositoryFiles(folder = ""): string[] {
  return readdirSync(projectRoot + folder, { withFileTypes: true }).flatMap((entry) => {
    const path = folder + entry.name;
    if (!entry.isDirectory()) return [path];
    const isSkipped = skippedFolders.has(entry.name) && path !== "src/runs" && path !== "tests/runs";
    return isSkipped ? [] : repositoryFiles(`${path}/`);
  });
}

export const readText = (path: string): string => readFileSync(projectRoot + path, "utf8");
