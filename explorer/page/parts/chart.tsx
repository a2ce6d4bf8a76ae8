// Line charts of a training (uPlot), with a table behind each. Colours come from styles.css; the second series is dashed as well.
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { link } from "../state.ts";
import { useWidth } from "./width.ts";

export interface Series {
  readonly name: string;
  /** Number of the run, from 0, which has the colour; the second one is dashed as well. */
  readonly run: number;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly isDotted?: boolean;
}

export interface ChartProps {
  readonly title: JSX.Element | string;
  readonly xName: string;
  /** The range of y; from the data if left out. */
  readonly range?: readonly [low: number, high: number];
  readonly format: (y: number) => string;
  readonly series: readonly Series[];
}

const height = 180;
/** Distances of the marks on the axis of training steps. */
const wholeSteps = [1, 2, 5]
  .flatMap((digit) => [1, 10, 100, 1000, 10_000].map((power) => digit * power))
  .sort((a, b) => a - b);

/** All x of all series in order, and the y of each series at them. */
function columnsOf(series: readonly Series[]): uPlot.AlignedData {
  const xs = [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
  const columns = series.map(({ points }) => {
    const known = new Map(points);
    return xs.map((x) => known.get(x) ?? null);
  });
  return [xs, ...columns] as uPlot.AlignedData;
}

/** A colour of styles.css as a canvas understands it. */
function colorOf(element: HTMLElement, name: string): string {
  element.style.color = `var(--${name})`;
  return getComputedStyle(element).color;
}

function optionsOf({ xName, range, format, series }: ChartProps, width: number, place: HTMLElement): uPlot.Options {
  const color = (name: string): string => colorOf(place, name);
  const axis = {
    stroke: color("soft"),
    grid: { stroke: color("line"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui",
  };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: range ? { range: [...range] } : {} },
    axes: [
      { ...axis, incrs: wholeSteps, label: xName, labelSize: 18, labelFont: "12px system-ui", size: 28 },
      { ...axis, size: 48, values: (_, values) => values.map(format) },
    ],
    series: [
      {},
      ...series.map(({ name, run, points, isDotted = false }) => ({
        label: name,
        stroke: color(run === 0 ? "ink" : "second"),
        width: 2,
        spanGaps: true,
        points: { show: points.length < 30, size: 5, fill: color(run === 0 ? "ink" : "second") },
        ...(isDotted ? { dash: [2, 3] } : run > 0 && { dash: [6, 4] }),
      })),
    ],
  };
}

export function Chart(props: ChartProps): JSX.Element {
  const [figure, width] = useWidth(400);
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const { series, title, xName, format } = props;
  const { theme } = link.value;
  const names = series.map(({ name }) => name).join();
  const isSparse = series.map(({ points }) => points.length < 30).join();
  const newest = series.map(({ points }) => [points.length, points.at(-1)?.[0]]).join();
  const columns = useMemo(() => columnsOf(series), [names, newest]);
  const [showsTable, setShowsTable] = useState(false);
  // A new chart is made only when something changes that cannot be set later.
  useEffect(() => {
    plot.current = new uPlot(optionsOf(props, width, place.current!), columns, place.current!);
    return () => plot.current?.destroy();
  }, [names, isSparse, theme, width]);
  useEffect(() => plot.current?.setData(columns), [columns]);
  const last = series.map(({ points }) => points.at(-1));
  const label = series.map(({ name }, i) => `${name}: ${last[i] ? format(last[i][1]) : "nothing yet"}`).join("; ");
  return (
    <figure class="chart" ref={figure}>
      <figcaption>{title}</figcaption>
      <div ref={place} role="img" aria-label={label} />
      <details class="table" onToggle={(event) => setShowsTable(event.currentTarget.open)}>
        <summary>Table</summary>
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>{xName}</th>
                {series.map(({ name }) => (
                  <th key={name}>{name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {(showsTable ? rowsOf(columns) : []).map(([x, ...ys]) => (
                <tr key={x}>
                  <td>{x}</td>
                  {ys.map((y, i) => (
                    <td key={series[i]!.name}>{y === null ? "" : format(y)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

/** At most 40 rows of the table. */
function rowsOf(data: uPlot.AlignedData): readonly (readonly [number, ...(number | null)[]])[] {
  const [xs, ...columns] = data as unknown as [number[], ...(number | null)[][]];
  const every = Math.max(1, Math.ceil(xs.length / 40));
  return xs.flatMap((x, i) =>
    i % every === 0 || i === xs.length - 1 ? [[x, ...columns.map((column) => column[i] ?? null)] as const] : [],
  );
}
