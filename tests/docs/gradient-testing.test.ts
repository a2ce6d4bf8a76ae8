// The code of docs/gradient-testing.md runs as printed and prints what the page shows.
import { expect, it } from "vitest";
import { docCode } from "../doc-code.ts";
import { runProgram } from "../run-program.ts";

it("the page about testing gradients prints what it shows", async () => {
  const { code, output } = docCode("docs/gradient-testing.md");
  expect((await runProgram("gradient-testing", code)).trim()).toBe(output);
});
