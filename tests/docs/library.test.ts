// The code of docs/library.md runs as printed; only its folders are replaced and its number of training steps is smaller.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { docCode } from "../doc-code.ts";
import { runProgram, shortened } from "../run-program.ts";

const folder = mkdtempSync(join(tmpdir(), "trm-library-")).replaceAll("\\", "/");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("the programs of docs/library.md print what their comments say", async () => {
  const { code } = docCode("docs/library.md");
  const local = shortened(code).replaceAll("runs/invert", `${folder}/run`).replaceAll("data/invert", `${folder}/data`);
  const said = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
  expect(said).toHaveLength(5);
  expect((await runProgram("library", local)).trim().split("\n")).toEqual(said);
});
