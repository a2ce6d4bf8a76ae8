// The rules of docs/architecture.md, enforced on the source: imports lead down only, the core runs in a page, there is no `any`, every
// file says what it is for, and every deviation from the paper is listed.
//
// Deviations. In the source a comment says `DEVIATION: <short name> — why`, with name and dash on one line. In docs/paper-to-code.md the
// first table under a heading that contains the word "Deviations" has one row `| <short name> | ...` for each, with or without backticks
// around the name. The two lists must be equal.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { placeOf, projectRoot, type SourceFile, type SyntaxNode, sourceFiles, walkSyntax } from "./source.ts";

const files = sourceFiles();
const file = (path: string, text: string): SourceFile => ({ path, text });

interface Import {
  readonly from: string;
  readonly isDynamic: boolean;
  /** `import type`, which leaves no trace in the JavaScript. */
  readonly isType: boolean;
  readonly place: string;
}

function importsOf(source: SourceFile): Import[] {
  const found: Import[] = [];
  const collect = (node: SyntaxNode): void => {
    if (!/^(Import|ExportNamed|ExportAll)Declaration$|^ImportExpression$|^TSImportType$/.test(node.type)) return;
    const from = (node.source as { value?: unknown } | null)?.value;
    if (typeof from === "string") {
      found.push({
        from,
        isDynamic: node.type === "ImportExpression",
        isType: node.importKind === "type" || node.exportKind === "type" || node.type === "TSImportType",
        place: placeOf(source, node),
      });
    }
  };
  walkSyntax(source.text, collect, source.path.endsWith(".tsx") ? "tsx" : "ts");
  return found;
}

const isRelative = (from: string): boolean => from.startsWith(".");
const resolved = (source: SourceFile, from: string): string => posix.join(posix.dirname(source.path), from);

// --- Imports go down ---------------------------------------------------------------------------------------------------

/** The folders of src that each folder may import. src/formats and src/tensor are on the ground. */
const mayImport: Record<string, readonly string[]> = {
  formats: [],
  tensor: [],
  autograd: ["tensor"],
  nn: ["tensor", "autograd"],
  trm: ["tensor", "autograd", "nn"],
  puzzles: ["formats", "tensor", "autograd", "nn", "trm"],
  runs: ["formats", "tensor", "autograd", "nn", "trm", "puzzles"],
  cli: ["formats", "tensor", "autograd", "nn", "trm", "puzzles", "runs"],
};

/** The entries of the package stand above the folders that they open. */
const entries: Record<string, readonly string[]> = {
  "src/index.ts": ["formats", "tensor", "autograd", "nn", "trm", "puzzles", "runs"],
  "src/node.ts": ["puzzles", "runs"],
  "src/testing.ts": ["tensor", "autograd"],
};

const folderOf = (path: string): string => path.split("/")[1]!;
const isDoor = (path: string): boolean => /^src\/[^/]+\/index(\.node)?\.ts$/.test(path);

/** Imports of another folder that the table does not allow, or that bypass its index (index.ts or index.node.ts). */
function forbiddenImports(sources: readonly SourceFile[]): string[] {
  return sources.flatMap((source) =>
    importsOf(source)
      .filter(({ from }) => isRelative(from))
      .map(({ from, place }) => ({ from, place, target: resolved(source, from) }))
      .filter(({ target }) => {
        const opened = entries[source.path];
        if (opened) return !opened.includes(folderOf(target));
        const folder = folderOf(source.path);
        if (folderOf(target) === folder) return false;
        return !mayImport[folder]?.includes(folderOf(target)) || !isDoor(target);
      })
      .map(({ from, place }) => `${place} imports ${from}`),
  );
}

describe("the folders of src", () => {
  it("import downwards only, and only through the index of another folder", () => {
    const unknown = files
      .map(({ path }) => path)
      .filter((path) => !(folderOf(path) in mayImport) && !(path in entries));
    expect(unknown).toEqual([]);
    expect(forbiddenImports(files)).toEqual([]);
  });

  it("would fail the check for an upward, a sideways and a deep import, types included", () => {
    const forbidden = [
      file("src/tensor/a.ts", 'import { Variable } from "../autograd/index.ts";'),
      file("src/tensor/a/b.ts", 'import type { Variable } from "../../autograd/index.ts";'),
      file("src/tensor/b.ts", 'import { quoted } from "../formats/index.ts";'),
      file("src/formats/a.ts", 'import { Tensor } from "../tensor/index.ts";'),
      file("src/autograd/a.ts", 'export * from "../nn/index.ts";'),
      file("src/nn/a.ts", 'export { x } from "../trm/index.ts";'),
      file("src/trm/a.ts", 'const cli = await import("../cli/main.ts");'),
      file("src/trm/b.ts", 'import "../index.ts";'),
      file("src/trm/c.ts", 'import { parseNpy } from "../formats/index.ts";'),
      file("src/puzzles/a.ts", 'import { packCheckpoint } from "../runs/index.ts";'),
      file("src/runs/a.ts", 'import { Adam } from "../nn/optimizers.ts";'),
      file("src/autograd/b.ts", 'let x: import("../nn/index.ts").Module;'),
    ];
    for (const source of forbidden) expect(forbiddenImports([source]), source.text).toHaveLength(1);
    const allowed = [
      file("src/trm/a.ts", 'import { x } from "../nn/index.ts"; import { y } from "./b.ts";'),
      file("src/runs/a.node.ts", 'import { readBytes } from "../formats/index.node.ts";'),
    ];
    expect(forbiddenImports(allowed)).toEqual([]);
  });

  it("each open their index with three lines: what lives here, where to start, what it may import", () => {
    const doors = files.filter(({ path }) => isDoor(path) && folderOf(path) !== "cli");
    expect(doors.length).toBeGreaterThanOrEqual(Object.keys(mayImport).length - 1);
    const lines = [/^\/\/ What lives here: /, /^\/\/ Where to start: /, /^\/\/ May import: /];
    const closed = doors.filter(({ text }) => !lines.every((line, i) => line.test(text.split("\n")[i]!)));
    expect(closed.map(({ path }) => path)).toEqual([]);
  });
});

// --- The core runs in a page --------------------------------------------------------------------------------------------

/** Packages that run in a browser unchanged. Before you add one, check its documentation. */
const portablePackages = [
  "csv-parse/browser/esm/sync",
  "fastest-levenshtein",
  "fflate",
  "gpu.js",
  "pure-rand",
  "yaml",
  "zod",
];

const isPortablePackage = (from: string): boolean =>
  portablePackages.some((name) => from === name || from.startsWith(`${name}/`));

const mayUseNode = (path: string): boolean =>
  path.startsWith("src/cli/") || path === "src/node.ts" || path.endsWith(".node.ts");

/** Whether importing a *.node.ts file imports Node's modules. A file that loads them when it runs can be imported anywhere. */
function loadsNode(sources: readonly SourceFile[], path: string): boolean {
  const source = sources.find((one) => one.path === path);
  return (
    !source ||
    importsOf(source).some(
      ({ from, isDynamic, isType }) =>
        !isDynamic &&
        !isType &&
        (isRelative(from)
          ? from.endsWith(".node.ts") && loadsNode(sources, resolved(source, from))
          : !isPortablePackage(from)),
    )
  );
}

/** Everything that would fail in a page: Node's modules, packages not known to run there, files that import them, Node's globals. */
function nodeUses(sources: readonly SourceFile[]): string[] {
  return sources
    .filter(({ path }) => !mayUseNode(path) && path !== "src/testing.ts")
    .flatMap((source) => {
      const imported = importsOf(source)
        .filter(({ from, isDynamic }) =>
          isRelative(from)
            ? from.endsWith(".node.ts") && !isDynamic && loadsNode(sources, resolved(source, from))
            : !isPortablePackage(from),
        )
        .map(({ from, place }) => `${place} imports ${from}`);
      const globals: string[] = [];
      // `const { process } = globalThis` is undefined in a page; after it, `process` is an ordinary name.
      const declaresProcess = /const \{ process \} = globalThis\b/.test(source.text);
      walkSyntax(source.text, (node, [parent]) => {
        const isName =
          node.type === "Identifier" && /^(process|Buffer|require|__dirname|__filename)$/.test(`${node.name}`);
        const isProperty = parent?.property === node || parent?.key === node;
        const isDeclared = node.name === "process" && declaresProcess;
        if (isName && !isProperty && !isDeclared) globals.push(`${placeOf(source, node)} uses ${node.name}`);
      });
      return [...imported, ...globals];
    });
}

describe("Node's modules and globals", () => {
  it("are used only by src/cli, src/node.ts and files named *.node.ts", () => expect(nodeUses(files)).toEqual([]));

  it("are found in imports, dynamic imports, imported files and global names", () => {
    const at = (text: string, path = "src/trm/a.ts"): string[] => nodeUses([file(path, text)]);
    expect(at('import { readFileSync } from "node:fs";')).toEqual(["src/trm/a.ts:1 imports node:fs"]);
    expect(at('import { readFileSync } from "fs";')).toHaveLength(1);
    expect(at('const { Worker } = await import("node:worker_threads");')).toHaveLength(1);
    expect(at('import { Command } from "commander";')).toHaveLength(1);
    expect(at('import { parse } from "csv-parse/sync";')).toHaveLength(1);
    expect(at('import { save } from "./files.node.ts";')).toHaveLength(1);
    const portable = file("src/trm/a.ts", 'import { save } from "./files.node.ts";');
    const loading = file("src/trm/files.node.ts", 'import { writeFileSync } from "node:fs";');
    const fetching = file(
      "src/trm/files.node.ts",
      'import type { Stats } from "node:fs";\nprocess.getBuiltinModule("fs");',
    );
    expect(nodeUses([portable, loading])).toEqual(["src/trm/a.ts:1 imports ./files.node.ts"]);
    expect(nodeUses([portable, fetching])).toEqual([]);
    expect(at("const home = process.env.HOME;")).toEqual(["src/trm/a.ts:1 uses process"]);
    expect(at("const home = globalThis.process?.env;")).toEqual([]);
    expect(at("const { process } = globalThis;\nconst home = process?.env;")).toEqual([]);
    expect(at('const files = await import("./files.node.ts");')).toEqual([]);
    expect(at('import { readFileSync } from "node:fs";', "src/cli/main.ts")).toEqual([]);
    expect(at('import { readFileSync } from "node:fs";', "src/trm/a.node.ts")).toEqual([]);
  });
});

describe("test libraries", () => {
  const testLibraries = /^(fast-check|vitest|@vitest\/.*|publint|tsx|node:test|node:assert.*)$/;
  const uses = (sources: readonly SourceFile[]): string[] =>
    sources.flatMap((source) =>
      importsOf(source)
        .filter(({ from }) => testLibraries.test(from))
        .map(({ from }) => `${source.path} imports ${from}`),
    );

  it("are imported only by src/testing.ts, which no file of src imports", () => {
    expect(uses(files)).toEqual(["src/testing.ts imports fast-check"]);
    const importers = files.filter((source) =>
      importsOf(source).some(({ from }) => isRelative(from) && resolved(source, from) === "src/testing.ts"),
    );
    expect(importers.map(({ path }) => path)).toEqual([]);
  });

  it("are found in the import lines of a file", () => {
    expect(uses([file("src/nn/a.ts", 'import { expect } from "vitest";')])).toHaveLength(1);
  });
});

// --- The course --------------------------------------------------------------------------------------------------------

const courseFiles: readonly SourceFile[] = readdirSync(`${projectRoot}course`, { recursive: true, encoding: "utf8" })
  .map((path) => `course/${path.replaceAll("\\", "/")}`)
  .filter((path) => path.endsWith(".ts") && !path.includes("/dist/") && !path.includes(".generated."))
  .toSorted()
  .map((path) => ({ path, text: readFileSync(projectRoot + path, "utf8") }));

describe("the course", () => {
  /** The entries of the package, and what learners use beside them. */
  const isPublic = (from: string): boolean =>
    /^trm-ts(\/(tensor|autograd|nn|testing|node))?$|^fast-check$|^node:url$/.test(from);
  const ofTheCommand = /^(node:.*|commander|picocolors|markdown-it|shiki|temml)$/;

  /** Imports of the library's inside, and of Node or of the command's libraries by a lesson. */
  const forbidden = (sources: readonly SourceFile[]): string[] =>
    sources.flatMap((source) =>
      importsOf(source)
        .filter(({ from }) => {
          if (isRelative(from)) return !resolved(source, from).startsWith("course/");
          return !isPublic(from) && (source.path.startsWith("course/lessons/") || !ofTheCommand.test(from));
        })
        .map(({ from, place }) => `${place} imports ${from}`),
    );

  it("imports only the public package", () => {
    expect(courseFiles.length).toBeGreaterThan(10);
    expect(forbidden(courseFiles)).toEqual([]);
  });

  it("would fail the check for an import of the source, of a folder that is not public, and of Node by a lesson", () => {
    const found = [
      'import { gradients } from "../../src/autograd/index.ts";',
      'import { parseNpy } from "trm-ts/formats";',
      'import { readFileSync } from "node:fs";',
      'import MarkdownIt from "markdown-it";',
    ].flatMap((text) => forbidden([file("course/lessons/a.ts", text)]));
    expect(found).toHaveLength(4);
    expect(forbidden([file("course/a.node.ts", 'import { readFileSync } from "node:fs";')])).toEqual([]);
    expect(forbidden([file("course/lessons/b.ts", 'import { part } from "../lesson.ts";')])).toEqual([]);
  });
});

// --- The explorer --------------------------------------------------------------------------------------------------------

const explorerFiles: readonly SourceFile[] = readdirSync(`${projectRoot}explorer`, {
  recursive: true,
  encoding: "utf8",
})
  .map((path) => `explorer/${path.replaceAll("\\", "/")}`)
  .filter((path) => /\.tsx?$/.test(path) && !/\/(dist|generated|models)\//.test(path))
  .toSorted()
  .map((path) => ({ path, text: readFileSync(projectRoot + path, "utf8") }));

describe("the explorer", () => {
  const isPublic = (from: string): boolean => /^trm-ts(\/(tensor|autograd|nn|formats))?$/.test(from);
  const ofThePage = /^(preact(\/hooks)?|@preact\/signals|uplot(\/dist\/uPlot.min.css)?|virtual:written-content)$/;
  const ofTheBuild = /^(node:.*|vite|shiki|temml)$/;

  /**
   * Imports of the library's inside; of Node or of a build library outside explorer/build; and of the library itself by the page,
   * which may import its types alone: the workers compute. Only the interval of a share is computed where it is drawn.
   */
  const forbidden = (sources: readonly SourceFile[]): string[] =>
    sources.flatMap((source) => {
      const isBuild = source.path.startsWith("explorer/build/") || source.path === "explorer/vite.config.ts";
      const computes = source.path.startsWith("explorer/worker/") || source.path === "explorer/shared/shares.ts";
      return importsOf(source)
        .filter(({ from, isType }) => {
          if (isRelative(from)) return !resolved(source, from).startsWith("explorer/");
          if (isPublic(from)) return !isType && !isBuild && !computes;
          return !(isBuild ? ofTheBuild : ofThePage).test(from);
        })
        .map(({ from, place }) => `${place} imports ${from}`);
    });

  it("imports only the public package, and the page only its types", () => {
    expect(explorerFiles.length).toBeGreaterThan(20);
    expect(forbidden(explorerFiles)).toEqual([]);
  });

  it("would fail the check for an import of the source, of Node by a page, and of computing code by a page", () => {
    const found = [
      'import { trace } from "../../src/index.ts";',
      'import { readFileSync } from "node:fs";',
      'import { trace } from "trm-ts";',
      'import { codeToHtml } from "shiki";',
    ].flatMap((text) => forbidden([file("explorer/page/a.tsx", text)]));
    expect(found).toHaveLength(4);
    expect(forbidden([file("explorer/page/a.tsx", 'import type { Trace } from "trm-ts";')])).toEqual([]);
    expect(forbidden([file("explorer/worker/a.ts", 'import { trace } from "trm-ts";')])).toEqual([]);
    expect(forbidden([file("explorer/worker/a.ts", 'import { x } from "../../src/trm/trace.ts";')])).toHaveLength(1);
  });

  it("begins every file with a comment that says what it is for", () =>
    expect(explorerFiles.filter(({ text }) => !/^(\/\/ \S|\/\*\*?\s+\S)/.test(text)).map(({ path }) => path)).toEqual(
      [],
    ));
});

// --- Form ------------------------------------------------------------------------------------------------------------

describe("every file of src", () => {
  const anysIn = (source: SourceFile): string[] => {
    const found: string[] = [];
    walkSyntax(source.text, (node) => {
      if (node.type === "TSAnyKeyword") found.push(placeOf(source, node));
    });
    return found;
  };
  const hasHeader = ({ text }: SourceFile): boolean => /^(#!.*\n)?(\/\/ \S|\/\*\*?\s+\S)/.test(text);

  it("has no type any", () => expect(files.flatMap(anysIn)).toEqual([]));

  it("begins with a comment that says what it is for", () =>
    expect(files.filter((one) => !hasHeader(one)).map(({ path }) => path)).toEqual([]));

  it("fails the checks above with a type any, or with a comment that is empty or comes late", () => {
    expect(anysIn(file("src/a.ts", "// any is fine here\nlet x: any[] = y as any;"))).toEqual([
      "src/a.ts:2",
      "src/a.ts:2",
    ]);
    expect([hasHeader(file("src/a.ts", 'import "x";\n// late')), hasHeader(file("src/a.ts", "//\ncode"))]).toEqual([
      false,
      false,
    ]);
  });
});

// --- Deviations ----------------------------------------------------------------------------------------------------------

/** The short name of every mark. @throws Error with the place of a mark that has no name */
function marksIn(sources: readonly SourceFile[]): string[] {
  return sources.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, i) => {
      if (!line.includes("DEVIATION")) return [];
      const name = /DEVIATION: (.+?) — \S/.exec(line)?.[1];
      if (!name) throw new Error(`${path}:${i + 1}: got "${line.trim()}", expected "DEVIATION: <short name> — why"`);
      return [name];
    }),
  );
}

/** First column of the first table under the heading "... Deviations ...". */
function rowsIn(markdown: string): string[] {
  const lines = markdown.split("\n");
  const heading = lines.findIndex((line) => /^#+ .*\bdeviations\b/i.test(line));
  if (heading < 0) return [];
  const rest = lines.slice(heading + 1);
  const start = rest.findIndex((line) => line.startsWith("|"));
  const table = start < 0 ? [] : rest.slice(start);
  const end = table.findIndex((line) => !line.startsWith("|"));
  return table
    .slice(2, end < 0 ? undefined : end) // after the head and the line of dashes
    .map((row) => row.split("|")[1]!.trim().replaceAll("`", ""));
}

describe("deviations from the paper and the official code", () => {
  const doc = `${projectRoot}docs/paper-to-code.md`;

  it("marked in the source are the rows of docs/paper-to-code.md", () => {
    const rows = existsSync(doc) ? rowsIn(readFileSync(doc, "utf8")) : [];
    expect(rows.toSorted()).toEqual([...new Set(marksIn(files))].toSorted());
  });

  it("are read from comments and from the table", () => {
    const source =
      "// DEVIATION: no target — reason\nx();\n/** DEVIATION: mean over tokens — the official code\n * sums. */";
    expect(marksIn([file("src/trm/a.ts", source)])).toEqual(["no target", "mean over tokens"]);
    expect(() => marksIn([file("src/trm/a.ts", "x();\n// DEVIATION: nameless")])).toThrow("src/trm/a.ts:2: got");
    const markdown =
      "# Paper to code\n\n| line | source |\n|---|---|\n| 1 | a |\n\n## Deviations\n\nWhy.\n\n| mark | why |\n|---|---|\n| no target | x |\n| `mean over tokens` | y |\n\n| other | table |\n|---|---|\n| z | z |\n";
    expect(rowsIn(markdown)).toEqual(["no target", "mean over tokens"]);
    expect(rowsIn("# None\n\n| a | b |\n|---|---|\n| c | d |\n")).toEqual([]);
  });
});
