// Wrong attempts and their messages: those of the teacher's guide are the ones that learners get, and attempts that a learner might
// type are answered with what is wrong.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hasPassed, runCheck } from "../../course/check.ts";
import { guideFile, renewedGuide } from "../../course/guide.node.ts";
import { loadLesson, sourceOf, titleOfLesson } from "../../course/lessons.node.ts";
import { showReport } from "../../course/report.ts";
import { solutionsOf } from "../../course/source.ts";
import { attempts } from "./attempts.ts";
import { moduleOf } from "./gates.ts";

/** The last digits of computed numbers depend on the build of the kernels. */
const rounded = (text: string): string => text.replaceAll(/\d+\.\d{4,}/g, (number) => Number(number).toFixed(3));

describe("the teacher's guide", () => {
  it("shows the messages that the mistakes trigger now (npm run course:guide renews them)", async () => {
    const guide = readFileSync(guideFile, "utf8");
    expect(rounded(await renewedGuide(guide))).toBe(rounded(guide));
  });
});

/** The region of a lesson in which a mistake is planted. */
const repairIn = (text: string): string => /^\/\/ BEGIN REPAIR\n.*?^\/\/ END REPAIR$/ms.exec(text)?.[0] ?? "";

describe("wrong attempts of a learner", () => {
  for (const [index, own] of attempts.entries()) {
    it(`at lesson ${index + 1} are answered with the counterexample, both values and what to do next`, async () => {
      const number = index + 1;
      const lesson = await loadLesson(number);
      const text = sourceOf(number).replace("\n// BEGIN CHECK\n", "\n");
      for (const [i, { from, to, says }] of own.entries()) {
        const code = [...solutionsOf(text, number).map((solution) => solution.code), repairIn(text)].find((one) =>
          one.includes(from),
        );
        expect(code, from).toBeDefined();
        const mine = await moduleOf(
          `attempt-${number}-${i}`,
          text.replace(code!, () => code!.replace(from, to)),
        );
        const parts = await runCheck(lesson, mine, 1);
        expect(parts.every(hasPassed), from).toBe(false);
        const report = showReport({ lesson: number, title: titleOfLesson(number), parts }).replaceAll(/\s+/g, " ");
        for (const field of ["counterexample", "expected", "received", "replay", "next", says]) {
          expect(report, from).toContain(field);
        }
      }
    });
  }
});
