// docs/exports.md lists all exports as they are, and the exports are few: none is in two entries, and each has a user.
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { entryFiles, exportsOf, exportsPath, exportsTable, type PublicExport } from "../../scripts/exports-table.ts";
import { readText } from "./files.ts";

const all = [...entryFiles()].flatMap(([entry, file]) =>
  [...exportsOf(file).values()].map((each) => ({ entry, ...each })),
);

/** Exports that two entries have, as "a and b: name". */
function twice(exports: readonly (PublicExport & { readonly entry: string })[]): string[] {
  return exports.flatMap(({ name, file, entry }, i) =>
    exports
      .slice(0, i)
      .filter((other) => other.name === name && other.file === file)
      .map((other) => `${other.entry} and ${entry}: ${name}`),
  );
}

/** Texts in which an export can be used. An index only passes exports on, and the page of exports names all of them. */
const texts = ["src", "docs", "examples", "tests", "scripts", "course", "explorer", "bench", "README.md"].flatMap(
  (place) => (place.endsWith(".md") ? [place] : filesIn(place)),
);

function filesIn(folder: string): string[] {
  try {
    return readdirSync(new URL(`../../${folder}`, import.meta.url), { recursive: true, encoding: "utf8" })
      .map((path) => `${folder}/${path}`)
      .filter((path) => /\.(ts|md)$/.test(path) && !/node_modules|generated|\/index(\.node)?\.ts$/.test(path))
      .filter((path) => path !== exportsPath && path !== "src/node.ts");
  } catch {
    return []; // a folder that does not exist yet
  }
}

/** In how many files each word stands. */
const counts = new Map<string, number>();
for (const path of texts) {
  for (const word of new Set(readText(path).match(/\w+/g))) counts.set(word, (counts.get(word) ?? 0) + 1);
}

/** Whether an export is used: a value in another file than its own; a type at least as often as a value of its file. */
function isUsed({ name, kind, file }: PublicExport): boolean {
  const word = name.split(".").at(-1)!;
  if ((counts.get(word) ?? 0) > 1) return true;
  return kind === "type" && readText(file).split(new RegExp(`\\b${word}\\b`)).length > 2;
}

describe("the exports of the package", () => {
  it("are listed on the page as they are (npm run docs:exports writes it)", () => {
    expect(readText(exportsPath)).toBe(exportsTable());
    expect(all.length).toBeGreaterThan(100);
  });

  it("each have a docstring, and an operation an equation", () => {
    expect(all.filter(({ summary }) => summary === "").map(({ entry, name }) => `${entry}: ${name}`)).toEqual([]);
  });

  it("are each in one entry", () => {
    expect(twice(all)).toEqual([]);
    const one = { name: "scope", kind: "function", file: "src/tensor/scope.ts", summary: "" } as const;
    const exported = [
      { ...one, entry: "trm-ts" },
      { ...one, entry: "trm-ts/tensor" },
    ];
    expect(twice(exported)).toEqual(["trm-ts and trm-ts/tensor: scope"]);
  });

  it("are each used by another file, or, if a type, by a value beside it", () => {
    expect(all.filter((each) => !isUsed(each)).map(({ entry, name }) => `${entry}: ${name}`)).toEqual([]);
    expect(isUsed({ name: "noSuchExport", kind: "function", file: "src/node.ts", summary: "" })).toBe(false);
  });
});

describe("the first sentence of a docstring", () => {
  const summary = (name: string): string | undefined => all.find((each) => each.name === name)?.summary;

  it("describes an export on the page, and the equation an operation", () => {
    expect(summary("latentRecursion")).toMatch(/\.$/);
    expect(all.find(({ entry, name }) => entry === "trm-ts/autograd" && name === "multiply")?.summary).toContain(
      "a · b",
    );
  });
});
