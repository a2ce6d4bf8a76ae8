// The drawings of the pages. Each is computed, so that it cannot disagree with the numbers in the text. One visual language: x is a
// square, y a circle, z a diamond; lines use the colour of the text.

import { wilson95 } from "trm-ts";
import records from "../lessons/data/records.json" with { type: "json" };

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

/** A call of the network with what goes in and what comes out. */
const call = (x: number, y: number, into: string, out: string): string =>
  `<rect x="${x}" y="${y}" width="84" height="40" rx="6" class="cell"/>${text(x + 42, y + 25, `net(${into})`, "small")}${text(x + 112, y + 14, out)}`;

function recursion(): string {
  const n = 3;
  const parts = [tip, text(30, 74, "z")];
  for (let i = 0; i <= n; i++) {
    const left = 70 + 150 * i;
    parts.push(
      line(i === 0 ? 42 : left - 62, 70, left - 4, 70),
      call(left, 50, i < n ? "x, y, z" : "y, z", i < n ? "z" : "y"),
    );
    parts.push(text(left + 42, 112, i < n ? `update ${i + 1} of z` : "update of y", "small"));
    if (i < n) parts.push(text(left + 24, 22, "x, y", "small"), line(left + 42, 28, left + 42, 48));
    else
      parts.push(
        text(left + 24, 22, "y", "small"),
        line(left + 42, 28, left + 42, 48),
        line(left + 88, 70, left + 138, 70),
      );
  }
  const label = "Three calls of the network with x, y and z update z; a last call with y and z updates y.";
  return drawing({ width: 670, height: 124, label }, parts.join(""));
}

function cycles(): string {
  const T = 3;
  const hatch =
    '<defs><pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="8" class="hatching"/></pattern></defs>';
  const parts = [hatch, tip];
  for (let i = 0; i < T; i++) {
    const left = 50 + 170 * i;
    parts.push(line(left - 42, 50, left - 4, 50));
    parts.push(`<rect x="${left}" y="20" width="124" height="60" rx="6" class="${i < T - 1 ? "off" : "cell"}"/>`);
    parts.push(
      text(left + 62, 55, `cycle ${i + 1}`),
      text(left + 62, 102, i < T - 1 ? "off the tape" : "on the tape", "small"),
    );
  }
  parts.push(line(516, 50, 556, 50), text(600, 46, "heads, loss", "small"));
  parts.push(
    `<path d="M600 62 V124 H452" class="arrow dashed" fill="none" marker-end="url(#tip)"/>`,
    text(530, 142, "gradient, back to the start of the last cycle", "small"),
  );
  const label =
    "Two hatched cycles off the tape, then one on the tape; the gradient flows back through the last cycle only.";
  return drawing({ width: 690, height: 152, label }, parts.join(""));
}

/** Four slots over eight supervision steps: puzzles of different lengths, each begun from the initial state. */
function slots(): string {
  const lengths = [[3, 5], [5, 3], [2, 4, 2], [8]];
  const parts: string[] = [];
  let puzzle = 1;
  lengths.forEach((own, row) => {
    const y = 30 + 34 * row;
    parts.push(text(34, y + 19, `slot ${row + 1}`, "small"));
    let x = 72;
    for (const steps of own) {
      parts.push(`<rect x="${x}" y="${y}" width="${60 * steps - 6}" height="28" rx="5" class="cell"/>`);
      parts.push(`<line x1="${x + 4}" y1="${y + 4}" x2="${x + 4}" y2="${y + 24}" class="begin"/>`);
      parts.push(text(x + 30 * steps - 3, y + 19, `puzzle ${puzzle++}`, "small"));
      x += 60 * steps;
    }
  });
  for (let step = 1; step <= 8; step++) parts.push(text(72 + 60 * step - 33, 20, `step ${step}`, "small"));
  const label =
    "Four slots over eight supervision steps. When a puzzle ends, its slot begins the next one while the others go on.";
  return drawing({ width: 560, height: 172, label }, parts.join(""));
}

/** Every recorded training of lesson 9: the share of solved puzzles with its 95% interval. */
function intervals(): string {
  const systems = [...new Set(records.map(({ system }) => system))];
  const [left, width, step] = [210, 400, 18];
  const at = (share: number): number => left + width * share;
  const parts: string[] = [];
  let y = 24;
  for (const system of systems) {
    parts.push(text(0, y + step + 4, system, "small left"));
    for (const { solved, puzzles } of records.filter((record) => record.system === system)) {
      const count = solved.at(-1)!;
      const [low, high] = wilson95(count, puzzles);
      parts.push(`<line x1="${at(low)}" y1="${y}" x2="${at(high)}" y2="${y}" class="arrow"/>`);
      parts.push(`<circle cx="${at(count / puzzles)}" cy="${y}" r="4" class="dot"/>`);
      y += step;
    }
    y += 14;
  }
  const label = `Solved puzzles of three trainings each with intervals: ${systems
    .map((system) => {
      const own = records.filter((record) => record.system === system);
      return `${system} ${own.map(({ solved }) => solved.at(-1)).join(", ")} of 200`;
    })
    .join("; ")}.`;
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<line x1="${at(share)}" y1="10" x2="${at(share)}" y2="${y - 8}" class="hatching"/>${text(at(share), y + 10, `${100 * share}%`, "small")}`,
  );
  return drawing({ width: 640, height: y + 18, label }, grid.join("") + parts.join(""));
}

export const figures: Readonly<Record<string, Figure>> = {
  broadcast: { caption: "The row of three is stored once and read twice (lighter cells).", svg: broadcast },
  diamond: { caption: "The diamond, and the one node more that makes the order matter (dashed).", svg: diamond },
  recursion: { caption: "A latent recursion with n = 3: four calls of one network.", svg: recursion },
  cycles: { caption: "A deep recursion with T = 3. Hatched cycles leave no tape.", svg: cycles },
  slots: { caption: "Slots on their own. A thick line marks a start from the initial state.", svg: slots },
  intervals: {
    caption: "Three seeds of each system: solved puzzles of 200, with the 95% interval of each.",
    svg: intervals,
  },
};
