// Builds the static pages of the course: one per lesson, and an index. They need no server and no script.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { explorerAddress, explorerLinks } from "../explorer-links.ts";
import { fileOf, lessonFiles, loadLesson, sourceOf } from "../lessons.node.ts";
import { blocksOf, stubOf, titleOf } from "../source.ts";
import { createRenderer, type Renderer } from "./markdown.node.ts";

/** The file name of a lesson's page. */
const pageOf = (lesson: number): string => fileOf(lesson).replace(/\.ts$/, ".html");

/**
 * Writes all pages to a folder. Returns their number.
 *
 * @param explorer  address of the explorer, from the pages
 */
export async function buildPages(folder: string, explorer: string): Promise<number> {
  const renderer = await createRenderer();
  mkdirSync(folder, { recursive: true });
  const lessons = await Promise.all(
    lessonFiles.map(async (_, index) => {
      const lesson = index + 1;
      const source = sourceOf(lesson);
      return { lesson, source, title: titleOf(source), minutes: (await loadLesson(lesson)).minutes };
    }),
  );
  for (const { lesson, source, title, minutes } of lessons) {
    const body = [
      navigation(lesson, "top"),
      lessonBody(renderer, lesson, source, minutes),
      links(lesson, explorer),
      navigation(lesson, "bottom"),
    ];
    writeFileSync(join(folder, pageOf(lesson)), page(`${lesson}. ${title}`, body.join("\n")));
  }
  const items = lessons.map(
    ({ lesson, title, minutes }) =>
      `<li><a href="${pageOf(lesson)}">${title}</a> <span class="about">about ${minutes} minutes</span></li>`,
  );
  writeFileSync(join(folder, "index.html"), page("A course on recursive reasoning", indexBody(items.join("\n"))));
  copyFileSync(new URL("style.css", import.meta.url), join(folder, "style.css"));
  return lessons.length + 1;
}

function lessonBody(renderer: Renderer, lesson: number, source: string, minutes: number): string {
  const about = `<p class="about">About ${minutes} minutes (an estimate). File: <code>${fileOf(lesson)}</code>, check: <code>npm run check -- ${lesson}</code></p>`;
  // What is to be repaired differs from learner to learner, and the right code would be the answer.
  const stub = stubOf(source, lesson).replace(
    /^\/\/ BEGIN REPAIR\n.*?^\/\/ END REPAIR$/ms,
    "// The code to repair stands here in your file. It is not the same for every learner.",
  );
  return blocksOf(stub)
    .map(({ kind, text }) =>
      kind === "prose" ? renderer.prose(text) : renderer.code(text, "TypeScript of the lesson"),
    )
    .join("\n")
    .replace("</h1>", `</h1>\n${about}`);
}

const navigation = (lesson: number, place: string): string => {
  const link = (number: number, text: string): string =>
    lessonFiles[number - 1] ? `<a href="${pageOf(number)}">${text}</a>` : "<span></span>";
  return `<nav aria-label="Lessons, ${place}">${link(lesson - 1, `← Lesson ${lesson - 1}`)}<a href="index.html">All lessons</a>${link(lesson + 1, `Lesson ${lesson + 1} →`)}</nav>`;
};

function links(lesson: number, explorer: string): string {
  const own = explorerLinks.filter((link) => link.lesson === lesson);
  if (own.length === 0) return "";
  const items = own.map((link) => `<a href="${escapeQuotes(explorerAddress(link, explorer))}">${link.text}</a>`);
  return `<p>See it in the recursion explorer: ${items.join(", ")}.</p>`;
}

const escapeQuotes = (address: string): string => address.replaceAll("&", "&amp;").replaceAll('"', "&quot;");

const indexBody = (items: string): string => `<h1>A course on recursive reasoning</h1>
<p>Ten lessons lead from numbers with shapes to a model that improves its own answer, on an engine that you can read to the last line. You write
the parts that matter yourself; a checker tells you what is wrong on the smallest example it can find.</p>
<ol class="lessons">
${items}
</ol>
<h2>Start</h2>
<p>In a clone of the repository, after <code>npm ci</code>:</p>
<pre class="plain" tabindex="0" role="group" aria-label="Commands"><code>npm run course -- start ../my-course --seed ada
cd ../my-course
npm run check -- 1 --watch</code></pre>
<p><code>npm run hint -- 1</code> prints a hint, <code>npm run program -- 1</code> runs the lesson's program, <code>npm run show -- 1</code> prints the
solution once the lesson has passed, and <code>npm run reset -- 1</code> begins again. The times are estimates.</p>`;

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="style.css">
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
