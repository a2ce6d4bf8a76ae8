// The mistakes in the teacher's guide, with the messages that they trigger. The guide is course/teacher.md; the text between its markers
// `<!-- mistakes 5 -->` and `<!-- end -->` is written by this file. Run: npm run course:guide
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { useBackend } from "trm-ts/tensor";
import { hasPassed, runCheck } from "./check.ts";
import { loadLesson } from "./lessons.node.ts";

/** Three planted bugs of every lesson: those that learners are expected to make. */
const chosen: readonly (readonly string[])[] = [
  ["aligned at the left", "the longer length wins", "a repeated axis moves"],
  ["a + a is overwritten", "the diamond in the wrong order", "the slopes of a product are exchanged"],
  ["a property that tests nothing", "only positive numbers", "a tolerance that is too tight"],
  ["the mean over everything", "gate and up exchanged", "the norm before the network"],
  ["x in the update of y", "stale z", "one update too many"],
  ["every cycle on the tape", "recorded, then detached", "the carry undetached"],
  ["the latents not reset", "puzzles in the order in which they are needed", "every step from the beginning"],
  ["the target from the last step", "the formula as it stands", "the minimum holds for the last step only"],
  ["the textbook interval", "the halves exchanged", "the interval alone"],
  ["noise on y", "the same noise in every step", "the last among equals by q"],
];

/** The guide with the mistakes of all lessons renewed. */
export async function renewedGuide(guide: string): Promise<string> {
  let text = guide;
  for (const [index, names] of chosen.entries()) {
    const marker = new RegExp(`(<!-- mistakes ${index + 1} -->\n).*?(<!-- end -->)`, "s");
    if (!marker.test(text)) throw new Error(`teacher.md: no markers for the mistakes of lesson ${index + 1}`);
    const mistakes = await mistakesOf(index + 1, names);
    text = text.replace(marker, (_, begin: string, end: string) => `${begin}${mistakes}\n${end}`);
  }
  return text;
}

async function mistakesOf(number: number, names: readonly string[]): Promise<string> {
  const lesson = await loadLesson(number);
  const texts: string[] = [];
  for (const [i, name] of names.entries()) {
    const bug = lesson.wrong.find((one) => one.name === name);
    if (!bug) throw new Error(`lesson ${number}: no planted bug "${name}"`);
    const parts = await runCheck(lesson, { ...lesson.reference, ...bug.mine }, 1);
    const first = parts.find((part) => !hasPassed(part))!;
    const { counterexample, expected, received, looksLike } = first.failure!;
    const fields = [
      `✗ ${first.name}`,
      indented("counterexample", counterexample),
      indented("expected", expected),
      indented("received", received.replace(/ \(\d\d-[\w-]+\.ts, line \d+\)$/, "")),
      indented("looks like", looksLike ?? ""),
    ];
    texts.push(`${i + 1}. *${name}*\n\n${fence(fields.join("\n"))}`);
  }
  return `\n${texts.join("\n\n")}\n`;
}

const indented = (name: string, value: string): string =>
  value
    .split("\n")
    .map((line, i) => `  ${(i === 0 ? name : "").padEnd(16)}${line}`)
    .join("\n");

const fence = (text: string): string =>
  `\`\`\`text\n${text}\n\`\`\``
    .split("\n")
    .map((line) => `   ${line}`)
    .join("\n");

export const guideFile = new URL("teacher.md", import.meta.url);

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await useBackend("wasm", { threads: 1 });
  writeFileSync(guideFile, await renewedGuide(readFileSync(guideFile, "utf8")));
}
