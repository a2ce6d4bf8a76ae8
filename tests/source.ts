// Access to the project's own source for tests: its files, their syntax trees, and a walk over a tree.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseAst } from "vitest/node";

export interface SourceFile {
  /** From the project's root, "src/tensor/shape.ts". */
  readonly path: string;
  readonly text: string;
}

export const projectRoot = fileURLToPath(new URL("..", import.meta.url));

/** Every file of src that belongs to the package's TypeScript (assembly/ is AssemblyScript). */
export const sourceFiles = (): SourceFile[] =>
  readdirSync(`${projectRoot}src`, { recursive: true, encoding: "utf8" })
    .map((path) => `src/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".ts") && !path.includes("/assembly/"))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(projectRoot + path, "utf8") }));

export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly [field: string]: unknown;
}

const trees = new Map<string, SyntaxNode>();

function treeOf(text: string, lang: "ts" | "tsx"): SyntaxNode {
  const tree = trees.get(text) ?? (parseAst(text, { lang }) as unknown as SyntaxNode);
  trees.set(text, tree);
  return tree;
}

/** Calls `visit` with every node of a TypeScript text and the nodes around it, innermost first. */
export function walkSyntax(
  text: string,
  visit: (node: SyntaxNode, around: readonly SyntaxNode[]) => void,
  lang: "ts" | "tsx" = "ts",
): void {
  const step = (node: SyntaxNode, around: readonly SyntaxNode[]): void => {
    visit(node, around);
    const inside = [node, ...around];
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value]) {
        if (typeof child?.type === "string") step(child as SyntaxNode, inside);
      }
    }
  };
  step(treeOf(text, lang), []);
}

/** "src/tensor/shape.ts:12" */
export const placeOf = ({ path, text }: SourceFile, node: SyntaxNode): string =>
  `${path}:${text.slice(0, node.start).split("\n").length}`;
