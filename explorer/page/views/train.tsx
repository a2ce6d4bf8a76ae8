// Train: a model learns from scratch in this browser, next to a rival if the visitor wants one.
import { batch } from "@preact/signals";
import type { JSX } from "preact";
import type { WithRollouts } from "../../shared/calls.ts";
import { framesPerStep, wrongCells } from "../../shared/frames.ts";
import { type Link, rivals, trainTasks } from "../../shared/link.ts";
import { percent, shareText, wilson95 } from "../../shared/shares.ts";
import { counted } from "../../shared/words.ts";
import { Board } from "../parts/board.tsx";
import { Chart } from "../parts/chart.tsx";
import { NoiseSliders } from "../parts/noise-sliders.tsx";
import { machineText } from "../parts/numbers.tsx";
import { Named } from "../parts/sign.tsx";
import { go, link } from "../state.ts";
import {
  continueRuns,
  download,
  isTraining,
  type Run,
  rivalNames,
  runs,
  solveNow,
  startRuns,
  stopRuns,
  upload,
  uploadError,
  watchedPuzzle,
} from "../training.ts";

interface Slider {
  readonly setting: "T" | "n" | "nSup" | "width" | "rate" | "ema" | "data" | "seed";
  readonly name: string;
  readonly meaning: string;
  /** The values that the slider stops at. */
  readonly stops: readonly number[];
}

const sliders: readonly Slider[] = [
  {
    setting: "T",
    name: "T",
    meaning: "cycles per supervision step; the first T − 1 leave no tape",
    stops: [1, 2, 3, 4, 5, 6],
  },
  { setting: "n", name: "n", meaning: "updates of z per cycle", stops: [1, 2, 3, 4, 5, 6, 7, 8] },
  { setting: "nSup", name: "N_sup", meaning: "most supervision steps per puzzle", stops: [1, 2, 4, 8, 12, 16] },
  { setting: "width", name: "D", meaning: "numbers per cell in x, y and z", stops: [8, 16, 24, 32, 48, 64, 96, 128] },
  {
    setting: "rate",
    name: "learning rate",
    meaning: "size of an update of the weights",
    stops: [1e-4, 3e-4, 1e-3, 2e-3, 4e-3, 8e-3, 2e-2, 5e-2],
  },
  {
    setting: "ema",
    name: "EMA",
    meaning: "decay of the averaged weights that are evaluated",
    stops: [0, 0.9, 0.97, 0.99, 0.997, 0.999],
  },
  {
    setting: "data",
    name: "puzzles",
    meaning: "different puzzles in the training set",
    stops: [100, 300, 1000, 4000, 10_000, 16_000],
  },
  { setting: "seed", name: "seed", meaning: "another seed, another run", stops: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] },
];

/** Settings that suit a task, from the preset `small`. */
const suited: Record<Link["task"], Partial<Link>> = {
  sudoku4: { T: 2, n: 2, nSup: 8, width: 32, rate: 4e-3, ema: 0.99, data: 4000 },
  sudoku6: { T: 2, n: 3, nSup: 16, width: 96, rate: 2e-3, ema: 0.99, data: 4000 },
};

export function Train(): JSX.Element {
  const own = runs.value.map(({ value }) => value);
  return (
    <div class="train">
      <Settings />
      <div class="beside">
        {own.length === 0 ? (
          <section class="panel empty">
            <h2>Nothing is learned yet</h2>
            <p>
              Press “Train from scratch”. A network with random weights is trained on puzzles with their answers, in the
              background of this page. On 4×4 it usually solves most unseen puzzles within a minute; nothing is
              downloaded.
            </p>
          </section>
        ) : (
          <Reports own={own} />
        )}
      </div>
    </div>
  );
}

/** On a narrow page the sliders are folded away, so that the charts come soon. */
const isNarrow = matchMedia("(max-width: 820px)").matches;

function Settings(): JSX.Element {
  const { task, rival, evaluation } = link.value;
  const busy = isTraining();
  const hasRun = runs.value.length > 0;
  const canContinue = runs.value.some(({ value }) => value.status === "stopped" && value.started);
  return (
    <section class="panel settings" aria-label="Settings of the training">
      <div class="row">
        {busy ? (
          <button type="button" class="primary" onClick={stopRuns}>
            Stop
          </button>
        ) : (
          <button type="button" class="primary" onClick={() => startRuns()}>
            {hasRun ? "Train again from scratch" : "Train from scratch"}
          </button>
        )}
        {!busy && canContinue && (
          <button type="button" onClick={continueRuns}>
            Continue
          </button>
        )}
      </div>
      <label class="setting">
        <span>Puzzle</span>
        <select
          value={task}
          onChange={(event) => {
            const chosen = event.currentTarget.value as Link["task"];
            go({ task: chosen, ...suited[chosen] });
          }}
        >
          {trainTasks.map((name) => (
            <option key={name} value={name}>
              {name === "sudoku4" ? "Sudoku 4×4 (seconds)" : "Sudoku 6×6 (many minutes)"}
            </option>
          ))}
        </select>
      </label>
      <label class="setting">
        <span>Compare with</span>
        <select value={rival} onChange={(event) => go({ rival: event.currentTarget.value as Link["rival"] })}>
          {rivals.map((name) => (
            <option key={name} value={name}>
              {name === "none" ? "nothing" : rivalNames[name]}
            </option>
          ))}
        </select>
      </label>
      <label class="setting">
        <span>Evaluate with</span>
        <select
          value={evaluation}
          onChange={(event) => go({ evaluation: event.currentTarget.value as typeof evaluation })}
        >
          <option value="plain">the plain prediction</option>
          <option value="rollouts">rollouts as well</option>
        </select>
      </label>
      {evaluation === "rollouts" && <NoiseSliders />}
      <details class="all-settings" open={!isNarrow}>
        <summary>Model and training</summary>
        <div class="settings">
          {sliders.map((slider) => (
            <SliderRow key={slider.setting} {...slider} />
          ))}
        </div>
      </details>
      {hasRun && busy && (
        <p class="note">New settings take effect at the next start, those of the evaluation also at “Continue”.</p>
      )}
      <div class="stack checkpoint">
        <h2>Checkpoint</h2>
        <div class="row">
          <button type="button" disabled={!runs.value[0]?.value.started} onClick={() => void download()}>
            Download
          </button>
          <label class="file">
            Load
            <input
              type="file"
              multiple
              accept=".zip,.json,.safetensors"
              onChange={({ currentTarget }) => {
                void upload([...(currentTarget.files ?? [])]);
                currentTarget.value = ""; // so that the same file can be chosen again
              }}
            />
          </label>
        </div>
        <p class="note">
          Load accepts an archive that this page wrote, or the files of a checkpoint folder of a run. To train on the
          command line, unzip the archive and run <code>npx trm train --task {link.value.task} --init FOLDER</code>.
        </p>
        {uploadError.value && (
          <p class="error" role="alert">
            {uploadError.value}
          </p>
        )}
      </div>
    </section>
  );
}

const SupervisionSteps = (): JSX.Element => (
  <>
    N<sub>sup</sub>
  </>
);

function SliderRow({ setting, name, meaning, stops }: Slider): JSX.Element {
  const value = link.value[setting];
  const shown = value.toLocaleString("en-US", { maximumSignificantDigits: 6 });
  const distance = (stop: number): number => Math.abs(stop - value);
  const at = stops.reduce((best, stop, i) => (distance(stop) < distance(stops[best]!) ? i : best), 0);
  return (
    <label class="setting slider">
      <span>
        <span>{setting === "nSup" ? <SupervisionSteps /> : name}</span> <b class="number">{shown}</b>
      </span>
      <input
        type="range"
        min={0}
        max={stops.length - 1}
        value={at}
        aria-valuetext={`${shown}: ${meaning}`}
        onInput={(event) => go({ [setting]: stops[Number(event.currentTarget.value)]! })}
      />
      <span class="note">{meaning}</span>
    </label>
  );
}

// --- What the runs report ----------------------------------------------------------------------------------------------------

function Reports({ own }: { own: readonly Run[] }): JSX.Element {
  return (
    <>
      <div class="runs">
        {own.map((run, i) => (
          <RunFacts key={run.variant} run={run} isSecond={i > 0} />
        ))}
      </div>
      <div class="charts">
        <section class="panel">
          <Chart
            title="Loss on the training puzzles"
            xName="training steps"
            format={(y) => y.toFixed(2)}
            series={own.map(({ name, losses }, run) => ({ name, run, points: losses }))}
          />
        </section>
        <section class="panel">
          <Chart
            title="Unseen puzzles completely correct, after the last supervision step"
            xName="training steps"
            range={[0, 1]}
            format={percent}
            series={own.flatMap(({ name, evaluations, last }, i) => {
              const count = last?.puzzles ?? 1;
              const plain = evaluations.map(({ step, exact }) => [step, exact.at(-1)! / count] as const);
              const best = evaluations.flatMap(({ step, withRollouts }) =>
                withRollouts ? [[step, withRollouts.byQ / count] as const] : [],
              );
              return [
                { name, run: i, points: plain },
                ...(best.length > 0
                  ? [{ name: `${name}, best rollout by q`, run: i, points: best, isDotted: true }]
                  : []),
              ];
            })}
          />
          {own.some(({ evaluations }) => evaluations.some(({ withRollouts }) => withRollouts)) && (
            <p class="note">
              Lines: one prediction per puzzle. Dotted: of several rollouts with noise on <Named name="z" /> the one
              with the highest <Named name="q" />, with the same weights.
            </p>
          )}
        </section>
        <section class="panel">
          <Bars
            title={
              <>
                <Named name="y" /> correct after each supervision step, now
              </>
            }
            label="supervision step"
            rows={own.map(({ name, evaluations, last }) => ({
              name,
              values: (evaluations.at(-1)?.exact ?? []).map((count) => count / (last?.puzzles ?? 1)),
              ranges: (evaluations.at(-1)?.exact ?? []).map((count) => wilson95(count, last?.puzzles ?? 1)),
            }))}
          />
        </section>
        <section class="panel">
          <Bars
            title={
              <>
                <Named name="q" /> stops training puzzles after this many steps
              </>
            }
            label="supervision step"
            rows={own.map(({ name, halted }) => {
              const total = Math.max(
                1e-9,
                halted.reduce((sum, count) => sum + count, 0),
              );
              return { name, values: halted.map((count) => count / total), ranges: [] };
            })}
          />
        </section>
      </div>
      {own[0]!.frames.length > 0 && <Now own={own} />}
    </>
  );
}

function RunFacts({ run, isSecond }: { run: Run; isSecond: boolean }): JSX.Element {
  const { name, status, message, started, last, evaluations } = run;
  const final = evaluations.at(-1);
  const rolled = evaluations.findLast(({ withRollouts }) => withRollouts !== null)?.withRollouts;
  const words = { preparing: message, training: "learning", stopped: "stopped", failed: message };
  return (
    <section class="panel run" aria-label={name}>
      <header class="panel-head">
        <h2>
          <span class={isSecond ? "dash second" : "dash"} aria-hidden="true" /> {name}
        </h2>
        <p class={status === "failed" ? "error" : "verdict"} role="status">
          {words[status]}
        </p>
      </header>
      {started && (
        <dl class="figures">
          <Figure name="training step" value={(last?.step ?? started.step).toLocaleString("en-US")} />
          <Figure name="seconds of training" value={(last?.seconds ?? 0).toFixed(1)} />
          <Figure
            name="steps per second"
            value={last && last.stepsPerSecond > 0 ? last.stepsPerSecond.toFixed(0) : "–"}
          />
          <Figure
            name="unseen puzzles correct"
            value={final && last ? percent(final.exact.at(-1)! / last.puzzles) : "–"}
          />
        </dl>
      )}
      {started && started.step > 0 && (
        <p class="note">
          {started.hasItsData
            ? "Continued at its place in its own puzzles, as if it had never stopped."
            : `The files do not contain the training puzzles: it goes on with ${counted(run.settings.data, "puzzle")} of this page, from the first one, and may have been trained on some of the unseen ones.`}
        </p>
      )}
      {rolled && last && <RolloutFacts made={rolled} puzzles={last.puzzles} />}
      {started && (
        <p class="from">
          {counted(started.parameters, "parameter")}, {machineText(started.machine)}
          {started.choice && ` (${started.choice})`}; kernel memory {((last?.bytes ?? 0) / 2 ** 20).toFixed(1)} MB
          {final &&
            last &&
            `; correct after step ${final.exact.length}: ${shareText(final.exact.at(-1)!, last.puzzles)} unseen puzzles`}
        </p>
      )}
    </section>
  );
}

/** The same weights on the same puzzles, without rollouts and with them. */
function RolloutFacts({ made, puzzles }: { made: WithRollouts; puzzles: number }): JSX.Element {
  const { rollouts, sigma, plain, byQ, any } = made;
  const rows = [
    ["one prediction", plain],
    [`best of ${counted(rollouts, "rollout")} by q, noise ${sigma}`, byQ],
    ["any rollout correct (needs the answer)", any],
  ] as const;
  return (
    <table class="rollout-facts">
      <caption class="sr-only">With and without rollouts, at the last evaluation with both</caption>
      <tbody>
        {rows.map(([name, count]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{shareText(count, puzzles)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Figure({ name, value }: { name: string; value: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="number">{value}</dd>
    </div>
  );
}

interface BarRow {
  readonly name: string;
  readonly values: readonly number[];
  /** The 95% interval of each value; empty if there is none. */
  readonly ranges: readonly (readonly [low: number, high: number])[];
}

/** A bar per supervision step and run, from 0 to 100%. */
function Bars({ title, label, rows }: { title: JSX.Element; label: string; rows: readonly BarRow[] }): JSX.Element {
  const count = Math.max(0, ...rows.map(({ values }) => values.length));
  const most = (row: BarRow): string => percent(Math.max(0, ...row.values));
  return (
    <figure class="bars">
      <figcaption>{title}</figcaption>
      <div class="bars-plot" role="img" aria-label={rows.map((row) => `${row.name}: at most ${most(row)}`).join("; ")}>
        {Array.from({ length: count }, (_, i) => (
          <div key={i} class="bars-group">
            <div class="bars-columns">
              {rows.map(({ name, values, ranges }, k) => (
                <span
                  key={name}
                  class={k > 0 ? "column second" : "column"}
                  style={{ height: `${100 * (values[i] ?? 0)}%` }}
                >
                  {ranges[i] && (
                    <span
                      class="whisker"
                      style={{
                        bottom: `${(100 * ranges[i][0]) / Math.max(1e-6, values[i] ?? 0)}%`,
                        height: `${(100 * (ranges[i][1] - ranges[i][0])) / Math.max(1e-6, values[i] ?? 0)}%`,
                      }}
                    />
                  )}
                </span>
              ))}
            </div>
            <span class="bars-name">{i + 1}</span>
          </div>
        ))}
      </div>
      <p class="note">
        {label}; full height is 100%{rows.some(({ ranges }) => ranges.length > 0) && "; lines are 95% intervals"}
      </p>
      <details class="table">
        <summary>Table</summary>
        <table>
          <thead>
            <tr>
              <th>{label}</th>
              {rows.map(({ name }) => (
                <th key={name}>{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {Array.from({ length: count }, (_, i) => (
              <tr key={i}>
                <td>{i + 1}</td>
                {rows.map(({ name, values, ranges }) => (
                  <td key={name}>
                    {percent(values[i] ?? 0)}
                    {ranges[i] && ` (${percent(ranges[i][0])} to ${percent(ranges[i][1])})`}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

/** An unseen puzzle with the weights of the last evaluation, after supervision steps 1, 2, 4, ... */
function Now({ own }: { own: readonly Run[] }): JSX.Element {
  const turn = (by: number): void => {
    const count = own[0]!.started!.unseen.length;
    batch(() => {
      watchedPuzzle.value = (watchedPuzzle.value + by + count) % count;
      for (const run of runs.value) void solveNow(run);
    });
  };
  return (
    <section class="panel now">
      <header class="panel-head">
        <h2>An unseen puzzle, with the weights of this moment</h2>
        <div class="row">
          <button type="button" onClick={() => turn(-1)} aria-label="Previous unseen puzzle">
            ‹
          </button>
          <span class="number note">
            {watchedPuzzle.value + 1} of {own[0]!.started!.unseen.length}
          </span>
          <button type="button" onClick={() => turn(1)} aria-label="Next unseen puzzle">
            ›
          </button>
        </div>
      </header>
      {own
        .filter(({ frames }) => frames.length > 0)
        .map((run) => (
          <NowRow key={run.variant} run={run} showsName={own.length > 1} />
        ))}
    </section>
  );
}

function NowRow({ run, showsName }: { run: Run; showsName: boolean }): JSX.Element {
  const { started, frames, puzzle, name } = run;
  const { board, T, updates, nSup } = started!;
  const { question, truth } = puzzle!;
  const perStep = framesPerStep({ T, updates, steps: nSup });
  const chosen = [1, 2, 4, 8, 16].filter((step) => step <= nSup);
  return (
    <div class="now-run">
      {showsName && <h3>{name}</h3>}
      <div class="now-boards">
        {chosen.map((step, i) => {
          const tokens = frames[step * perStep - 1]?.tokens ?? question;
          const before = i === 0 ? question : (frames[chosen[i - 1]! * perStep - 1]?.tokens ?? question);
          const changed = new Set([...tokens.keys()].filter((cell) => tokens[cell] !== before[cell]));
          const wrong = wrongCells(tokens, truth!);
          return (
            <figure key={step}>
              <Board
                board={board}
                size="small"
                label={`After step ${step}: ${counted(wrong, "cell")} wrong`}
                question={question}
                tokens={tokens}
                changed={changed}
              />
              <figcaption>
                step {step}: {wrong === 0 ? "✓" : `${wrong} wrong`}
              </figcaption>
            </figure>
          );
        })}
      </div>
    </div>
  );
}
