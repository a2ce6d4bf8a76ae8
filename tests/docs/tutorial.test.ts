// The code of docs/tutorial.md runs as printed, block after block; only the number of training steps is smaller. What it prints before the
// training is what the page says. The blocks marked `console` depend on the training: for them the form of the lines is compared.
import { expect, it } from "vitest";
import { codeBlocks } from "../doc-code.ts";
import { runProgram, shortened } from "../run-program.ts";

const page = "docs/tutorial.md";

it("the tutorial runs from the first tensor to a trained and evaluated model, and prints what its page shows", async () => {
  const printed = await runProgram("tutorial", shortened(codeBlocks(page, "ts").join("\n")).replace("% 200", "% 3"));
  const exact = codeBlocks(page, "text").join("");
  expect(printed.slice(0, exact.length)).toBe(exact);

  // Numbers, boards and verdicts differ from run to run.
  const formOf = (text: string): string[] =>
    text
      .replaceAll(/[\d.?]+/g, "#")
      .replaceAll(/(q #%), .*/g, "$1")
      .trim()
      .split("\n");
  const [training, solving, evaluation] = codeBlocks(page, "console").map(formOf);
  const shown = [training![0], ...solving!, ...evaluation!]; // one report of the training instead of five
  expect(formOf(printed.slice(exact.length))).toEqual(shown);
});
