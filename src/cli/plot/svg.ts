// The charts of `trm plot` as one picture for documents.
import { type Chart, isDrawable, palette, type Series } from "./charts.ts";

const size = { width: 640, height: 260, left: 64, right: 16, top: 44, bottom: 46, legend: 18 };

export function plotSvg(charts: readonly Chart[], title = "Learning curves"): string {
  let y = 0;
  const parts = charts.map((chart) => {
    const height = size.height + size.legend * chart.series.length;
    const part = `<g transform="translate(0 ${y})">${drawn(chart)}</g>`;
    y += height;
    return part;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${y}" font-family="sans-serif" font-size="12" fill="#1c2026" role="img">
<title>${escaped(title)}</title>
<rect width="${size.width}" height="${y}" fill="#fff"/>
${parts.join("\n")}
</svg>
`;
}

function drawn(chart: Chart): string {
  const { width, height, left, right, top, bottom } = size;
  const [positions, ...columns] = chart.data as readonly (readonly (number | null)[])[];
  const xs = positions!.map((x) => x!);
  const scale = (value: number): number => (chart.isLog ? Math.log10(value) : value);
  const values = columns
    .flat()
    .filter((value): value is number => isDrawable(chart, value))
    .map(scale);
  const lowest = values.reduce(smaller, Infinity);
  const [low, high] = chart.isShare
    ? [0, 1]
    : padded(lowest, values.reduce(larger, -Infinity), chart.isLog ? 0.5 : Math.abs(lowest) || 0.5);
  const isHistogram = chart.series[0]!.isStepped ?? false;
  const [first, last] = isHistogram
    ? [Math.round(xs[0]!) - 0.6, Math.round(xs.at(-1)!) + 0.6]
    : padded(xs[0]!, xs.at(-1)!);
  const x = (value: number): number => left + ((value - first) / (last - first)) * (width - left - right);
  const y = (value: number): number =>
    height - bottom - ((scale(value) - low) / (high - low)) * (height - top - bottom);
  const label = (value: number): string =>
    chart.isShare ? `${Math.round(100 * value)}%` : String(Number((chart.isLog ? 10 ** value : value).toPrecision(2)));
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const value = low + share * (high - low);
    const at = height - bottom - share * (height - top - bottom);
    return `<line x1="${left}" x2="${width - right}" y1="${at}" y2="${at}" stroke="#dfe3e8"/><text x="${left - 6}" y="${at + 4}" text-anchor="end">${label(value)}</text>`;
  });
  // Steps are whole numbers; the bars of several runs stand beside them.
  const ends = [Math.round(xs[0]!), Math.round(xs.at(-1)!)] as const;
  const middle = Math.round((ends[0] + ends[1]) / 2);
  const xTicks = [...new Set([ends[0], middle, ends[1]])].map((value) => {
    return `<text x="${x(value)}" y="${height - bottom + 16}" text-anchor="middle">${value.toLocaleString("en-US")}</text>`;
  });
  const curves = columns.map((column, i) => {
    const points = column.flatMap((value, k) =>
      isDrawable(chart, value) ? [`${x(xs[k]!).toFixed(1)},${y(value).toFixed(1)}`] : [],
    );
    if (isHistogram) {
      const half = (0.35 / columns.length / (last - first)) * (width - left - right);
      const bars = points.map((point) => {
        const [at, top] = point.split(",").map(Number) as [number, number];
        return `M${at - half} ${height - bottom}V${top}H${at + half}V${height - bottom}`;
      });
      return `<path d="${bars.join("")}" fill="none" ${stroke(chart.series[i]!)}/>`;
    }
    return `<polyline points="${points.join(" ")}" fill="none" ${stroke(chart.series[i]!)}/>`;
  });
  const legend = chart.series.map((series, i) => {
    const at = height + i * size.legend - 6;
    return `<line x1="${left}" x2="${left + 34}" y1="${at}" y2="${at}" ${stroke(series)}/><text x="${left + 42}" y="${at + 4}">${escaped(series.name)}</text>`;
  });
  return `<text x="${left}" y="22" font-size="15" font-weight="bold">${escaped(chart.title)}</text>
${[...ticks, ...xTicks].join("")}
<text x="${width / 2}" y="${height - 14}" text-anchor="middle">${escaped(chart.x)}</text>
${curves.join("\n")}
${legend.join("")}`;
}

const smaller = (a: number, b: number): number => Math.min(a, b);
const larger = (a: number, b: number): number => Math.max(a, b);

/** A range that is not empty. A single value is in its middle; `margin` is the distance to the ends. */
const padded = (low: number, high: number, margin = 0.5): [low: number, high: number] =>
  low < high ? [low, high] : [low - margin, low + margin];

const stroke = ({ colour, dash }: Series): string =>
  `stroke="${palette.light[colour % palette.light.length]}" stroke-width="2"${dash.length > 0 ? ` stroke-dasharray="${dash.join(" ")}"` : ""}`;

export const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
