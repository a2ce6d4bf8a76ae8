// Writes the table of the shipped models in README.md, and the README of every model, from their cards. Run: npm run docs:weights
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Card, cardText, intervalText, percent, readCard } from "./card.ts";

const fromHere = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const heading = "| model | puzzles it was measured on, all unseen | exact accuracy (95% interval) | parameters |\n";

/** The README with the table of the models as their cards have it. */
export function readmeWithTable(readme: string): string {
  const start = readme.indexOf(heading);
  const end = readme.indexOf("\n\n", start);
  if (start < 0) throw new Error("README.md: the table of the shipped models is missing");
  return `${readme.slice(0, start)}${heading}|---|---|---|---|\n${cards().map(row).join("\n")}${readme.slice(end)}`;
}

/** The cards of the shipped models, in the order of their names. */
export function cards(): Card[] {
  return readdirSync(fromHere("weights"))
    .map((name) => fromHere(`weights/${name}/card.json`))
    .filter(existsSync)
    .map(readCard)
    .sort((a, b) => a.name.localeCompare(b.name));
}

function row({ name, parameters, measurements }: Card): string {
  const lines = measurements.map(({ puzzles, count, exact, interval95 }) => {
    const accuracy = `${percent(exact.at(-1)!)} (${intervalText(interval95.at(-1)!)})`;
    return { puzzles: `${count.toLocaleString("en")} ${puzzles.replace(/^unseen /, "")}`, accuracy };
  });
  const column = (key: "puzzles" | "accuracy"): string => lines.map((line) => line[key]).join("<br>");
  const link = `[${name}](weights/${name}/README.md)`;
  return `| ${link} | ${column("puzzles")} | ${column("accuracy")} | ${parameters.toLocaleString("en")} |`;
}

export function writeDocuments(): void {
  const path = fromHere("README.md");
  writeFileSync(path, readmeWithTable(readFileSync(path, "utf8")));
  for (const card of cards()) writeFileSync(fromHere(`weights/${card.name}/README.md`), cardText(card));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeDocuments();
