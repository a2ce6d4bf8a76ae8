// Runs the code of docs/adding-a-backend.md as printed, and compares its quotations with the source.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { formatWithOptions } from "node:util";
import { expect, it, vi } from "vitest";
import { ReferenceBackend, setRootBackend } from "../../src/tensor/index.ts";
import { docCode } from "../doc-code.ts";
import { projectRoot } from "../source.ts";

const read = (path: string): string => readFileSync(projectRoot + path, "utf8");

it("the example of adding-a-backend.md prints the output shown there", async () => {
  const { code, output } = docCode("docs/adding-a-backend.md");
  const file = `${projectRoot}tests/adding-a-backend.generated.ts`;
  const printed: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...values) => {
    printed.push(formatWithOptions({ colors: false }, ...values));
  });
  try {
    writeFileSync(file, code.replaceAll('"trm-ts/tensor"', `"${projectRoot}src/tensor/index.ts"`));
    await import(/* @vite-ignore */ file);
  } finally {
    log.mockRestore();
    rmSync(file, { force: true });
    setRootBackend(new ReferenceBackend());
  }
  expect(printed.join("\n")).toBe(output);
});

it("the kernel quoted in adding-a-backend.md is the one in the source", () => {
  const quoted = read("docs/adding-a-backend.md")
    .match(/^ {4}export function siluGate.*?^ {4}\}$/ms)![0]
    .replaceAll(/^ {4}/gm, "");
  expect(read("src/tensor/backends/gpu/kernels/rows.ts")).toContain(quoted);
});

it("every file that adding-a-backend.md links to exists", () => {
  const links = [...read("docs/adding-a-backend.md").matchAll(/\]\(\.\.\/([^)]+)\)/g)].map((match) => match[1]!);
  expect(links.length).toBeGreaterThan(10);
  for (const link of links) expect(() => read(link), link).not.toThrow();
});
