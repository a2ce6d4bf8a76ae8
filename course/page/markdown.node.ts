// Prose and code of a lesson as HTML. Everything is rendered here, at build time: the page itself runs no script.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import MarkdownIt from "markdown-it";
import { createHighlighter, type Highlighter } from "shiki";
import temml from "temml";
import { repository } from "../lessons.node.ts";
import { figures } from "./figures.ts";

export interface Renderer {
  prose(markdown: string): string;
  code(text: string, label: string): string;
}

/** Themes with enough contrast for small text. */
const themes = { light: "github-light-high-contrast", dark: "github-dark-high-contrast" };

export async function createRenderer(): Promise<Renderer> {
  const highlighter = await createHighlighter({ themes: Object.values(themes), langs: ["typescript", "shellscript"] });
  const code = (text: string, label: string): string => highlighted(highlighter, text, label);
  const markdown = new MarkdownIt({ html: false, typographer: false });
  const { escapeHtml } = markdown.utils;
  markdown.renderer.rules.fence = (tokens, index) => {
    const { info, content } = tokens[index]!;
    const kind = info.trim();
    const names = content.trim().split(/\s+/);
    if (kind === "figure") return figure(names[0]!);
    if (kind === "quote") return quotation(names[0]!, names[1]!, code);
    if (kind === "output") return labelled("output", "Output", escapeHtml(content));
    return kind === "ts" ? code(content, "TypeScript") : labelled("plain", "Text", escapeHtml(content));
  };
  // Wide tables scroll by themselves, so that a narrow page does not.
  markdown.renderer.rules.table_open = () => '<div class="wide" role="group" aria-label="Table" tabindex="0"><table>';
  markdown.renderer.rules.table_close = () => "</table></div>";
  markdown.renderer.rules.th_open = () => '<th scope="col">';
  return { prose: (text) => withMath(markdown, text), code };
}

const labelled = (kind: string, label: string, html: string): string =>
  `<pre class="${kind}" tabindex="0" role="group" aria-label="${label}"><code>${html}</code></pre>`;

function highlighted(highlighter: Highlighter, text: string, label: string): string {
  const html = highlighter.codeToHtml(text.trimEnd(), { lang: "typescript", themes, defaultColor: false });
  return html.replace(/<pre [^>]*>/, `<pre class="shiki" tabindex="0" role="group" aria-label="${label}">`);
}

type Markdown = InstanceType<typeof MarkdownIt>;

/** Formulas between dollars become MathML; the text around them is Markdown. Code keeps its dollars. */
function withMath(markdown: Markdown, text: string): string {
  const formulas: string[] = [];
  const keep = (tex: string, isBlock: boolean): string => {
    formulas.push(temml.renderToString(tex, { displayMode: isBlock, throwOnError: true, annotate: false }));
    return `@@formula${formulas.length - 1}@@`;
  };
  const marked = text
    .split(/(^```.*?^```$|`[^`\n]+`)/ms)
    .map((piece, i) =>
      i % 2 === 1
        ? piece
        : piece
            .replaceAll(/\$\$(.+?)\$\$/gs, (_, tex: string) => keep(tex, true))
            .replaceAll(/\$([^$\n]+)\$/g, (_, tex: string) => keep(tex, false)),
    )
    .join("");
  return markdown
    .render(marked)
    .replaceAll(/<p>@@formula(\d+)@@<\/p>/g, (_, i: string) => {
      return `<div class="wide formula" role="group" aria-label="Formula" tabindex="0">${formulas[Number(i)]}</div>`;
    })
    .replaceAll(/@@formula(\d+)@@/g, (_, i: string) => formulas[Number(i)]!);
}

function figure(name: string): string {
  const own = figures[name];
  if (!own) throw new Error(`figure ${name}: not in page/figures.ts`);
  return `<figure><div class="wide" role="group" aria-label="Figure" tabindex="0">${own.svg()}</div><figcaption>${own.caption}</figcaption></figure>`;
}

/** A function of the library's source, closed until the reader opens it. */
function quotation(path: string, name: string, code: Renderer["code"]): string {
  const text = functionIn(path, name);
  return `<details><summary>${name} in ${path}</summary>${code(text, `${name} in ${path}`)}</details>`;
}

/** The text of an exported function with its comment. @throws Error if the file has none of this name */
export function functionIn(path: string, name: string): string {
  const source = readFileSync(join(repository, path), "utf8");
  const found = new RegExp(`^/\\*\\*(?:(?!\\*/).)*\\*/\\nexport function ${name}\\b.*?^\\}$`, "ms").exec(source);
  if (!found) throw new Error(`${path}: no exported function ${name}`);
  return found[0];
}
