// Content that is made when the page is built, so that the page needs no library for it: the lines of recursion.ts and variants.ts with
// their syntax classes (Shiki), and formulas as MathML (Temml). Import them from "virtual:written-content".
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createCssVariablesTheme, createHighlighter } from "shiki";
import temml from "temml";
import type { Plugin } from "vite";
import { formulas } from "../shared/formulas.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const moduleName = "virtual:written-content";
const sources = ["src/trm/recursion.ts", "src/trm/variants.ts"];

/** Part of a line: its text and the class of its colour. */
export type CodePiece = readonly [text: string, kind: string];

export interface WrittenContent {
  /** The lines of each source file. */
  readonly code: Readonly<Record<string, readonly (readonly CodePiece[])[]>>;
  /** MathML by the name of the formula. */
  readonly math: Readonly<Record<string, string>>;
}

async function write(): Promise<WrittenContent> {
  const theme = createCssVariablesTheme({ name: "kinds", variablePrefix: "--" });
  const highlighter = await createHighlighter({ themes: [theme], langs: ["typescript"] });
  const code = Object.fromEntries(
    sources.map((file) => {
      const { tokens } = highlighter.codeToTokens(readFileSync(root + file, "utf8"), {
        lang: "typescript",
        theme: "kinds",
      });
      const kindOf = (color = ""): string => /--token-([\w-]+)/.exec(color)?.[1] ?? "";
      return [file, tokens.map((line) => line.map(({ content, color }): CodePiece => [content, kindOf(color)]))];
    }),
  );
  highlighter.dispose();
  const math = Object.fromEntries(
    Object.entries(formulas).map(([name, tex]) => [name, temml.renderToString(tex, { annotate: false })]),
  );
  return { code, math };
}

export function writtenContent(): Plugin {
  let content: Promise<WrittenContent> | null = null;
  return {
    name: "written-content",
    resolveId: (id) => (id === moduleName ? `\0${moduleName}` : null),
    async load(id) {
      if (id !== `\0${moduleName}`) return null;
      content ??= write();
      const { code, math } = await content;
      return `export const code = ${JSON.stringify(code)};\nexport const math = ${JSON.stringify(math)};\n`;
    },
  };
}
