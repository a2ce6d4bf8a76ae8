// A learner's folder outside the repository, used with its own commands: stubs type-check and fail, solutions pass, an endless loop is
// ended, progress and hand-in work. The pages are built and tested in real Chromium in pages.browser.test.ts.
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HandIn, Marks } from "../../course/hand-in.node.ts";
import { fileOf, lessonFiles, sourceOf } from "../../course/lessons.node.ts";
import { projectRoot } from "../source.ts";

const temporary = mkdtempSync(join(tmpdir(), "trm-course-"));
const folder = join(temporary, "ada's course");
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

const run = (cwd: string, file: string, ...args: string[]) => {
  const { stdout, stderr, status } = spawnSync(process.execPath, [file, ...args], { cwd, encoding: "utf8" });
  return { text: stdout + stderr, status, stdout };
};
const learner = (...args: string[]) => run(folder, "course.mjs", ...args);
const course = (...args: string[]) => run(projectRoot, "node_modules/tsx/dist/cli.mjs", "course/main.node.ts", ...args);

const numbers = lessonFiles.map((_, i) => i + 1);
const solved = (lesson: number): string => sourceOf(lesson).split("\n// BEGIN CHECK\n")[0]!;
const solve = (lesson: number): void => writeFileSync(join(folder, fileOf(lesson)), solved(lesson));

describe("a learner's folder", () => {
  beforeAll(() => {
    expect(course("start", folder, "--seed", "ada").status).toBe(0);
  });

  it("holds the numbered stubs, and its stubs type-check", () => {
    expect(readdirSync(folder).filter((name) => name.endsWith(".ts"))).toEqual([...lessonFiles]);
    const { text, status } = run(folder, `${projectRoot}node_modules/typescript/bin/tsc`, "-p", ".");
    expect(text).toBe("");
    expect(status).toBe(0);
  });

  it("names the exercise to write, and prints its hint, but not yet the solution", () => {
    const { text, status } = learner("check", "1");
    expect(text).toContain("search the file for TODO 1.1");
    expect(status).toBe(1);
    expect(learner("hint", "1").text).toMatch(/^1\.1 {2}\S/);
    expect(learner("hint", "3").text).not.toContain("BEGIN REPAIR");
    solve(3);
    expect(learner("hint", "3").text).toMatch(/^3\.2 {2}npm run program -- 3 .* BEGIN REPAIR/m);
    solve(7); // it runs functions of lessons 5 and 6
    expect(learner("check", "7").text).toMatch(/search the file of lesson [56] for TODO [56]\.1/);
    expect(learner("show", "1").text).toContain("lesson 1 has not passed yet");
    expect(learner("show", "1", "--anyway").text).toContain("// 1.1\n");
  });

  it("names the line of a syntax error, a missing function, and a lesson that does not exist", () => {
    writeFileSync(join(folder, fileOf(1)), "export const x = ;\n");
    expect(learner("check", "1").text).toMatch(/^lesson 1: Unexpected ";" \(01-shapes\.ts, line 1\)/m);
    writeFileSync(join(folder, fileOf(1)), "export const x = 1;\n");
    expect(learner("check", "1").text).toContain("exports no function broadcastShape");
    expect(learner("check", "11").text).toContain("expected a number from 1 to");
  });

  it("ends a check whose loop never ends", () => {
    const endless = solved(1).replace("back >= 1; back--", "back >= 0; back += 0");
    writeFileSync(join(folder, fileOf(1)), endless);
    const { text, status } = learner("check", "1", "--seconds", "2");
    expect(text).toContain("its check was ended after 2 s");
    expect(status).toBe(1);
  });

  it("begins a lesson again and keeps the file that was there", () => {
    expect(learner("reset", "1").text).toContain("01-shapes.ts is new");
    expect(readFileSync(join(folder, fileOf(1)), "utf8")).toContain("TODO 1.1");
    expect(readdirSync(join(folder, "replaced"))).toHaveLength(1);
  });

  it("passes all lessons in order once they are solved, a check at a time", () => {
    for (const lesson of numbers) {
      solve(lesson);
      const { text, status } = learner("check", String(lesson), "--seconds", "100");
      expect(status, text).toBe(0);
    }
    expect(JSON.parse(readFileSync(join(folder, "course.json"), "utf8")).passed).toEqual(numbers);
    expect(learner("show", "1").status).toBe(0);
    expect(learner("program", "1").text).toContain("[2, 3] holds 1 2 3 4 5 6");
  });

  it("runs every command that a lesson tells the learner to measure with, here on two puzzles", () => {
    const commands = numbers.flatMap((lesson) =>
      [...solved(lesson).matchAll(/^ *npm run trm -- (.+)$/gm)].map(([, words]) => words!),
    );
    expect(commands.map((words) => words.split(" ")[0])).toEqual(expect.arrayContaining(["probe", "eval"]));
    for (const words of commands) {
      const given = [...words.split(" "), "--limit", "2", "--json"];
      const { stdout, stderr } = spawnSync("npm", ["run", "--silent", "trm", "--", ...given], {
        cwd: folder,
        encoding: "utf8",
      });
      expect(stdout, `${words}: ${stderr}`).toMatch(/^\{"puzzles":2,/);
    }
  });

  it.skipIf(process.platform === "win32")("finds the command line of this repository as npx trm", () => {
    const { stdout, stderr } = spawnSync("npx", ["--no-install", "trm", "--version"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(stdout.trim(), stderr).toBe(JSON.parse(readFileSync(`${projectRoot}package.json`, "utf8")).version);
  });

  it("reports marks as JSON, and the marks of a file that was handed in are computed again", () => {
    writeFileSync(
      join(folder, fileOf(2)),
      solved(2).replace("slopes: [q.value, p.value]", "slopes: [p.value, q.value]"),
    );
    appendFileSync(join(folder, fileOf(2)), '\nconsole.log("a line of the learner");\n');
    const marks = JSON.parse(learner("check", "2", "--json").stdout) as Marks;
    expect(marks).toMatchObject({ format: "trm-ts course marks", version: 1, name: "ada" });
    expect(marks.lessons[0]!.marks).toBe(2);
    const file = join(folder, "hand-in-ada.json");
    expect(learner("hand-in", "--seconds", "100").status).toBe(0);
    const handIn = JSON.parse(readFileSync(file, "utf8")) as HandIn;
    expect(Object.keys(handIn.files)).toEqual([...lessonFiles]);
    const claimed = { ...handIn.marks, lessons: handIn.marks.lessons.map((one) => ({ ...one, marks: one.of })) };
    writeFileSync(file, JSON.stringify({ ...handIn, marks: claimed }));
    const marked = JSON.parse(course("mark", file, "--json", "--seconds", "100").stdout) as Marks[];
    expect(marked[0]!.lessons).toEqual(handIn.marks.lessons);
    // A damaged file is named, and the other ones are marked.
    const damaged = join(temporary, "damaged.json");
    const nameless = join(temporary, "nameless.json");
    const empty = join(temporary, "empty.json");
    writeFileSync(damaged, "{");
    writeFileSync(nameless, JSON.stringify({ ...handIn, name: 5 }));
    writeFileSync(empty, JSON.stringify({ ...handIn, files: undefined }));
    const both = course("mark", damaged, nameless, empty, file, "--json", "--seconds", "100");
    expect(both.text).toContain(`${nameless}: hand-in: expected a name`);
    expect(both.text).toContain(`${empty}: hand-in: expected a name, and the lessons`);
    expect(both.text).toContain(`${damaged}: `);
    expect([(JSON.parse(both.stdout) as Marks[]).length, both.status]).toEqual([1, 1]);
  });

  it("is renewed by a second start, which keeps the lessons", () => {
    rmSync(join(folder, "course.mjs"));
    rmSync(join(folder, fileOf(1)));
    const link = join(folder, "node_modules/fast-check");
    rmSync(link);
    symlinkSync(join(temporary, "moved"), link); // as after a move of the repository
    const before = readFileSync(join(folder, fileOf(2)), "utf8");
    expect(course("start", folder, "--seed", "bob").status).toBe(0);
    expect(existsSync(join(folder, "course.mjs"))).toBe(true);
    expect(existsSync(link)).toBe(true);
    expect(readFileSync(join(folder, fileOf(2)), "utf8")).toBe(before);
    expect(readFileSync(join(folder, fileOf(1)), "utf8")).toContain("TODO 1.1");
    expect(JSON.parse(readFileSync(join(folder, "course.json"), "utf8")).name).toBe("ada");
  });
});

describe("course start", () => {
  it("refuses a folder with other contents, a folder inside the repository, and a name that is no file name", () => {
    writeFileSync(join(temporary, "note.txt"), "");
    expect(course("start", temporary).text).toContain("not empty");
    expect(course("start", join(projectRoot, "lessons")).text).toContain("inside the repository");
    expect(course("start", join(temporary, "new"), "--seed", "../ada").text).toContain('--seed: got "../ada"');
  });

  it("solves the lessons before the one to begin with", () => {
    const late = join(temporary, "late");
    expect(course("start", late, "--from", "3").status).toBe(0);
    const texts = [1, 2, 3].map((lesson) => readFileSync(join(late, fileOf(lesson)), "utf8"));
    expect(texts.map((text) => text.includes("TODO"))).toEqual([false, false, true]);
    expect(run(late, "course.mjs", "check", "2").status).toBe(0);
  });
});
