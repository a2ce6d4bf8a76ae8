// q along the trace: its curve after every update of y, the step at which it halts, and a ribbon that shows whether the answer is
// right. Drawn as SVG, with a table behind it.
import type { JSX } from "preact";
import { frameCount, framesPerStep, haltMargin, sigmoid, wrongCells } from "../../shared/frames.ts";
import { frames, haltingRule, index, shape, shown, stopsAfter } from "../state.ts";
import { Named } from "./sign.tsx";
import { useWidth } from "./width.ts";

const [height, top, bottom, left, right] = [196, 12, 62, 40, 26];
const plotHeight = height - top - bottom;

export function Halting(): JSX.Element {
  const { steps } = shape.value;
  const [figure, width] = useWidth(560);
  const total = frameCount(shape.value);
  const truth = shown.value?.puzzle.truth ?? null;
  const rule = haltingRule.value;
  const points = frames.value.flatMap((frame, i) =>
    frame.q
      ? [{ i, frame, share: sigmoid(haltMargin(frame.q, rule)), wrong: truth && wrongCells(frame.tokens, truth) }]
      : [],
  );
  const x = (i: number): number => left + ((i + 1) / total) * (width - left - right);
  const y = (share: number): number => top + (1 - share) * plotHeight;
  const halts = stopsAfter.value;
  /** The words of the chart keep away from a curve that rises on the right. */
  const isLate = halts !== null && halts > steps / 2;
  const perStep = framesPerStep(shape.value);
  const ends = points.filter(({ i }) => (i + 1) % perStep === 0);
  const current = points.filter(({ i }) => i <= index.value).at(-1);
  const ribbonTop = height - bottom + 8;
  const gap = ends.length > 1 ? Math.min(60, x(perStep) - x(0)) : 30;
  const isTight = gap < 18;
  const path = points
    .map(({ i, share }, k) => `${k === 0 ? "M" : "L"}${x(i).toFixed(1)} ${y(share).toFixed(1)}`)
    .join("");
  return (
    <figure class="halting" ref={figure}>
      <figcaption>
        <Named name="q" />{" "}
        {rule.comparesContinue ? (
          <>
            the estimated advantage of stopping over continuing, <Advantage />
          </>
        ) : (
          "the estimated chance that the whole answer is correct"
        )}
        {current && (
          <>
            {": "}
            <b class="number">{Math.round(100 * current.share)}%</b>
          </>
        )}
      </figcaption>
      <svg class="drawing" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={summary(halts, ends)}>
        {[0, 0.5, 1].map((share) => (
          <g key={share}>
            <line class={share === 0.5 ? "threshold" : "axis"} x1={left} x2={width - 8} y1={y(share)} y2={y(share)} />
            <text class="tick" x={left - 8} y={y(share) + 4} text-anchor="end">
              {100 * share}%
            </text>
          </g>
        ))}
        <text class="tick" x={isLate ? left + 4 : width - 8} y={y(0.5) - 6} text-anchor={isLate ? "start" : "end"}>
          {width < 400 ? "may stop above" : "above this line the model may stop"}
        </text>
        {path && <path class="curve curve-q" d={path} />}
        {ends.map(({ i, share }) => (
          <path key={i} class="dot-q" d={triangle(x(i), y(share))} />
        ))}
        {halts !== null && (
          <g>
            <line
              class="halt"
              x1={x(halts * perStep - 1)}
              x2={x(halts * perStep - 1)}
              y1={top - 4}
              y2={height - bottom}
            />
            <text
              class="tick halt-text"
              x={x(halts * perStep - 1) + (isLate ? -6 : 6)}
              y={isLate ? y(1) + 14 : y(0) - 6}
              text-anchor={isLate ? "end" : "start"}
            >
              stops after step {halts}
            </text>
          </g>
        )}
        {ends.map(({ i, wrong }, k) => (
          <g key={i}>
            <rect
              class={wrong === 0 ? "ribbon right" : "ribbon wrong"}
              x={x(i) - gap * 0.42}
              y={ribbonTop}
              width={gap * 0.84}
              height={16}
              rx={3}
            />
            <text class={`ribbon-text${isTight ? " tight" : ""}`} x={x(i)} y={ribbonTop + 12} text-anchor="middle">
              {wrong === null ? "?" : wrong === 0 ? "✓" : wrong}
            </text>
            {(steps > 16 ? k % 4 === 3 : !isTight || k % 2 === 1) && (
              <text class="tick" x={x(i)} y={height - 22} text-anchor="middle">
                {k + 1}
              </text>
            )}
          </g>
        ))}
        <text class="tick" x={width - 8} y={height - 5} text-anchor="end">
          supervision step
        </text>
        {index.value >= 0 && (
          <line class="cursor" x1={x(index.value)} x2={x(index.value)} y1={top} y2={height - bottom + 6} />
        )}
      </svg>
      <p class="note">The boxes count the wrong cells after each step; ✓ means none.</p>
      <details class="table">
        <summary>Table</summary>
        <table>
          <thead>
            <tr>
              <th>step</th>
              <th>{rule.comparesContinue ? <Advantage /> : "q"}</th>
              <th>wrong cells</th>
            </tr>
          </thead>
          <tbody>
            {ends.map(({ frame, share, wrong }) => (
              <tr key={frame.step}>
                <td>{frame.step}</td>
                <td>{(100 * share).toFixed(1)}%</td>
                <td>{wrong ?? "unknown"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

/** The number that is above 50% when q_halt exceeds q_continue. */
const Advantage = (): JSX.Element => (
  <span class="nowrap">
    σ(
    <QHalt /> − <QContinue />)
  </span>
);

export const QHalt = (): JSX.Element => (
  <>
    <i>q</i>
    <sub>halt</sub>
  </>
);

export const QContinue = (): JSX.Element => (
  <>
    <i>q</i>
    <sub>continue</sub>
  </>
);

const triangle = (x: number, y: number): string => `M${x} ${y - 5}l5 9h-10z`;

function summary(halts: number | null, ends: readonly { readonly wrong: number | null }[]): string {
  const solved = ends.findIndex(({ wrong }) => wrong === 0);
  const stop = halts === null ? "q is not above 50% after any step" : `the model stops after step ${halts}`;
  return `${stop}; ${solved < 0 ? "no step has the correct answer" : `the answer is correct after step ${solved + 1}`}`;
}
