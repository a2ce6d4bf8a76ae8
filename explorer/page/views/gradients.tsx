// Gradients: the tape of the current supervision step, fused operations that unfold to their definition, and one number of the network
// that is nudged to compare the gradient of the tape with difference quotients.

import { math } from "virtual:written-content";
import { effect, signal } from "@preact/signals";
import type { JSX } from "preact";
import type { Entry, Nudge, TapeOfStep, Unfolded } from "../../shared/calls.ts";
import { counted } from "../../shared/words.ts";
import { From } from "../parts/numbers.tsx";
import { Waiting } from "../parts/waiting.tsx";
import { useWidth } from "../parts/width.ts";
import { type Outcome, pause, resultFor } from "../results.ts";
import { link, lossNote, model, place, ready, shape, shown } from "../state.ts";
import { callWorker } from "../workers.ts";

/** The number that is nudged. An empty name stands for the worker's choice, -1 for the entry with the largest gradient. */
const chosen = signal<{ readonly parameter: string; readonly entry: number }>({ parameter: "", entry: -1 });
/** The operation that is opened in the list of the tape. */
const opened = signal<{ readonly index: number; readonly operation: string } | null>(null);

/** A result and the supervision step that it was computed for, which its heading names until there is one for the current step. */
type OfStep<T> = T & { readonly step: number };

const subject = (): string => JSON.stringify([model.value?.name, shown.value?.puzzle]);
const tape = resultFor<OfStep<TapeOfStep>>(subject);
const nudged = resultFor<OfStep<Nudge>>(subject);
const unfolded = resultFor<Unfolded>(() => opened.value?.operation ?? "");

effect(() => {
  const own = model.value;
  const current = shown.value;
  const step = Math.max(1, place.value.step);
  const { parameter, entry } = chosen.value;
  tape.cancel();
  nudged.cancel();
  if (link.value.view !== "gradients" || !current || !own || ready.value?.name !== own.name) return;
  const { puzzle } = current;
  tape.start(async (signal) => {
    await pause(150, signal);
    return { step, ...(await callWorker("tape", { puzzle, step }, { signal })) };
  });
  nudged.start(async (signal) => {
    await pause(150, signal);
    return { step, ...(await callWorker("nudge", { puzzle, step, parameter, entry }, { signal })) };
  });
});

function open(index: number, { operation, isFused }: TapeOfStep["entries"][number]): void {
  const isOpen = opened.peek()?.index === index && opened.peek()?.operation === operation;
  opened.value = isOpen ? null : { index, operation };
  if (isOpen || !isFused) return;
  unfolded.start((signal) => callWorker("unfold", { operation }, { signal }));
}

/** What a panel says before its result is there. */
const waitingFor = <T,>({ status, isRunning }: Outcome<T>, work: string): string =>
  isRunning || !status ? work : status;

export function Gradients(): JSX.Element {
  const { result } = tape.outcome.value;
  if (!result) return <Waiting>{waitingFor(tape.outcome.value, "Recording the tape…")}</Waiting>;
  return (
    <div class="gradients">
      <Problem />
      <TapeList made={result} />
      <NudgePanel />
    </div>
  );
}

/** Why there is no result for the current step; the panels keep an earlier one. */
function Problem(): JSX.Element | null {
  const failed = [tape, nudged]
    .map(({ outcome }) => outcome.value)
    .find(({ status, isRunning }) => status && !isRunning);
  return failed ? (
    <p class="error" role="alert">
      {failed.status}
    </p>
  ) : null;
}

function TapeList({ made }: { made: OfStep<TapeOfStep> }): JSX.Element {
  const { step, entries, unfused } = made;
  const owners = [...new Set(entries.map(({ owner }) => owner))];
  const { T } = shape.value;
  return (
    <section class="panel">
      <header class="panel-head">
        <h2>The tape of step {step}</h2>
        <p class="verdict">
          {counted(entries.length, "operation")}; {unfused} without fusing
        </p>
      </header>
      <p class="note">
        The operations were recorded in this order; the gradients are computed in the reverse order.{" "}
        {T === 2 && "Cycle 1 is not here: it left no tape. "}
        {T > 2 && `Cycles 1 to ${T - 1} left no tape, so they are not here. `}
        Press an operation for its equation; <b>▸</b> marks a fused one, which unfolds to its definition. On the right
        are its inputs: the number of an earlier operation, a <i>leaf</i> (a parameter of the network), or a{" "}
        <i>constant</i>, which needs no gradient.
      </p>
      {owners.map((owner) => (
        <div key={owner} class="tape-group">
          <h3>{owner}</h3>
          <ol class="tape-list">
            {entries.map((entry, index) => {
              if (entry.owner !== owner) return null;
              const isOpen = opened.value?.index === index && opened.value.operation === entry.operation;
              return (
                <li key={index}>
                  <button type="button" class="tape-entry" aria-expanded={isOpen} onClick={() => open(index, entry)}>
                    <span class="number note">{index + 1}</span>
                    <code>
                      {entry.isFused ? "▸ " : ""}
                      {entry.operation}
                    </code>
                    <span class="note">[{entry.shape.join(", ")}]</span>
                    <span class="note tape-inputs">{inputsText(entry)}</span>
                  </button>
                  {isOpen && (
                    <div class="tape-detail">
                      <p>
                        <code>{entry.equation}</code>
                      </p>
                      {entry.isFused && <Definition />}
                    </div>
                  )}
                </li>
              );
            })}
          </ol>
        </div>
      ))}
    </section>
  );
}

const inputsText = ({ inputs }: Entry): string =>
  inputs.map((input) => (typeof input === "number" ? `#${input + 1}` : (input ?? "constant"))).join(", ");

function Definition(): JSX.Element {
  const { result } = unfolded.outcome.value;
  if (!result) return <p class="note">{waitingFor(unfolded.outcome.value, "Unfolding…")}</p>;
  return (
    <>
      <p class="note">
        One kernel runs it. Its definition has {counted(result.entries.length, "operation")}, here recorded on a small
        example with inputs {result.inputs.map((size) => `[${size.join(", ")}]`).join(" and ")}:
      </p>
      <ol class="tape-list small">
        {result.entries.map((entry, i) => (
          <li key={i}>
            <code>{entry.operation}</code> <span class="note">[{entry.shape.join(", ")}]</span>{" "}
            <span class="note">{inputsText(entry)}</span>
          </li>
        ))}
      </ol>
    </>
  );
}

// --- Nudging a number ---------------------------------------------------------------------------------------------------------

function NudgePanel(): JSX.Element {
  const { result: made } = nudged.outcome.value;
  if (!made)
    return <section class="panel">{waitingFor(nudged.outcome.value, "Nudging a number of the network…")}</section>;
  const { step, parameters, parameter, entry, value, analytic, quotients } = made;
  const size = parameters
    .find(({ name }) => name === parameter)!
    .shape.reduce((product, length) => product * length, 1);
  const best = quotients.reduce((a, b) => (Math.abs(b.last - analytic) < Math.abs(a.last - analytic) ? b : a));
  const { T } = shape.value;
  return (
    <section class="panel nudge">
      <header class="panel-head">
        <h2>Is the gradient of step {step} correct? Nudge a number and see.</h2>
      </header>
      <div class="nudge-choice">
        <label>
          Parameter
          <select
            value={parameter}
            onChange={(event) => (chosen.value = { parameter: event.currentTarget.value, entry: -1 })}
          >
            {parameters.map(({ name, shape: own }) => (
              <option key={name} value={name}>
                {name} [{own.join(", ")}]
              </option>
            ))}
          </select>
        </label>
        <div class="row">
          <button type="button" onClick={() => (chosen.value = { parameter, entry: -1 })}>
            Largest gradient
          </button>
          <button type="button" onClick={() => (chosen.value = { parameter, entry: Math.floor(Math.random() * size) })}>
            Random number
          </button>
        </div>
      </div>
      <dl class="figures">
        <div>
          <dt>
            number {entry + 1} of {size}
          </dt>
          <dd class="number">{value.toFixed(4)}</dd>
        </div>
        <div>
          <dt>gradient by the tape</dt>
          <dd class="number">{analytic.toPrecision(4)}</dd>
        </div>
        <div>
          <dt>slope by nudging, last cycle only</dt>
          <dd class="number">{best.last.toPrecision(4)}</dd>
        </div>
        <div>
          <dt>slope by nudging, {T === 1 ? "the whole step" : `all ${counted(T, "cycle")}`}</dt>
          <dd class="number">{best.whole.toPrecision(4)}</dd>
        </div>
      </dl>
      <Quotients made={made} />
      <p>
        {T > 1 && "With the cycles before the last held fixed, "}
        {T > 1 ? "nudging" : "Nudging"} comes within {differenceOf(best.last, analytic)} of the tape.{" "}
        {T > 1 &&
          `Nudging the number in all cycles gives a slope that differs by ${differenceOf(best.whole, analytic)}: it also changes the cycles that left no tape, which the training ignores.`}
        {Math.abs(analytic) < 1e-3 &&
          " The slope is so small here that rounding to float32 makes the quotients inexact."}
        {lossNote.value}
      </p>
      <From machine={made.machine}>{`loss ${made.loss.toFixed(5)}, float32; quotients at h = ${best.h}`}</From>
    </section>
  );
}

/** The relative difference of a slope from another one. */
const differenceOf = (slope: number, from: number): string =>
  `${Number((100 * Math.abs((slope - from) / (from || 1))).toPrecision(2))}%`;

const [height, top, bottom, left, right] = [220, 12, 44, 62, 26];

/** The error of the difference quotient by the size of the nudge: too large is not a slope any more, too small drowns in rounding. */
function Quotients({ made }: { made: Nudge }): JSX.Element {
  const [figure, width] = useWidth(520);
  const { quotients, analytic } = made;
  const scale = Math.max(Math.abs(analytic), 1e-12);
  const [least, most] = [1e-6, 10];
  const logs = Math.log(most / least);
  const y = (error: number): number =>
    top + (1 - Math.log(Math.max(least, Math.min(most, error)) / least) / logs) * (height - top - bottom);
  const x = (h: number): number => left + ((Math.log10(h) + 6) / 6) * (width - left - right);
  const errors = quotients.map(({ h, last, whole }) => ({
    h,
    last: Math.abs(last - analytic) / scale,
    whole: Math.abs(whole - analytic) / scale,
  }));
  const path = (key: "last" | "whole"): string =>
    errors.map((error, i) => `${i === 0 ? "M" : "L"}${x(error.h).toFixed(1)} ${y(error[key]).toFixed(1)}`).join("");
  return (
    <figure class="quotients" ref={figure}>
      <figcaption>
        Relative difference of the slope <span class="formula" dangerouslySetInnerHTML={{ __html: math.numeric! }} />{" "}
        from the gradient of the tape, for the loss <i>L</i>, the number <i>w</i> and a nudge <i>h</i>
      </figcaption>
      <svg
        class="drawing"
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label="Relative difference by the size of the nudge; the table has the numbers"
      >
        {[1e-6, 1e-4, 1e-2, 1].map((error) => (
          <g key={error}>
            <line class="axis" x1={left} x2={width - right} y1={y(error)} y2={y(error)} />
            <text class="tick" x={left - 8} y={y(error) + 4} text-anchor="end">
              {Number((100 * error).toPrecision(1))}%
            </text>
          </g>
        ))}
        {[1e-6, 1e-4, 1e-2, 1].map((h) => (
          <text key={h} class="tick" x={x(h)} y={height - 24} text-anchor="middle">
            {h === 1 ? "1" : h.toExponential(0)}
          </text>
        ))}
        <text class="tick" x={(left + width - right) / 2} y={height - 6} text-anchor="middle">
          nudge h
        </text>
        {width >= 400 && (
          <>
            <text class="tick" x={left} y={height - 6}>
              ← rounding errors
            </text>
            <text class="tick" x={width - right} y={height - 6} text-anchor="end">
              too large for a slope →
            </text>
          </>
        )}
        <path class="curve curve-whole" d={path("whole")} />
        <path class="curve curve-last" d={path("last")} />
        {errors.map(({ h, last }) => (
          <circle key={h} class="dot-last" cx={x(h)} cy={y(last)} r={3.5} />
        ))}
      </svg>
      <p class="note key">
        <span>
          <span class="dash" aria-hidden="true" /> last cycle only
        </span>
        <span>
          <span class="dash second" aria-hidden="true" /> all cycles
        </span>
      </p>
      <details class="table">
        <summary>Table</summary>
        <table>
          <thead>
            <tr>
              <th>h</th>
              <th>last cycle only</th>
              <th>all cycles</th>
            </tr>
          </thead>
          <tbody>
            {quotients.map(({ h, last, whole }) => (
              <tr key={h}>
                <td>{h}</td>
                <td>{last.toPrecision(6)}</td>
                <td>{whole.toPrecision(6)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
