// Draws docs/images/architecture.svg, the folders of src and their imports, from the import lines. Run: npm run draw:architecture.
// tests/docs/drawing.test.ts fails if the committed drawing differs from the imports.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
export const drawingPath = "docs/images/architecture.svg";

/** The folders of src from the top to the bottom, each with its contents. An entry of the package is a file. */
const folders: readonly (readonly [name: string, purpose: string])[] = [
  ["src/index.ts", "trm-ts, the package"],
  ["src/node.ts", "trm-ts/node, for what uses the disk"],
  ["src/testing.ts", "trm-ts/testing, for property tests"],
  ["src/cli", "the trm command"],
  ["src/runs", "checkpoints, run folders, presets, exchange"],
  ["src/puzzles", "Sudoku, mazes, ARC, your own tasks; data sets"],
  ["src/trm", "the algorithm: recursion, training, evaluation"],
  ["src/nn", "layers, optimizers, moving average"],
  ["src/autograd", "Variable, tape, operations, gradients"],
  ["src/tensor", "shapes, memory, random numbers, backends"],
  ["src/formats", "safetensors, npy, zip, .pt; files on the disk"],
];

/** The folder of a file of src, or the file itself if it lies directly in src. */
const folderOf = (path: string): string => path.split("/").slice(0, 2).join("/");

/** The folders that each folder imports, read from the import lines. */
export function importsByFolder(): Map<string, ReadonlySet<string>> {
  const imports = new Map<string, Set<string>>();
  for (const file of readdirSync(`${root}src`, { recursive: true, encoding: "utf8" })) {
    const path = `src/${file.replaceAll("\\", "/")}`;
    if (!path.endsWith(".ts") || path.includes("/assembly/") || path.includes("/generated/")) continue;
    const folder = folderOf(path);
    const targets = imports.get(folder) ?? new Set();
    imports.set(folder, targets);
    for (const [, from] of readFileSync(root + path, "utf8").matchAll(/\b(?:from |import\()"(\.[^"]+)"/g)) {
      const target = folderOf(posix.join(posix.dirname(path), from!));
      if (target !== folder && target.startsWith("src/")) targets.add(target);
    }
  }
  return imports;
}

const rowHeight = 50;
const boxWidth = 500;
const left = 20;
const top = 16;
const firstLane = left + boxWidth + 34;
const laneWidth = 26;

const style = `
  text { font: 14px ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
  .page { fill: #ffffff; stroke: #d1d9e0; }
  .folder { fill: #f6f8fa; stroke: #59636e; stroke-width: 1.5; }
  .entry { fill: none; stroke: #59636e; stroke-width: 1.5; stroke-dasharray: 5 4; }
  .name { font-weight: 600; }
  .purpose, .note { fill: #59636e; }
  .lane { fill: none; stroke: #0969da; stroke-width: 2; }
  .start { fill: #0969da; }
  .arrow { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .page { fill: #0d1117; stroke: #3d444d; }
    .folder { fill: #151b23; stroke: #9198a1; }
    .entry { stroke: #9198a1; }
    .purpose, .note { fill: #9198a1; }
    .lane { stroke: #4493f8; }
    .start, .arrow { fill: #4493f8; }
  }
`;

/** The drawing as SVG. Each folder has a lane on the right, with a dot beside every folder that it imports. */
export function drawArchitecture(): string {
  const imports = importsByFolder();
  const unknown = [...imports.keys()].filter((folder) => !folders.some(([name]) => name === folder));
  if (unknown.length > 0) throw new Error(`draw-architecture: no description of ${unknown.join(", ")}`);
  const centre = (folder: string): number => top + (folders.findIndex(([name]) => name === folder) + 0.5) * rowHeight;
  const parts: string[] = [];
  for (const [folder, purpose] of folders) {
    const y = centre(folder) - 19;
    const kind = folder.endsWith(".ts") ? "entry" : "folder";
    parts.push(`<rect class="${kind}" x="${left}" y="${y}" width="${boxWidth}" height="38" rx="4"/>`);
    parts.push(`<text class="name" x="${left + 14}" y="${y + 24}">${folder}</text>`);
    parts.push(`<text class="purpose" x="${left + 140}" y="${y + 24}">${purpose}</text>`);
  }
  const importing = folders.map(([name]) => name).filter((name) => (imports.get(name)?.size ?? 0) > 0);
  // The lowest folder has the innermost lane, so that no lane crosses the start of another.
  for (const [index, folder] of importing.toReversed().entries()) {
    const x = firstLane + index * laneWidth;
    const targets = [...imports.get(folder)!].map(centre).toSorted((a, b) => a - b);
    const start = centre(folder) - 7;
    const edge = left + boxWidth;
    parts.push(`<path class="lane" d="M${edge} ${start}H${x}V${targets.at(-1)! + 7}"/>`);
    parts.push(`<circle class="start" cx="${edge}" cy="${start}" r="3.5"/>`);
    for (const target of targets) {
      const y = target + 7;
      parts.push(`<path class="lane" d="M${x} ${y}H${edge + 9}"/>`);
      parts.push(`<circle class="start" cx="${x}" cy="${y}" r="4"/>`);
      parts.push(`<path class="arrow" d="M${edge + 2} ${y}l9 -4.5v9z"/>`);
    }
  }
  const width = firstLane + (importing.length - 1) * laneWidth + 20;
  const height = top + folders.length * rowHeight + 44;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<!-- Drawn by scripts/draw-architecture.ts from the import lines of src. -->
<title id="title">The folders of src, one above the other. Every import leads to a lower folder.</title>
<style>${style}</style>
<rect class="page" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${parts.join("\n")}
<text class="note" x="${left}" y="${height - 16}">The line of a folder has a dot beside every folder that it imports. All of them lie below it.</text>
</svg>
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(root + drawingPath, drawArchitecture());
