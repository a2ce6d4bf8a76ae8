// Runs the code of docs/adding-an-operation.md as printed and compares its output with the page.
import { rmSync, writeFileSync } from "node:fs";
import { formatWithOptions } from "node:util";
import { expect, it, vi } from "vitest";
import { allOperations } from "../../src/autograd/index.ts";
import { docCode } from "../doc-code.ts";
import { projectRoot } from "../source.ts";

it("the code of docs/adding-an-operation.md prints what the page shows", async () => {
  const { code, output } = docCode("docs/adding-an-operation.md");
  const file = `${projectRoot}tests/adding-an-operation.generated.ts`;
  const printed: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...values) => {
    printed.push(formatWithOptions({ colors: false }, ...values));
  });
  try {
    const here = code
      .replaceAll(/"trm-ts\/(tensor|autograd)"/g, `"${projectRoot}src/$1/index.ts"`)
      .replaceAll('"trm-ts/testing"', `"${projectRoot}src/testing.ts"`);
    writeFileSync(file, here);
    await import(/* @vite-ignore */ file);
  } finally {
    log.mockRestore();
    rmSync(file, { force: true });
  }
  expect(printed.join("\n")).toBe(output);
  expect(allOperations().map(({ name }) => name)).toEqual(expect.arrayContaining(["softsign", "hypotenuse"]));
});
