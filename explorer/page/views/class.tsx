// 200 puzzles at once. The share that each latent answers correctly, update by update, and a dot for every puzzle: is its
// answer correct, and has it settled?
import { effect } from "@preact/signals";
import type { JSX } from "preact";
import type { ClassFrame, Puzzle } from "../../shared/calls.ts";
import { framesPerStep } from "../../shared/frames.ts";
import type { Machine, ModelEntry } from "../../shared/models.ts";
import { percent, shareText, wilson95 } from "../../shared/shares.ts";
import { counted } from "../../shared/words.ts";
import { From } from "../parts/numbers.tsx";
import { Named, Sign, signOf } from "../parts/sign.tsx";
import { Waiting } from "../parts/waiting.tsx";
import { useWidth } from "../parts/width.ts";
import { resultFor } from "../results.ts";
import { go, index, link, model, moveTo, output, place, ready, sample, shape, steps } from "../state.ts";
import { callWorker } from "../workers.ts";

interface ClassRun {
  readonly puzzles: readonly Puzzle[];
  readonly frames: readonly ClassFrame[];
  readonly machine: Machine | null;
  /** Null until all frames are there. */
  readonly milliseconds: number | null;
}

const run = resultFor<ClassRun>(() => [model.value?.name, steps.value].join());

/** The sample puzzles as tokens. */
export function classOf({ samples, board }: ModelEntry): Puzzle[] {
  const tokens = (text: string): number[] => [...text].map((symbol) => board.symbols.indexOf(symbol));
  return samples.map(({ question, truth }) => ({ question: tokens(question), truth: tokens(truth) }));
}

// Computes the class when the view is opened, and again for another model or number of steps.
effect(() => {
  const own = model.value;
  const count = steps.value;
  if (link.value.view !== "class" || !own || ready.value?.name !== own.name) {
    run.cancel(); // the worker is free for the other views
    return;
  }
  const { result, isRunning } = run.outcome.peek();
  if (isRunning || (result && result.milliseconds !== null)) return;
  run.start(async (signal, report) => {
    const puzzles = classOf(own);
    const frames: ClassFrame[] = [];
    report(`computing step 1 of ${count}`);
    const onProgress = (some: readonly ClassFrame[]): void => {
      frames.push(...some);
      const next = Math.min(count, some[0]!.step + 1);
      report(`computing step ${next} of ${count}`, { puzzles, frames: [...frames], machine: null, milliseconds: null });
    };
    const made = await callWorker("class", { puzzles, steps: count }, { signal, onProgress });
    return { puzzles, frames, ...made };
  });
});

const rightIn = ({ wrong }: ClassFrame): number => wrong.reduce((sum, cells) => sum + Number(cells === 0), 0);

export function Class(): JSX.Element {
  const { result: own, status } = run.outcome.value;
  if (!own) return <Waiting>{status || undefined}</Waiting>;
  const { frames, puzzles, machine, milliseconds } = own;
  const perStep = framesPerStep(shape.value);
  const step = Math.max(1, place.value.step);
  const ofStep = frames.slice((step - 1) * perStep, step * perStep);
  return (
    <div class="class">
      <section class="panel">
        <header class="panel-head">
          <h2>{counted(puzzles.length, "puzzle")} at once: how many are completely correct after each update?</h2>
          <p class="verdict">{status}</p>
        </header>
        <StepShares frames={ofStep} first={(step - 1) * perStep} step={step} puzzles={puzzles.length} />
        <AllShares frames={frames} puzzles={puzzles.length} />
        <SharesTable frames={frames} puzzles={puzzles.length} />
      </section>
      <Dots own={own} />
      {milliseconds !== null && (
        <From machine={machine}>
          {`${counted(puzzles.length, "puzzle")}, ${model.value!.samplesFrom}; ${(milliseconds / 1000).toFixed(1)} s`}
        </From>
      )}
    </div>
  );
}

/** The updates of one step, cycle by cycle, with their numbers. */
function StepShares(props: {
  readonly frames: readonly ClassFrame[];
  readonly first: number;
  readonly step: number;
  readonly puzzles: number;
}): JSX.Element {
  const { frames, first, step, puzzles } = props;
  const cycles = [...new Set(frames.map(({ cycle }) => cycle))];
  return (
    <div>
      <h3>Supervision step {step}</h3>
      <div class="share-cycles">
        {cycles.map((cycle) => (
          <section key={cycle} class="share-cycle">
            <ol class="shares">
              {frames.map((frame, i) =>
                frame.cycle === cycle ? (
                  <Share key={frame.update} frame={frame} at={first + i} puzzles={puzzles} />
                ) : null,
              )}
            </ol>
            <p class="note">cycle {cycle}</p>
          </section>
        ))}
      </div>
    </div>
  );
}

/** The share of the puzzles that an update answers; a click goes to the update. */
function Share({ frame, at, puzzles }: { frame: ClassFrame; at: number; puzzles: number }): JSX.Element {
  const right = rightIn(frame);
  const [low, high] = wilson95(right, puzzles);
  const name = signOf(frame.latent, output.value);
  return (
    <li>
      <button
        type="button"
        class={`share share-${name}${at === index.value ? " current" : ""}`}
        onClick={() => moveTo(at)}
      >
        <span class="sr-only">
          cycle {frame.cycle}, update {frame.update}: {shareText(right, puzzles)}
        </span>
        <span class="share-track">
          <span class="share-bar" style={{ height: `${(100 * right) / puzzles}%` }} />
          <span class="share-range" style={{ bottom: `${100 * low}%`, height: `${100 * (high - low)}%` }} />
        </span>
        <b class="number">{percent(right / puzzles)}</b>
        <span class="share-name">
          <Sign name={name} hollow={!frame.onTape} /> <i>{frame.latent}</i>
        </span>
      </button>
    </li>
  );
}

const [chartHeight, chartTop, chartBottom, chartLeft, chartRight] = [178, 10, 40, 42, 12];

/** The curves of y and z through all updates, with their 95% bands. */
function AllShares({ frames, puzzles }: { frames: readonly ClassFrame[]; puzzles: number }): JSX.Element {
  const [figure, width] = useWidth(800);
  const perStep = framesPerStep(shape.value);
  const total = steps.value * perStep;
  const x = (i: number): number => chartLeft + ((i + 1) / total) * (width - chartLeft - chartRight);
  const y = (share: number): number => chartTop + (1 - share) * (chartHeight - chartTop - chartBottom);
  const curveOf = (latents: readonly string[]) =>
    frames.flatMap((frame, i) => {
      if (!latents.includes(frame.latent)) return [];
      const right = rightIn(frame);
      return [{ i, share: right / puzzles, range: wilson95(right, puzzles) }];
    });
  const others = [...new Set(shape.value.updates)].filter((latent) => latent !== output.value);
  const curves = [
    { name: "z" as const, points: curveOf(others) },
    { name: "y" as const, points: curveOf([output.value]) },
  ];
  const line = (points: readonly (readonly [number, number])[]): string =>
    points.map(([i, share]) => `${x(i).toFixed(1)} ${y(share).toFixed(1)}`).join("L");
  return (
    <figure class="all-shares" ref={figure}>
      <figcaption>
        Completely correct puzzles through {counted(steps.value, "step")}, with 95% bands: <Named name="y" /> solid,{" "}
        <Named name="z" /> dashed
      </figcaption>
      <svg
        class="drawing"
        viewBox={`0 0 ${width} ${chartHeight}`}
        role="img"
        aria-label={curves
          .map(
            ({ name, points }) =>
              `${name}: ${points.length > 0 ? percent(points.at(-1)!.share) : "nothing yet"} at the end`,
          )
          .join("; ")}
      >
        {[0, 0.5, 1].map((share) => (
          <g key={share}>
            <line class="axis" x1={chartLeft} x2={width - chartRight} y1={y(share)} y2={y(share)} />
            <text class="tick" x={chartLeft - 8} y={y(share) + 4} text-anchor="end">
              {100 * share}%
            </text>
          </g>
        ))}
        {Array.from({ length: steps.value }, (_, i) => (
          <text key={i} class="tick" x={x((i + 1) * perStep - 1)} y={chartHeight - 22} text-anchor="middle">
            {steps.value <= 16 && (width > 500 || i % 2 === 1) ? i + 1 : ""}
          </text>
        ))}
        <text class="tick" x={width - chartRight} y={chartHeight - 5} text-anchor="end">
          supervision step
        </text>
        {curves.map(({ name, points }) => (
          <g key={name}>
            {points.length > 1 && (
              <path
                class={`band band-${name}`}
                d={`M${line(points.map(({ i, range }) => [i, range[1]] as const))}L${line(
                  points.toReversed().map(({ i, range }) => [i, range[0]] as const),
                )}Z`}
              />
            )}
            {points.length > 0 && (
              <path class={`curve curve-${name}`} d={`M${line(points.map(({ i, share }) => [i, share] as const))}`} />
            )}
          </g>
        ))}
        {index.value >= 0 && (
          <line class="cursor" x1={x(index.value)} x2={x(index.value)} y1={chartTop} y2={chartHeight - chartBottom} />
        )}
      </svg>
    </figure>
  );
}

function SharesTable({ frames, puzzles }: { frames: readonly ClassFrame[]; puzzles: number }): JSX.Element {
  return (
    <details class="table">
      <summary>Table</summary>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>step</th>
              <th>cycle</th>
              <th>update</th>
              <th>latent</th>
              <th>completely correct</th>
            </tr>
          </thead>
          <tbody>
            {frames.map((frame) => (
              <tr key={`${frame.step}.${frame.cycle}.${frame.update}`}>
                <td>{frame.step}</td>
                <td>{frame.cycle}</td>
                <td>{frame.update}</td>
                <td>{frame.latent}</td>
                <td>{shareText(rightIn(frame), puzzles)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

// --- The dots ---------------------------------------------------------------------------------------------------------------

/** Below this root mean square change an answer counts as settled. The numbers of y have a root mean square of about 1. */
const settled = 0.1;
const [least, most] = [0.001, 3];
const [dotsHeight, dotsTop, dotsBottom, dotsLeft, dotsRight] = [320, 14, 44, 68, 14];
/** Room for a dot at either end of the axis. */
const dotsInset = 10;
/** A fixed scatter within the band of a dot, so that equal dots stay visible. */
const scatter = (i: number): number => ((i * 0.618_033_988) % 1) - 0.5;

function Dots({ own }: { own: ClassRun }): JSX.Element | null {
  const [figure, width] = useWidth(800);
  const { frames, puzzles } = own;
  const answer = output.value;
  const upTo = frames.slice(0, Math.max(0, index.value) + 1);
  const frame = upTo.findLast(({ latent }) => latent === answer) ?? frames.find(({ latent }) => latent === answer);
  if (!frame) return null;
  const cells = puzzles[0]!.question.length;
  const x = (move: number): number => {
    const share = Math.log(Math.max(least, Math.min(most, move)) / least) / Math.log(most / least);
    return dotsLeft + dotsInset + share * (width - dotsLeft - dotsRight - 2 * dotsInset);
  };
  // Right answers have a band of their own at the top; the wrong ones are below, by the number of wrong cells.
  const bandHeight = 64;
  const wrongTop = dotsTop + bandHeight + 18;
  const y = (wrong: number, i: number): number =>
    wrong === 0
      ? dotsTop + bandHeight * (0.5 + 0.8 * scatter(i))
      : wrongTop + Math.sqrt((wrong - 1) / (cells - 1)) * (dotsHeight - dotsBottom - wrongTop) + 6 * scatter(i);
  const dots = Array.from(frame.wrong, (wrong, i) => ({ i, wrong, move: frame.move[i]! }));
  const count = (isRight: boolean, isSettled: boolean): number =>
    dots.filter(({ wrong, move }) => (wrong === 0) === isRight && move < settled === isSettled).length;
  return (
    <section class="panel">
      <header class="panel-head">
        <h2>
          <Named name="y" /> of every puzzle, after cycle {frame.cycle} of step {frame.step}
        </h2>
        <p class="verdict">a dot is a puzzle; click to watch it</p>
      </header>
      <figure class="dots" ref={figure}>
        <svg
          class="drawing"
          viewBox={`0 0 ${width} ${dotsHeight}`}
          role="img"
          aria-label="Every puzzle by its wrong cells and by how far its answer moved; the table below counts them"
        >
          <rect
            class="dots-right"
            x={dotsLeft}
            y={dotsTop}
            width={width - dotsLeft - dotsRight}
            height={bandHeight}
            rx={6}
          />
          <line class="threshold" x1={x(settled)} x2={x(settled)} y1={dotsTop} y2={dotsHeight - dotsBottom} />
          <text class="tick" x={dotsLeft - 8} y={dotsTop + bandHeight / 2 + 4} text-anchor="end">
            correct
          </text>
          {[1, Math.round(cells / 4), cells].map((wrong) => (
            <text key={wrong} class="tick" x={dotsLeft - 8} y={y(wrong, 0) + 7} text-anchor="end">
              {wrong} wrong
            </text>
          ))}
          {[0.001, 0.01, 0.1, 1].map((move) => (
            <text key={move} class="tick" x={x(move)} y={dotsHeight - 26} text-anchor="middle">
              {move}
            </text>
          ))}
          {width >= 420 && (
            <text class="tick" x={dotsLeft} y={dotsHeight - 6}>
              ← settled
            </text>
          )}
          <text class="tick" x={width - dotsRight} y={dotsHeight - 6} text-anchor="end">
            {width < 420 ? "change of y (RMS) →" : "change of y by its last update (root mean square) →"}
          </text>
          {dots.map(({ i, wrong, move }) => (
            // biome-ignore lint/a11y/noStaticElementInteractions: a shortcut; the puzzle buttons of Solve do the same
            <circle
              key={i}
              class={`dot${wrong === 0 ? " right" : ""}${i + 1 === sample.value ? " chosen" : ""}`}
              cx={x(move)}
              cy={y(wrong, i)}
              r={i + 1 === sample.value ? 7 : 4}
              onClick={() => go({ sample: i + 1, puzzle: "", view: "solve" })}
            >
              <title>{`puzzle ${i + 1}: ${wrong} wrong, moved by ${move.toPrecision(2)}`}</title>
            </circle>
          ))}
        </svg>
      </figure>
      <table class="counts">
        <thead>
          <tr>
            <th>
              <span class="sr-only">answer</span>
            </th>
            <th>settled (moved by less than {settled})</th>
            <th>still moving</th>
          </tr>
        </thead>
        <tbody>
          {[true, false].map((isRight) => (
            <tr key={String(isRight)}>
              <th scope="row">{isRight ? "correct" : "wrong"}</th>
              <td>{count(isRight, true)}</td>
              <td>{count(isRight, false)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="note">
        {model.value?.board.kind === "maze" &&
          "The answers are compared with one shortest path. Other shortest paths, which Failures counts as correct, count as wrong here. "}
        Published accounts of why such models fail disagree: some say that wrong answers settle, others that they never
        do. The table counts this model on these puzzles.
      </p>
    </section>
  );
}
