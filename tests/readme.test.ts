// The README's example runs as printed: only the package's name becomes a path, and its thousand steps become three.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";

const root = join(import.meta.dirname, "..");

it("the twenty lines of the README train and evaluate a model", async () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const code = readme.match(/<!-- executed by tests\/readme.test.ts -->\n```ts\n([\s\S]*?)```/)?.[1];
  expect(code).toBeDefined();
  const short = code!
    .replace('"trm-ts"', '"../src/index.ts"')
    .replace("step <= 1000", "step <= 3")
    .replace("step % 100", "step % 3");
  expect(short).not.toBe(code);
  const file = join(root, "tests", "readme-example.generated.ts");
  writeFileSync(file, short);
  const said = vi.spyOn(console, "log").mockImplementation(() => {});
  try {
    await import(file);
    expect(said.mock.calls.flat().join("\n")).toMatch(
      /step 3: loss [\d.]+\nsolved after 1 supervision step: [\d.]+, after 8: [\d.]+/,
    );
  } finally {
    said.mockRestore();
    rmSync(file);
  }
});
