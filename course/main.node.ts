// The command of the course. In the repository: npm run course -- start DIR, build, mark. In a learner's folder: npm run check -- N,
// hint, show, reset, program, hand-in.
import { mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { hasPassed } from "./check.ts";
import { type HandIn, handInOf, marksOf, showMarks, writeHandIn } from "./hand-in.node.ts";
import { readSettings, recordPass, resetLesson, startFolder } from "./learner-folder.node.ts";
import { fileOf, lessonFiles, sourceOf } from "./lessons.node.ts";
import { type LessonReport, showReport } from "./report.ts";
import { checkLesson } from "./run-check.node.ts";
import { hash, hasRepair, solutionsOf } from "./source.ts";

/** The longest time of a check in seconds. */
const longest = 10;

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** A lesson of the command line. @throws InvalidArgumentError */
function lessonNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= lessonFiles.length) return number;
  throw new InvalidArgumentError(`expected a number from 1 to ${lessonFiles.length}`);
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number)) return number;
  throw new InvalidArgumentError("expected a whole number");
}

interface CheckOptions {
  readonly folder: string;
  readonly replay?: number;
  readonly seconds: number;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** Checks one lesson and records it if it passes. */
async function check(lesson: number, { folder, replay, seconds, json }: CheckOptions): Promise<LessonReport> {
  const seed = replay ?? hash(readSettings(folder).name) >>> 1;
  const report = await checkLesson({ lesson, folder, seed }, seconds);
  if (report.parts.every(hasPassed)) recordPass(folder, lesson);
  if (!json) print(showReport(report));
  return report;
}

/** Checks a lesson whenever its file changes. Runs until it is interrupted. */
async function watchLesson(lesson: number, options: CheckOptions): Promise<void> {
  const again = (): Promise<unknown> =>
    check(lesson, options)
      .catch((error: Error) => print(error.message))
      .then(() => print(`\nWatching ${fileOf(lesson)}; save it to check again, Ctrl-C ends.`));
  let running = again();
  let isDue = false;
  watch(resolve(options.folder), (_, file) => {
    if (file !== fileOf(lesson) || isDue) return;
    isDue = true;
    // Editors write a file in several steps.
    setTimeout(() => {
      running = running.then(() => {
        isDue = false;
        return again();
      });
    }, 100);
  });
}

const program = new Command("course")
  .description("A course on recursive reasoning in ten lessons")
  .showHelpAfterError("(add --help for the options)");

program
  .command("start")
  .argument("<dir>", "a new folder outside the repository, or one that this command made")
  .option("--seed <name>", "a name that chooses the mistakes to find and the inputs of the checks", "anyone")
  .option("--from <lesson>", "lessons before this one come with their solutions", lessonNumber, 1)
  .description("create a folder with the stubs of the lessons")
  .action(async (dir: string, { seed, from }: { seed: string; from: number }) => {
    await startFolder(dir, { name: seed, from });
    print(`Ten lessons are in ${resolve(dir)}. Go there, read ${fileOf(from)}, and check it with`);
    print(`  npm run check -- ${from} --watch`);
    print("The same text as pages: npm run course:build in the repository, then open course/dist/index.html.");
  });

program
  .command("check")
  .argument("<lesson>", "number of the lesson", lessonNumber)
  .option("--watch", "check again whenever the file is saved")
  .option("--replay <seed>", "seed of the random inputs, as a failure prints it", wholeNumber)
  .option("--seconds <count>", "time after which a check is ended", wholeNumber, longest)
  .option("--json", "print marks as JSON")
  .option("--folder <dir>", "the learner's folder", ".")
  .description("check a lesson")
  .action(async (lesson: number, options: CheckOptions) => {
    if (options.watch) return watchLesson(lesson, options);
    const report = await check(lesson, options);
    const { name } = readSettings(options.folder);
    if (options.json) print(JSON.stringify(marksOf(name, [report]), null, 2));
    if (!report.parts.every(hasPassed)) process.exitCode = 1;
  });

program
  .command("hint")
  .argument("<lesson>", "number of the lesson", lessonNumber)
  .option("--folder <dir>", "the learner's folder", ".")
  .description("print a hint for the next exercise that is not written yet")
  .action((lesson: number, { folder }: { folder: string }) => {
    const text = readFileSync(join(folder, fileOf(lesson)), "utf8");
    const solutions = solutionsOf(sourceOf(lesson), lesson);
    const open = solutions.filter(({ number }) => text.includes(`"TODO ${number}"`)).slice(0, 1);
    for (const { number, hint } of open.length > 0 ? open : solutions) print(`${number}  ${hint}`);
    if (open.length === 0 && hasRepair(sourceOf(lesson))) {
      print(
        `${lesson}.${solutions.length + 1}  npm run program -- ${lesson} prints a counterexample. Compute every term of the formula for it by hand, and compare the terms with the lines between BEGIN REPAIR and END REPAIR.`,
      );
    }
  });

program
  .command("show")
  .argument("<lesson>", "number of the lesson", lessonNumber)
  .option("--anyway", "also before the lesson has passed")
  .option("--folder <dir>", "the learner's folder", ".")
  .description("print the solution")
  .action((lesson: number, { anyway, folder }: { anyway?: boolean; folder: string }) => {
    if (!anyway && !readSettings(folder).passed.includes(lesson)) {
      throw new Error(
        `lesson ${lesson} has not passed yet. npm run hint -- ${lesson} helps; add --anyway to see the solution`,
      );
    }
    for (const { number, code } of solutionsOf(sourceOf(lesson), lesson)) print(`// ${number}\n${code}\n`);
  });

program
  .command("reset")
  .argument("<lesson>", "number of the lesson", lessonNumber)
  .option("--folder <dir>", "the learner's folder", ".")
  .description("begin a lesson again; the file so far is kept in the folder replaced")
  .action(async (lesson: number, { folder }: { folder: string }) => {
    const kept = await resetLesson(folder, lesson);
    print(`${fileOf(lesson)} is new; your file is now ${kept}`);
  });

program
  .command("program")
  .argument("<lesson>", "number of the lesson", lessonNumber)
  .option("--folder <dir>", "the learner's folder", ".")
  .description("run the program of a lesson with your functions")
  .action(async (lesson: number, { folder }: { folder: string }) => {
    readSettings(folder); // fails outside a learner's folder
    const { runProgram } = await import("./run-program.node.ts");
    process.exitCode = await runProgram(folder, lesson);
  });

program
  .command("hand-in")
  .option("--folder <dir>", "the learner's folder", ".")
  .option("--out <file>", "where to write it. Default: hand-in-NAME.json")
  .option("--seconds <count>", "time after which a check is ended", wholeNumber, longest)
  .description("write all lessons, the seeds and the marks to one file")
  .action(async ({ folder, out, seconds }: { folder: string; out?: string; seconds: number }) => {
    const handIn = await handInOf(folder, seconds);
    const path = out ?? join(folder, `hand-in-${handIn.name}.json`);
    writeFileSync(path, `${JSON.stringify(handIn, null, 2)}\n`);
    print(showMarks([handIn.marks]));
    print(`Hand in ${path}`);
  });

program
  .command("mark")
  .argument("<files...>", "files that learners handed in")
  .option("--json", "print marks as JSON")
  .option("--seconds <count>", "time after which a check is ended", wholeNumber, longest)
  .description("check handed-in files again and print their marks")
  .action(async (files: string[], { json, seconds }: { json?: boolean; seconds: number }) => {
    const all = [];
    for (const file of files) {
      const folder = mkdtempSync(join(tmpdir(), "trm-course-mark-"));
      try {
        await writeHandIn(folder, JSON.parse(readFileSync(file, "utf8")) as HandIn);
        all.push((await handInOf(folder, seconds)).marks);
      } catch (error) {
        process.stderr.write(`${file}: ${error instanceof Error ? error.message : String(error)}\n`);
        process.exitCode = 1;
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
    print(json ? JSON.stringify(all, null, 2) : showMarks(all));
  });

program
  .command("build")
  .option("--out <dir>", "folder of the pages", join(import.meta.dirname, "dist"))
  .option("--explorer <url>", "address of the explorer that the pages link to", "../explorer/")
  .description("build the lessons as static pages")
  .action(async ({ out, explorer }: { out: string; explorer: string }) => {
    const { buildPages } = await import("./page/build.node.ts");
    const count = await buildPages(out, explorer);
    print(`${count} pages are in ${out}; open index.html in a browser.`);
  });

await program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
