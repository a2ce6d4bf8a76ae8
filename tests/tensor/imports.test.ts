// The imports between the files of src/tensor form no circle, except the types that src/tensor/backend.ts explains.
import { posix } from "node:path";
import { expect, it } from "vitest";
import { sourceFiles, walkSyntax } from "../source.ts";

/** The files of src/tensor, each with the files that it imports (types included). */
const imports = new Map(
  sourceFiles()
    .filter(({ path }) => path.startsWith("src/tensor/"))
    .map(({ path, text }): [string, string[]] => {
      const found: string[] = [];
      walkSyntax(text, (node) => {
        const from = (node.source as { value?: unknown } | null | undefined)?.value;
        if (typeof from === "string") found.push(posix.join(posix.dirname(path), from));
      });
      return [path, found];
    }),
);

/** The files that can be reached from `start` over one import or more. */
function reachable(start: string): Set<string> {
  const seen = new Set<string>();
  const waiting = [start];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    for (const next of imports.get(file) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      waiting.push(next);
    }
  }
  return seen;
}

it("only backend.ts, scope.ts, storage.ts and tensor.ts import one another", () => {
  const inCircle = [...imports.keys()].filter((file) => reachable(file).has(file)).sort();
  expect(inCircle).toEqual(["backend", "scope", "storage", "tensor"].map((name) => `src/tensor/${name}.ts`));
});
