// Writes docs/exports.md: every export of the package with the first sentence of its docstring. Run: npm run docs:exports.
// tests/docs/exports.test.ts fails if the committed page differs, if an export has no docstring, or if something is exported twice.
import { readFileSync, writeFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAst } from "vitest/node";

const root = fileURLToPath(new URL("..", import.meta.url));
export const exportsPath = "docs/exports.md";

export interface PublicExport {
  readonly name: string;
  readonly kind: "function" | "class" | "constant" | "type";
  /** The file that declares it, "src/trm/model.ts". */
  readonly file: string;
  /** The first sentence of the docstring; empty if there is none. */
  readonly summary: string;
}

/** The entries of package.json with their source files: "trm-ts/tensor" to "src/tensor/index.ts". */
export function entryFiles(): Map<string, string> {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
    exports: Record<string, string | { default: string }>;
  };
  return new Map(
    Object.entries(exports).flatMap(([name, target]) =>
      typeof target === "string"
        ? []
        : [[posix.join("trm-ts", name), target.default.replace("./dist/", "src/").replace(/\.js$/, ".ts")]],
    ),
  );
}

/** A node of the syntax tree, reduced to what is read here. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly kind?: string;
  readonly source?: { readonly value: string } | null;
  readonly declaration?: Node | null;
  readonly declarations?: readonly { readonly id: Name; readonly init: Initializer | null }[];
  readonly id?: { readonly name: string } | null;
  readonly specifiers?: readonly { readonly local: Name; readonly exported: Name }[];
  readonly exported?: Name | null;
}
interface Name {
  readonly name: string;
}
interface Initializer {
  readonly type: string;
  readonly callee?: Name;
  readonly arguments?: readonly { readonly properties?: readonly Property[] }[];
}
interface Property {
  readonly key?: Name;
  readonly value: { readonly value?: string };
}

const modules = new Map<string, ReadonlyMap<string, PublicExport>>();

/** The exports of a file by name, including those that it passes on; those of a namespace as `namespace.name`. @throws Error */
export function exportsOf(file: string): ReadonlyMap<string, PublicExport> {
  const known = modules.get(file);
  if (known) return known;
  const found = new Map<string, PublicExport>();
  modules.set(file, found);
  const text = readFileSync(root + file, "utf8");
  const { body } = parseAst(text, { lang: "ts" }) as unknown as { readonly body: readonly Node[] };
  for (const node of body) {
    const from =
      node.type.startsWith("Export") && node.source
        ? exportsOf(posix.join(posix.dirname(file), node.source.value))
        : null;
    if (node.type === "ExportAllDeclaration") {
      const prefix = node.exported ? `${node.exported.name}.` : "";
      for (const [name, each] of from!) found.set(prefix + name, { ...each, name: prefix + name });
    } else if (node.type === "ExportNamedDeclaration" && node.declaration) {
      const documented = summaryBefore(text, node.start);
      for (const { name, kind, equation } of declared(node.declaration)) {
        // Of the overloads of a function, the first has the docstring. An operation is documented by its equation.
        if (!found.has(name)) found.set(name, { name, kind, file, summary: documented || equation });
      }
    } else if (node.type === "ExportNamedDeclaration" && from) {
      for (const { local, exported } of node.specifiers!) {
        const each = from.get(local.name);
        if (!each) throw new Error(`${file}: exports ${local.name}, which ${node.source!.value} does not`);
        found.set(exported.name, { ...each, name: exported.name });
      }
    }
  }
  return found;
}

interface Declared extends Pick<PublicExport, "name" | "kind"> {
  /** Of an operation; else empty. */
  readonly equation: string;
}

function declared(node: Node): Declared[] {
  const one = (kind: PublicExport["kind"]): Declared[] => [{ name: node.id!.name, kind, equation: "" }];
  switch (node.type) {
    case "FunctionDeclaration":
    case "TSDeclareFunction":
      return one("function");
    case "ClassDeclaration":
      return one("class");
    case "VariableDeclaration":
      return node.declarations!.map(({ id, init }) => ({ name: id.name, ...constant(init) }));
    default: // interfaces and type aliases
      return one("type");
  }
}

/** A constant is a function if it is an arrow function or an operation. */
function constant(init: Initializer | null): Pick<Declared, "kind" | "equation"> {
  if (init?.type === "ArrowFunctionExpression") return { kind: "function", equation: "" };
  if (init?.callee?.name !== "defineOperation") return { kind: "constant", equation: "" };
  const equation = init.arguments?.[0]?.properties?.find(({ key }) => key?.name === "equation")?.value.value ?? "";
  return { kind: "function", equation };
}

/** The first sentence of the docstring that ends before a position, on one line. */
function summaryBefore(text: string, position: number): string {
  const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(text.slice(0, position))?.[1] ?? "";
  const prose = comment.replaceAll(/^\s*\* ?/gm, "").trim();
  const paragraph = prose
    .split(/\n\s*\n|\n?\s*@(?:throws|param|returns)\b/)[0]!
    .replaceAll(/\s+/g, " ")
    .trim();
  // A sentence ends with a period before a capital letter; "e.g. x" and "0.5" do not end one.
  return /^.*?[.!?](?= [A-Z`"]|$)/.exec(paragraph)?.[0] ?? paragraph;
}

/** The page as it is committed. */
export function exportsTable(): string {
  const parts = [...entryFiles()].map(([entry, file]) => {
    const rows = [...exportsOf(file).values()]
      .toSorted((a, b) => a.name.toLowerCase().localeCompare(b.name.toLowerCase(), "en"))
      .map(({ name, kind, file: declaredIn, summary }) => {
        const cell = summary.replaceAll("|", "\\|");
        return `| [${name}](../${declaredIn}) | ${kind} | ${cell} |`;
      });
    return [`## ${entry}`, "", "| export | kind | what it is |", "|---|---|---|", ...rows, ""].join("\n");
  });
  const count = [...entryFiles().values()].reduce((sum, file) => sum + exportsOf(file).size, 0);
  return [
    "# All exports",
    "",
    `This page lists the ${count} exports of the package by entry. Nothing is exported by two entries. The page is written by`,
    "`npm run docs:exports` from the docstrings. `npm run docs:api` writes a reference with all parameters, fields and methods.",
    "",
    ...parts,
  ].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(root + exportsPath, exportsTable());
