// The mutation operators: every place of a source file at which one of them applies becomes a mutant.
import { type SourceFile, type SyntaxNode, walkSyntax } from "../source.ts";
import type { Mutant } from "./mutant.ts";

const swappedOperators: Readonly<Record<string, string>> = {
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "**": "*",
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "===": "!==",
  "!==": "===",
  "&&": "||",
  "||": "&&",
  "??": "&&",
};

/** All mutants of a file. @param tests  the tests that should notice them */
export function mutantsOf({ path, text }: SourceFile, tests: readonly string[]): Mutant[] {
  const mutants: Mutant[] = [];
  walkSyntax(text, (node, around) => {
    const isInType = around.some(({ type }) => type.startsWith("TS") && !/^TS(NonNull|As|Satisfies)/.test(type));
    if (isInType || isInErrorMessage(around)) return;
    for (const change of changesOf(node, text)) {
      const line = text.slice(0, change.start).split("\n").length;
      const original = text.slice(change.start, change.end).replace(/\s+/g, " ");
      const name = `${path}:${line} ${short(original)} -> ${short(change.replacement)}`;
      mutants.push({ name, file: path, ...change, tests });
    }
  });
  return mutants;
}

const short = (code: string): string => (code.length > 40 ? `${code.slice(0, 37)}...` : code);

/** Messages of errors are compared by their own tests, word by word, where it matters. */
const isInErrorMessage = (around: readonly SyntaxNode[]): boolean =>
  around.some(({ type }) => type === "ThrowStatement" || type === "TemplateLiteral");

interface Change {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

function changesOf(node: SyntaxNode, text: string): Change[] {
  const { start, end } = node as SyntaxNode & { end: number };
  const child = (name: string) => node[name] as SyntaxNode & { end: number };
  const code = (name: string): string => text.slice(child(name).start, child(name).end);
  switch (node.type) {
    case "BinaryExpression":
    case "LogicalExpression": {
      const swapped = swappedOperators[String(node.operator)];
      if (swapped === undefined) return [];
      return [{ start, end, replacement: `${code("left")} ${swapped} ${code("right")}` }];
    }
    case "UnaryExpression":
      if (node.operator !== "!" && node.operator !== "-") return [];
      return [{ start, end, replacement: code("argument") }];
    case "ConditionalExpression":
      return [{ start, end, replacement: `${code("test")} ? ${code("alternate")} : ${code("consequent")}` }];
    case "IfStatement":
      return [true, false].map((value) => ({ ...child("test"), replacement: String(value) })).map(place);
    case "UpdateExpression":
      return [
        { start, end, replacement: text.slice(start, end).replace(/\+\+|--/, (it) => (it === "++" ? "--" : "++")) },
      ];
    case "ExpressionStatement": // a call for its effect
      return child("expression").type === "CallExpression" ? [{ start, end, replacement: ";" }] : [];
    case "Literal":
      if (typeof node.value === "boolean") return [{ start, end, replacement: String(!node.value) }];
      if (typeof node.value === "number") return [{ start, end, replacement: node.value === 0 ? "1" : "0" }];
      return [];
    default:
      return [];
  }
}

const place = ({ start, end, replacement }: Change): Change => ({ start, end, replacement });
