// The gates of the lessons that check gradients, or train or evaluate a model. The others are in lessons.test.ts.
import { describe } from "vitest";
import { lessonFiles } from "../../course/lessons.node.ts";
import { describeLesson, slowLessons } from "./gates.ts";

describe("the longer lessons of the course", () => {
  for (const number of lessonFiles.keys()) if (slowLessons.includes(number + 1)) describeLesson(number + 1);
});
