// The package as a user gets it: packed by `npm pack` in a clean copy of the project, and installed into an empty folder. Each test file
// packs its own copy, so that two files do not write the same `dist`.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { projectRoot } from "../source.ts";

export interface Manifest {
  readonly version: string;
  readonly sideEffects: boolean;
  readonly dependencies: Record<string, string>;
  readonly peerDependencies: Record<string, string>;
  /** Null in a condition: the entry does not exist there. */
  readonly exports: Record<string, string | Readonly<Record<string, string | null>>>;
  readonly bin: Record<string, string>;
}

export const manifest = JSON.parse(readFileSync(`${projectRoot}package.json`, "utf8")) as Manifest;

/** Names of the entries with code: ".", "./tensor" and so on. */
export const entries = Object.keys(manifest.exports).filter(
  (name) => !["./package.json", "./weights/*"].includes(name),
);

/** The file of an entry under a condition. @throws Error if there is none */
export function targetOf(entry: string, condition: string): string {
  const target = manifest.exports[entry];
  const file = typeof target === "string" ? target : target?.[condition];
  if (typeof file !== "string") throw new Error(`${entry} has no ${condition}`);
  return file;
}

/** Runs a program. @returns what it prints on the standard output @throws Error with all of its output if it fails */
export function run(
  program: string,
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): string {
  try {
    return execFileSync(program, args, { cwd, encoding: "utf8", stdio: "pipe", env: { ...process.env, ...env } });
  } catch (error) {
    const { message, stdout = "", stderr = "" } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(" ")} failed: ${message}\n${stdout}\n${stderr}`);
  }
}

/** A folder outside the repository in which the packed tarball is installed, beside the runtime dependencies of the package. */
export class UserFolder {
  readonly path = mkdtempSync(join(tmpdir(), "trm-ts-package-"));
  readonly modules = join(this.path, "node_modules");
  readonly unpacked = join(this.modules, "trm-ts");
  readonly tarball = join(this.path, `trm-ts-${manifest.version}.tgz`);

  /** @param script  builds the package before it is packed */
  constructor(script: "prepack" | "prepare" = "prepack") {
    packCleanCopy(this.path, script);
    mkdirSync(this.unpacked, { recursive: true });
    run("tar", ["-xzf", this.tarball, "-C", this.unpacked, "--strip-components", "1"], { cwd: this.path });
    for (const name of Object.keys(manifest.dependencies)) this.link(name);
    writeFileSync(join(this.path, "package.json"), '{ "type": "module", "private": true }\n');
  }

  /** Makes a package of the project visible in the folder. */
  link(name: string, from = `${projectRoot}node_modules`): void {
    const target = join(this.modules, name);
    mkdirSync(dirname(target), { recursive: true });
    if (!existsSync(target)) symlinkSync(join(from, name), target);
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.path, name)), { recursive: true });
    writeFileSync(join(this.path, name), text);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/**
 * Runs `npm pack` after one of its scripts in a copy of the project that has neither `dist` nor compiled kernels, as after `git clone` and
 * `npm ci`. The copy has the files that git tracks or would track, and the installed packages through a link.
 */
function packCleanCopy(destination: string, script: string): void {
  const copy = mkdtempSync(join(tmpdir(), "trm-ts-clean-"));
  try {
    const listed = run("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], { cwd: projectRoot });
    for (const file of listed.split("\0")) {
      // Tests, benchmarks and unfinished runs are not in the package. A file that git tracks may be deleted.
      if (!file || /^(tests|bench|weights\/\w+\/run)\//.test(file) || !existsSync(projectRoot + file)) continue;
      cpSync(projectRoot + file, join(copy, file));
    }
    symlinkSync(`${projectRoot}node_modules`, join(copy, "node_modules"));
    run("npm", ["run", script], { cwd: copy });
    run("npm", ["pack", "--ignore-scripts", "--pack-destination", destination], { cwd: copy });
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
