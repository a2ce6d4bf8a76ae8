// References between files. A comment or a page that names a file of the repository must name one that exists, and no file may
// name a path of a particular machine.
import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { type SyntaxNode, walkSyntax } from "../source.ts";
import { readText, repositoryFiles } from "./files.ts";

const all = repositoryFiles();
const folders = new Set(all.flatMap((path) => [...ancestors(path)]));
const names = new Set(all.map((path) => posix.basename(path)));

function* ancestors(path: string): Iterable<string> {
  for (let folder = posix.dirname(path); folder !== "."; folder = posix.dirname(folder)) yield folder;
}

/** Files written by a build, an installation or a user, which a clone has only after `npm ci` or a run. */
const isBuilt = (path: string): boolean => /(^|\/)(dist|node_modules|generated|explorer\/models)(\/|$)/.test(path);

const exists = (path: string): boolean => all.includes(path) || folders.has(path.replace(/\/$/, ""));

/** Whether a name in a text means a file here: from the root, from the folder of the text, or the end of a path. */
function isKnown(name: string, from: string): boolean {
  if (!name.includes("/")) return names.has(name);
  const beside = posix.join(posix.dirname(from), name);
  // A command may name the beginning of a path: `vitest run tests/tensor/wasm`.
  const isBeginning = posix.extname(name) === "" && all.some((path) => path.startsWith(name));
  return exists(name) || exists(beside) || isBeginning || all.some((path) => path.endsWith(`/${name}`));
}

const topFolders = "src|tests|bench|scripts|docs|examples|explorer|interop|bin|course";

/** Names of source files and pages, and paths of any file below a folder of the project. Patterns with * and placeholders are left out. */
const fileNames = new RegExp(
  String.raw`(?<![\w*./@{}<>-])(?:(?:\.{0,2}[\w-]+\/|\.{1,2}\/)*[\w][\w.-]*\.(?:ts|mjs|cjs|md)\b(?![\w*/.]\w)|(?:${topFolders})\/[\w./-]*\w\/?)`,
  "g",
);

const namesIn = (text: string): string[] => [...text.matchAll(fileNames)].map(([name]) => name);

/** The comments of a TypeScript, JavaScript or Python file. */
function commentsOf(path: string, text: string): string {
  if (path.endsWith(".py")) return (text.match(/(?:^|\s)#.*$|"""[\s\S]*?"""/gm) ?? []).join("\n");
  const program = path.includes("/assembly/") ? text : withoutStrings(text, path.endsWith(".tsx") ? "tsx" : "ts"); // AssemblyScript is not TypeScript
  return (program.match(/\/\*[\s\S]*?\*\/|\/\/.*$/gm) ?? []).join("\n");
}

/** The text of a program with its string literals, templates and regular expressions removed. */
function withoutStrings(text: string, lang: "ts" | "tsx" = "ts"): string {
  let kept = "";
  let at = 0;
  const cut = ({ type, start, end }: SyntaxNode): void => {
    if (type !== "Literal" && type !== "TemplateElement" && type !== "JSXText") return;
    if (start < at) return;
    kept += text.slice(at, start);
    at = end as number;
  };
  walkSyntax(text, cut, lang);
  return kept + text.slice(at);
}

const isCode = (path: string): boolean =>
  /^(src|tests|bench|scripts|examples|interop|bin|course|explorer)\/.*\.(tsx?|mts|mjs|cjs|py)$/.test(path) &&
  !path.includes("/fixtures/");

const isSource = (path: string): boolean => path.startsWith("src/") && path.endsWith(".ts");

const isPage = (path: string): boolean => path.endsWith(".md");

/** The text outside of fenced blocks, whose programs may write files with any name. */
const prose = (page: string): string => page.replaceAll(/^```[\s\S]*?^```$/gm, "");

/** The files that a text names and that do not exist, as "path: name". */
const unknownNames = (path: string, text: string): string[] =>
  namesIn(text)
    .filter((name) => !isKnown(name, path) && !isBuilt(name))
    .map((name) => `${path}: ${name}`);

/** The anchor that GitHub gives to a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");

const anchorsIn = (page: string): string[] =>
  [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading!));

/** The targets of links and images of a page, but not those on the web. */
const linksIn = (page: string): string[] =>
  [...prose(page).matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g)]
    .map(([, link, attribute]) => (link ?? attribute)!)
    .filter((target) => !/^[a-z]+:/.test(target));

/** The links of a page that lead to no file or to no heading. */
function brokenLinks(path: string, page: string, read = readText): string[] {
  return linksIn(page).filter((link) => {
    const [file, anchor] = link.split("#") as [string, string?];
    const target = file === "" ? path : posix.join(posix.dirname(path), file);
    if (file !== "" && !exists(target)) return true;
    return anchor !== undefined && isPage(target) && !anchorsIn(file === "" ? page : read(target)).includes(anchor);
  });
}

describe("references to files of the repository", () => {
  it("in comments name files that exist", () => {
    const code = all.filter(isCode);
    expect(code.length).toBeGreaterThan(200);
    expect(code.flatMap((path) => unknownNames(path, commentsOf(path, readText(path))))).toEqual([]);
  });

  it("in the prose of pages name files that exist", () => {
    const pages = all.filter(isPage);
    expect(pages.length).toBeGreaterThan(10);
    expect(pages.flatMap((path) => unknownNames(path, prose(readText(path)).replaceAll(/\]\([^)]*\)/g, "]")))).toEqual(
      [],
    );
  });

  it("in links of pages lead to files and headings that exist", () => {
    const broken = all
      .filter(isPage)
      .flatMap((path) => brokenLinks(path, readText(path)).map((link) => `${path}: ${link}`));
    expect(broken).toEqual([]);
  });

  it("in code spans of pages name members that a class has, such as `Carry.refill`", () => {
    const classes = new Map(
      all.filter(isSource).flatMap((path) => {
        const text = readText(path);
        return [...text.matchAll(/^export (?:abstract )?class (\w+)/gm)].map(([, name]) => [name!, text] as const);
      }),
    );
    const spans = all
      .filter((path) => isPage(path) && /^(README|docs\/)/.test(path))
      .flatMap((path) =>
        [...readText(path).matchAll(/`([A-Z]\w+)\.(\w+)/g)].map(([, owner, member]) => ({
          path,
          owner: owner!,
          member: member!,
        })),
      );
    expect(spans.length).toBeGreaterThan(10);
    /** A global, and placeholders in the names of files. */
    const others = ["Math", "FOLDER", "PREFIX_SUBSET_challenges", "PREFIX_SUBSET_solutions"];
    const unknown = spans.filter(({ owner, member }) =>
      classes.has(owner) ? !new RegExp(String.raw`\b${member}\b`).test(classes.get(owner)!) : !others.includes(owner),
    );
    expect(unknown).toEqual([]);
  });

  it("are found in comments, in code spans and with folders", () => {
    const text = "See recursion.ts, src/trm/losts.ts (`docs/images`), ./carry.ts, *.node.ts, a.d.ts and tests/lost.";
    expect(namesIn(text)).toEqual([
      "recursion.ts",
      "src/trm/losts.ts",
      "docs/images",
      "./carry.ts",
      "a.d.ts",
      "tests/lost",
    ]);
    expect(commentsOf("src/a.ts", 'const url = "https://a.md"; // see b.ts\n/* and\n c.ts */')).toBe(
      "// see b.ts\n/* and\n c.ts */",
    );
  });

  it("that are wrong are reported with their place", () => {
    expect(unknownNames("src/trm/a.ts", "see recursion.ts, ../nn/layers.ts, ./lost.ts and src/lost.ts")).toEqual([
      "src/trm/a.ts: ./lost.ts",
      "src/trm/a.ts: src/lost.ts",
    ]);
    expect(brokenLinks("docs/a.md", "# A b\n[here](#a-b) [lost](lost.md) [top](../README.md) [no](#c)")).toEqual([
      "lost.md",
      "#c",
    ]);
  });
});

describe("paths of a particular machine", () => {
  const homes = ["home", "root", "opt", "Users", "work"];
  const machinePath = new RegExp(String.raw`(?<![\w.~/}-])/(?:${homes.join("|")})/[\w.-]`);
  const isText = (path: string): boolean =>
    /\.(ts|mts|mjs|cjs|py|md|json|jsonl|html|svg|yaml|yml|sh)$/.test(path) && !path.endsWith("package-lock.json");

  it("occur in no file of the repository", () => {
    const found = all.filter(isText).flatMap((path) =>
      readText(path)
        .split("\n")
        .flatMap((line, i) => (machinePath.test(line) ? [`${path}:${i + 1}: ${line.trim().slice(0, 120)}`] : [])),
    );
    expect(found).toEqual([]);
  });

  it("are told apart from relative paths and addresses", () => {
    expect(machinePath.test(`cd ${["", homes[1], "project"].join("/")}`)).toBe(true);
    expect(machinePath.test("https://example.org/home/page, ../work/a, src/root/b")).toBe(false);
  });
});
