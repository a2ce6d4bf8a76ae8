// The learner's folder: ten numbered stubs, a package.json whose scripts start the course of this repository, and the progress.
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { fileOf, lessonFiles, loadLesson, repository, sourceOf } from "./lessons.node.ts";
import { hasRepair, plantFor, stubOf } from "./source.ts";

export interface LearnerSettings {
  readonly format: "trm-ts course";
  readonly version: 1;
  /** Chooses the mistakes to find and the random inputs of the checks. */
  readonly name: string;
  /** Numbers of the lessons that passed. */
  readonly passed: readonly number[];
}

const settingsFile = "course.json";

/** @throws Error if the folder is not a learner's folder */
export function readSettings(folder: string): LearnerSettings {
  const path = join(folder, settingsFile);
  if (!existsSync(path))
    throw new Error(`${folder}: no ${settingsFile}, expected a folder made by npm run course -- start`);
  const settings = JSON.parse(readFileSync(path, "utf8")) as LearnerSettings;
  if (settings.format !== "trm-ts course" || settings.version !== 1) {
    throw new Error(`${path}: got ${settings.format} ${settings.version}, expected trm-ts course 1`);
  }
  return settings;
}

const writeJson = (path: string, value: unknown): void => writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);

export function writeSettings(folder: string, settings: LearnerSettings): void {
  const path = join(folder, settingsFile);
  writeJson(`${path}.new`, settings); // a full disk must not cut off the only copy
  renameSync(`${path}.new`, path);
}

/** Records that a lesson passed. */
export function recordPass(folder: string, lesson: number): void {
  const settings = readSettings(folder);
  if (settings.passed.includes(lesson)) return;
  writeSettings(folder, { ...settings, passed: [...settings.passed, lesson].sort((a, b) => a - b) });
}

/** The stub of a lesson for a learner. */
export async function stubFor(lesson: number, name: string): Promise<string> {
  const source = sourceOf(lesson);
  return stubOf(source, lesson, hasRepair(source) ? plantFor((await loadLesson(lesson)).plants, name) : undefined);
}

export interface StartOptions {
  readonly name: string;
  /** Lessons before this one come with their solutions. */
  readonly from: number;
}

/**
 * Creates a learner's folder, or renews everything but the lessons in an existing one.
 *
 * @throws Error if the name cannot be a part of a file name, or the folder has other contents or is inside the repository
 */
export async function startFolder(folder: string, { name, from }: StartOptions): Promise<void> {
  if (!/^[\w.-]{1,40}$/.test(name)) {
    throw new Error(`--seed: got "${name}", expected a name of up to 40 letters, digits, dots, hyphens or underscores`);
  }
  const inside = relative(repository, resolve(folder));
  if (inside === "" || !inside.startsWith("..")) {
    throw new Error(`${folder}: inside the repository, expected a folder outside of it`);
  }
  const isKnown = existsSync(join(folder, settingsFile));
  if (existsSync(folder) && !isKnown && readdirSync(folder).length > 0) {
    throw new Error(`${folder}: not empty, expected a new folder or one made by this command`);
  }
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  if (!isKnown) writeSettings(folder, { format: "trm-ts course", version: 1, name, passed: [] });
  const own = readSettings(folder).name;
  for (const [index, file] of lessonFiles.entries()) {
    const path = join(folder, file);
    if (existsSync(path)) continue;
    const lesson = index + 1;
    writeFileSync(path, lesson < from ? solvedOf(sourceOf(lesson)) : await stubFor(lesson, own));
  }
  cpSync(new URL("lessons/data", import.meta.url), join(folder, "data"), { recursive: true });
  writeFrame(folder);
}

/** A lesson with its solutions, without the part for the checker. */
const solvedOf = (source: string): string =>
  `${source
    .split("\n// BEGIN CHECK\n")[0]!
    .replaceAll(/^\s*\/\/ (BEGIN|END) (SOLUTION|REPAIR).*\n/gm, "")
    .trimEnd()}\n`;

/** The files that lead back to the repository. They hold absolute paths: after a move, `start` writes them anew. */
function writeFrame(folder: string): void {
  const script = (command: string): string => `node course.mjs ${command}`;
  const commands = ["check", "hint", "show", "reset", "program", "hand-in"];
  const trmFile = join(repository, "bin/trm.mjs");
  writeJson(join(folder, "package.json"), {
    name: "trm-course",
    private: true,
    type: "module",
    scripts: {
      ...Object.fromEntries(commands.map((command) => [command, script(command)])),
      trm: `node ${JSON.stringify(trmFile)}`,
      types: `node ${JSON.stringify(join(repository, "node_modules/typescript/bin/tsc"))} -p .`,
    },
  });
  writeJson(join(folder, "tsconfig.json"), {
    extends: join(repository, "tsconfig.json"),
    compilerOptions: {
      noUnusedLocals: false,
      noUnusedParameters: false,
      typeRoots: [join(repository, "node_modules/@types")],
      paths: {
        "trm-ts": [join(repository, "src/index.ts")],
        "trm-ts/node": [join(repository, "src/node.ts")],
        "trm-ts/testing": [join(repository, "src/testing.ts")],
        "trm-ts/*": [join(repository, "src/*/index.ts")],
      },
    },
    include: ["*.ts"],
    exclude: ["node_modules", "replaced"],
  });
  const url = (path: string): string => JSON.stringify(pathToFileURL(join(repository, path)).href);
  writeFileSync(
    join(folder, "course.mjs"),
    `// Starts a command of the course from the repository that made this folder. After moving either, run there:
// npm run course -- start ${JSON.stringify(folder)}
import { register } from ${url("node_modules/tsx/dist/esm/api/index.mjs")};
register();
await import(${url("course/main.node.ts")});
`,
  );
  const link = join(folder, "node_modules/fast-check");
  // After a move of the repository the link leads nowhere.
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) unlinkSync(link);
  if (!existsSync(link)) symlinkSync(join(repository, "node_modules/fast-check"), link, "junction");
  // `trm` ends with commands to try next, as "npx trm ...". Without this link npx would ask the registry for a package named trm.
  // On Windows a symlink needs extra rights; there `npm run trm --` is the way.
  const commandLink = join(folder, "node_modules/.bin/trm");
  if (process.platform !== "win32") {
    mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
    rmSync(commandLink, { force: true });
    symlinkSync(trmFile, commandLink);
  }
}

/** Puts the stub of a lesson in place of the learner's file, which moves to the folder "replaced". Returns its new path. */
export async function resetLesson(folder: string, lesson: number): Promise<string> {
  const file = fileOf(lesson);
  const stub = await stubFor(lesson, readSettings(folder).name); // fails before anything is moved
  const kept = join(folder, "replaced", `${Date.now()}-${file}`);
  mkdirSync(join(folder, "replaced"), { recursive: true });
  if (existsSync(join(folder, file))) renameSync(join(folder, file), kept);
  writeFileSync(join(folder, file), stub);
  return kept;
}
