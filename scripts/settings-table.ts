// Writes docs/settings.md: every setting with its values, its default and its docstring in src/trm/config.ts. Run: npm run docs:settings.
// tests/docs/settings.test.ts fails if the committed page differs, or if a docstring states another default.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseAst } from "vitest/node";
import { solvers } from "../src/trm/fixed-point.ts";
import { parseConfig } from "../src/trm/index.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
export const settingsPath = "docs/settings.md";
const source = "src/trm/config.ts";

export interface Setting {
  readonly name: string;
  /** The type as it is written in the source. */
  readonly type: string;
  /** The docstring on one line. */
  readonly docstring: string;
  /** As JSON; undefined if the setting must be given or may be absent. */
  readonly defaultValue: string | undefined;
}

/** A node of the syntax tree, reduced to what is read here. */
interface Node {
  readonly start: number;
  readonly end: number;
  readonly declaration?: Node | null;
  readonly id?: { readonly name: string } | null;
  readonly body?: { readonly body: readonly Member[] };
}
interface Member extends Node {
  readonly key: { readonly name: string };
  readonly typeAnnotation: { readonly typeAnnotation: Node };
}

/** The settings of an interface of config.ts, in the order of the source. */
export function settingsOf(name: "ModelConfig" | "TrainingConfig"): Setting[] {
  const text = readFileSync(root + source, "utf8");
  const { body } = parseAst(text, { lang: "ts" }) as unknown as { readonly body: readonly Node[] };
  const found = body.find(({ declaration }) => declaration?.id?.name === name)!.declaration!;
  const { model, training } = parseConfig({ vocabularySize: 1, sequenceLength: 1 });
  const given = ["vocabularySize", "sequenceLength"];
  const defaults: Readonly<Record<string, unknown>> = { ...model, ...training };
  return found.body!.body.map(({ start, key, typeAnnotation }) => ({
    name: key.name,
    type: text.slice(typeAnnotation.typeAnnotation.start, typeAnnotation.typeAnnotation.end),
    docstring: docstringBefore(text, start),
    defaultValue: given.includes(key.name) ? undefined : JSON.stringify(defaults[key.name]),
  }));
}

const docstringBefore = (text: string, position: number): string =>
  (/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(text.slice(0, position))?.[1] ?? "")
    .replaceAll(/^\s*\* ?/gm, "")
    .replaceAll(/\s+/g, " ")
    .trim();

/** The page as it is committed. */
export function settingsTable(): string {
  const table = (name: "ModelConfig" | "TrainingConfig"): string[] => [
    "| setting | values | default | meaning |",
    "|---|---|---|---|",
    ...settingsOf(name).map(({ name: setting, type, docstring, defaultValue }) => {
      const solverNames = solvers.map((solver) => JSON.stringify(solver)).join(" | ");
      const values = type.replace(" | undefined", "").replace("(typeof solvers)[number]", solverNames).split(" | ");
      const meaning = docstring
        .replace(/ Default: [^ `]+\.$/, "")
        .replace(/DEVIATION: [^—]+ — /, "[Deviation](paper-to-code.md#deviations) from the paper: ");
      return `| \`${setting}\` | ${values.map(code).join(", ")} | ${defaultValue ? code(defaultValue) : ""} | ${meaning} |`;
    }),
  ];
  return [
    "# All settings",
    "",
    "This page lists the settings of `--set`, of configuration files and of `parseConfig`, with the defaults of `parseConfig`. A preset of",
    "`npx trm train` sets some of them to other values, which `npx trm info RUN --json` shows for a run. [notation.md](notation.md) has the names of the",
    `official code. The page is written by \`npm run docs:settings\` from the docstrings of [config.ts](../${source}).`,
    "",
    "## The model",
    "",
    ...table("ModelConfig"),
    "",
    "## The training",
    "",
    ...table("TrainingConfig"),
    "",
  ].join("\n");
}

const code = (text: string): string => `\`${text}\``;

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(root + settingsPath, settingsTable());
