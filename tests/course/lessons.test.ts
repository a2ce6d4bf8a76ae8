// The gates of every lesson: its stub fails, its solution passes, every planted bug fails with a message of its own, no hint is empty,
// and its program prints what the text says. Lessons whose gates take longer are in lessons.full.test.ts.
import { describe } from "vitest";
import { lessonFiles } from "../../course/lessons.node.ts";
import { describeLesson, slowLessons } from "./gates.ts";

describe("the lessons of the course", () => {
  for (const number of lessonFiles.keys()) if (!slowLessons.includes(number + 1)) describeLesson(number + 1);
});
