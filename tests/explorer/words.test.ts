// The texts of the page: a noun behind a number has the form that the number needs.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { counted, isOrAre } from "../../explorer/shared/words.ts";
import { projectRoot } from "../source.ts";

describe("a count with its noun", () => {
  it("is singular for 1 alone", () => {
    const texts = [0, 1, 2, 1200].map((count) => `${counted(count, "cell")} ${isOrAre(count)} wrong`);
    expect(texts).toEqual(["0 cells are wrong", "1 cell is wrong", "2 cells are wrong", "1,200 cells are wrong"]);
  });
});

const nouns =
  "cells|cycles|files|models|numbers|operations|parameters|puzzles|rollouts|steps|supervision steps|threads|tries|updates|training steps";
/** A plural, or a verb, that stands behind a number of the code whatever the number is. */
const fixedForm = new RegExp(`[^=]\\}(?:</b>)?(?:\\{" "\\}|\\s)+(?:(?:${nouns})\\b(?!=|\\.\\w)|(?:are|come)\\s)`, "g");
const fixedForms = (text: string): string[] => text.match(fixedForm) ?? [];

describe("the source of the page", () => {
  it("has no plural behind a number that may be 1", () => {
    const folder = `${projectRoot}explorer/`;
    const found = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((path) => /^(page|shared|worker)\/.*\.tsx?$/.test(path))
      .flatMap((path) => fixedForms(readFileSync(folder + path, "utf8")).map((text) => `${path}: ${text}`));
    expect(found).toEqual([]);
  });

  it("would be found with such a plural", () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text
    expect(fixedForms("`${wrong} cells are wrong`")).toHaveLength(1);
    expect(fixedForms("<b>{lost.length}</b> are wrong")).toHaveLength(1);
    expect(fixedForms('of {count}{" "}\n  puzzles')).toHaveLength(1);
    expect(fixedForms('{counted(wrong, "cell")} {isOrAre(wrong)} wrong')).toEqual([]);
  });
});
