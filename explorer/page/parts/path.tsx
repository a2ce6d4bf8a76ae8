// The paths of y and z in two dimensions: the mean of a latent over its cells, on the two directions in which such means differ most. The
// picture leaves most of the numbers out, so it says how much of their variance it shows, and draws the true length of every move beside it.
import type { JSX } from "preact";
import type { TraceFrame } from "trm-ts";
import { counted } from "../../shared/words.ts";
import { frames, index, output, shown, thought } from "../state.ts";
import { Named, signOf } from "./sign.tsx";
import { useWidth } from "./width.ts";

const size = 200;
const margin = 14;
/** Room for the words around the bars. */
const [barsTop, barsBottom] = [20, 18];

export function Paths(): JSX.Element | null {
  const explained = shown.value?.explained;
  const latents = [thought.value, output.value].filter((latent) => latent !== null);
  if (!explained || frames.value.length === 0) return null;
  return (
    <figure class="paths">
      <figcaption>
        The paths of <Named name="z" /> and <Named name="y" />: each update is a point, and a bar shows how far it moved
        the latent; the large point is the latest update
      </figcaption>
      <div class="paths-row">
        {latents.map((latent) => (
          <Path key={latent} latent={latent} explained={explained[latent] ?? 0} />
        ))}
        <Moves />
      </div>
    </figure>
  );
}

function Path({ latent, explained }: { latent: string; explained: number }): JSX.Element {
  const name = signOf(latent, output.value);
  const all = frames.value.flatMap((frame, i) =>
    frame.latent === latent && frame.position ? [{ i, at: frame.position }] : [],
  );
  const [xs, ys] = [all.map(({ at }) => at[0]), all.map(({ at }) => at[1])];
  const span = Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys), 1e-9);
  const scale = (value: number, values: readonly number[]): number => {
    const middle = (Math.max(...values) + Math.min(...values)) / 2;
    return size / 2 + ((value - middle) / span) * (size - 2 * margin);
  };
  const points = all.map(({ i, at }) => ({ i, x: scale(at[0], xs), y: size - scale(at[1], ys) }));
  const made = points.filter(({ i }) => i <= index.value);
  const last = made.at(-1);
  return (
    <div>
      <svg
        class="drawing"
        viewBox={`0 0 ${size} ${size}`}
        role="img"
        aria-label={`The path of ${latent}: ${made.length} of ${counted(points.length, "update")}`}
      >
        <path
          class="path-ahead"
          d={points.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("")}
        />
        <path
          class={`curve curve-${name} solid`}
          d={made.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("")}
        />
        {made.map(({ i, x, y }) => (
          <circle key={i} class={`path-dot path-${name}`} cx={x} cy={y} r={2.5} />
        ))}
        {last && <circle class={`path-last path-${name}`} cx={last.x} cy={last.y} r={6} />}
      </svg>
      <p class="note">
        <Named name={name}>{latent}</Named> on two directions, which show {Math.round(100 * explained)}% of its variance
      </p>
    </div>
  );
}

/** The length of every move, in all dimensions. */
function Moves(): JSX.Element {
  const [element, width] = useWidth(260);
  const most = Math.max(...frames.value.map(({ move }) => move), 1e-9);
  const step = width / frames.value.length;
  const bar = (frame: TraceFrame, i: number): JSX.Element => {
    const height = (frame.move / most) * (size - barsTop - barsBottom);
    const name = signOf(frame.latent, output.value);
    return (
      <rect
        key={`${frame.step}.${frame.cycle}.${frame.update}`}
        class={`move-bar path-${name}${i === index.value ? " current" : ""}${i > index.value ? " ahead" : ""}`}
        x={i * step}
        y={size - barsBottom - height}
        width={Math.max(0.5, step - 0.6)}
        height={height}
      />
    );
  };
  return (
    <div class="moves" ref={element}>
      <svg
        class="drawing"
        viewBox={`0 0 ${width} ${size}`}
        role="img"
        aria-label={`The longest move is ${most.toFixed(1)}; the current one ${(frames.value[index.value]?.move ?? 0).toFixed(1)}`}
      >
        <text class="tick" x={0} y={barsTop - 8}>
          longest: {most.toFixed(1)}
        </text>
        <line class="axis" x1={0} x2={width} y1={size - barsBottom + 0.5} y2={size - barsBottom + 0.5} />
        {frames.value.map(bar)}
        <text class="tick" x={0} y={size - 4}>
          first update
        </text>
        <text class="tick" x={width} y={size - 4} text-anchor="end">
          last
        </text>
      </svg>
      <p class="note">How far each update moved its latent, in all directions</p>
    </div>
  );
}
