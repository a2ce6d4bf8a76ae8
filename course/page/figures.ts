// The drawings of the pages. Each is computed, so that it cannot disagree with the numbers in the text. One visual language: x is a
// square, y a circle, z a diamond; lines use the colour of the text.

export interface Figure {
  readonly caption: string;
  svg(): string;
}

interface Size {
  readonly width: number;
  readonly height: number;
  /** What a reader who cannot see the drawing is told. */
  readonly label: string;
}

const drawing = ({ width, height, label }: Size, body: string): string =>
  `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}">${body}</svg>`;

const text = (x: number, y: number, content: string, kind = ""): string =>
  `<text x="${x}" y="${y}" class="${kind}">${content}</text>`;

const line = (x1: number, y1: number, x2: number, y2: number, kind = "arrow"): string =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" class="${kind}" marker-end="url(#tip)"/>`;

/** The tip of arrows; the id is the same in all drawings of a page, and so is the shape. */
const tip =
  '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" class="tip"/></marker></defs>';

const cell = (x: number, y: number, content: string | number, kind = "cell"): string =>
  `<rect x="${x}" y="${y}" width="34" height="34" class="${kind}"/>${text(x + 17, y + 22, String(content))}`;

/** [2, 1] + [3]: which stored number every result reads. */
function broadcast(): string {
  const column = [10, 20];
  const row = [1, 2, 3];
  const parts: string[] = [text(25, 16, "[2, 1]"), text(135, 16, "[3]"), text(295, 16, "[2, 3]")];
  column.forEach((value, r) => {
    parts.push(cell(8, 26 + 38 * r, value));
    row.forEach((other, c) => {
      parts.push(cell(84 + 38 * c, 26 + 38 * r, other, r === 0 ? "cell" : "cell repeated"));
      parts.push(cell(244 + 38 * c, 26 + 38 * r, value + other));
    });
  });
  parts.push(text(62, 68, "+"), text(220, 68, "="));
  const label = "A column of two numbers plus a row of three gives two rows of three; the row is used for both rows.";
  return drawing({ width: 366, height: 108, label }, parts.join(""));
}

const node = (x: number, y: number, name: string): string =>
  `<circle cx="${x}" cy="${y}" r="18" class="cell"/>${text(x, y + 5, name)}`;

function diamond(): string {
  const at: Record<string, [number, number]> = { x: [26, 60], a: [110, 60], b: [200, 24], c: [200, 96], d: [290, 60] };
  const edges = ["xa", "ab", "ac", "bd", "cd"].map((edge) => {
    const [[x1, y1], [x2, y2]] = [at[edge[0]!]!, at[edge[1]!]!];
    const length = Math.hypot(x2 - x1, y2 - y1);
    const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
    return line(x1 + 18 * ux, y1 + 18 * uy, x2 - 20 * ux, y2 - 20 * uy, edge === "xa" ? "arrow dashed" : "arrow");
  });
  const nodes = Object.entries(at).map(([name, [x, y]]) => node(x, y, name));
  const label = "A graph: a is computed from x; b and c are computed from a; d is computed from b and c.";
  return drawing({ width: 320, height: 122, label }, tip + edges.join("") + nodes.join(""));
}

export const figures: Readonly<Record<string, Figure>> = {
  broadcast: { caption: "The row of three is stored once and read twice (lighter cells).", svg: broadcast },
  diamond: { caption: "The diamond, and the one node more that makes the order matter (dashed).", svg: diamond },
};
