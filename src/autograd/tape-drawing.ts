// Drawings of a tape: DOT for Graphviz, and SVG in layers. The operations stand in the order of their depth, inputs above.
import { expectArray, expectObject, showShape } from "../tensor/index.ts";
import type { TapeEntry } from "./tape-entries.ts";

/** A box of the drawing: an operation, or a named leaf. */
interface Box {
  readonly id: string;
  readonly lines: readonly [title: string, detail: string];
  readonly isLeaf: boolean;
  /** Ids of the boxes that feed it. */
  readonly from: readonly string[];
}

/** One box per entry, and one per named leaf. Unnamed leaves and constants are left out. */
function boxesOf(entries: readonly TapeEntry[]): Box[] {
  const leaves = new Map<string, Box>();
  const operations = entries.map(({ index, operation, name, shape, inputs, inputNames, inputShapes }): Box => {
    const from = inputs.flatMap((input, i) => {
      if (typeof input === "number") return [`n${input}`];
      const leaf = inputNames[i];
      if (!leaf) return [];
      const id = leaves.get(leaf)?.id ?? `leaf${leaves.size}`;
      leaves.set(leaf, { id, lines: [leaf, showShape(inputShapes[i]!)], isLeaf: true, from: [] });
      return [id];
    });
    const title = name === null ? operation : `${name} = ${operation}`;
    return { id: `n${index}`, lines: [title, showShape(shape)], isLeaf: false, from };
  });
  return [...leaves.values(), ...operations];
}

/** @throws ArgumentError unless the entries have the form of `tapeOf` */
function expectEntries(where: string, entries: readonly TapeEntry[]): void {
  expectArray(where, "the entries", entries);
  entries.forEach((entry, i) => {
    expectObject(where, `entry ${i}`, entry, ["operation", "inputs", "inputShapes"]);
  });
}

/** The tape in the DOT language: `dot -Tsvg` draws it. */
export function tapeToDot(entries: readonly TapeEntry[]): string {
  expectEntries("tapeToDot", entries);
  const quoted = (text: string): string => text.replaceAll(/["\\]/g, "\\$&");
  const boxes = boxesOf(entries);
  const nodes = boxes.map(({ id, lines, isLeaf }) => {
    return `  ${id} [label="${lines.map(quoted).join("\\n")}", shape=${isLeaf ? "ellipse" : "box"}];`;
  });
  const edges = boxes.flatMap(({ id, from }) => from.map((source) => `  ${source} -> ${id};`));
  return ["digraph tape {", ...nodes, ...edges, "}", ""].join("\n");
}

const [width, height, gapX, gapY] = [190, 40, 20, 36];

/** The tape as a drawing. A box stands one layer below the lowest box that feeds it. */
export function tapeToSvg(entries: readonly TapeEntry[]): string {
  expectEntries("tapeToSvg", entries);
  const boxes = boxesOf(entries);
  const layerOf = new Map<string, number>();
  const layers: Box[][] = [];
  for (const box of boxes) {
    const layer = 1 + Math.max(-1, ...box.from.map((id) => layerOf.get(id)!));
    layerOf.set(box.id, layer);
    layers[layer] ??= [];
    layers[layer].push(box);
  }
  const placeOf = new Map<string, readonly [x: number, y: number]>();
  layers.forEach((layer, row) => {
    layer.forEach(({ id }, column) => {
      placeOf.set(id, [column * (width + gapX) + gapX, row * (height + gapY) + gapX]);
    });
  });
  const edges = boxes.flatMap(({ id, from }) =>
    from.map((source) => {
      const [[x1, y1], [x2, y2]] = [placeOf.get(source)!, placeOf.get(id)!];
      const [startX, startY, endX, middle] = [x1 + width / 2, y1 + height, x2 + width / 2, (y1 + height + y2) / 2];
      return `<path d="M${startX} ${startY}C${startX} ${middle} ${endX} ${middle} ${endX} ${y2}"/>`;
    }),
  );
  const rects = boxes.map(({ id, isLeaf }) => {
    const [x, y] = placeOf.get(id)!;
    return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${isLeaf ? 20 : 4}"/>`;
  });
  const texts = boxes.flatMap(({ id, lines }) => {
    const [x, y] = placeOf.get(id)!;
    return lines.map((line, i) => `<text x="${x + width / 2}" y="${y + 17 + 15 * i}">${escaped(line)}</text>`);
  });
  const widest = layers.reduce((most, layer) => Math.max(most, layer.length), 1);
  const size = [widest * (width + gapX) + gapX, layers.length * (height + gapY) + gapX];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.join(" ")}" font-family="sans-serif" font-size="12" role="img">`,
    `<title>Tape of ${entries.length} operations</title>`,
    `<g fill="none" stroke="gray">${edges.join("")}</g>`,
    `<g fill="white" stroke="gray">${rects.join("")}</g>`,
    `<g text-anchor="middle">${texts.join("")}</g>`,
    "</svg>",
    "",
  ].join("\n");
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
