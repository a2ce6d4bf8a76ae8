// Failures: puzzles with one blank left, answers that more steps undo, and noise on z with several rollouts.
import { effect, type Signal, signal } from "@preact/signals";
import type { JSX } from "preact";
import type { Calls, Exam, Puzzle, Rollout } from "../../shared/calls.ts";
import { sigmoid, wrongCells } from "../../shared/frames.ts";
import { percent, shareText } from "../../shared/interval.ts";
import type { Machine, ModelEntry } from "../../shared/models.ts";
import { Board } from "../parts/board.tsx";
import { From } from "../parts/numbers.tsx";
import { Named } from "../parts/sign.tsx";
import { go, link, model, ready, shown, steps } from "../state.ts";
import { callWorker } from "../workers.ts";
import { classOf } from "./class.tsx";

export function Failures(): JSX.Element {
  const own = model.value;
  if (!own || ready.value?.name !== own.name) return <p class="waiting-text">Loading the model…</p>;
  return (
    <div class="failures">
      <OneBlank own={own} />
      <Undone own={own} />
      <Noise />
    </div>
  );
}

/** A measurement that the visitor starts. */
interface Measurement<T> {
  readonly model: string;
  readonly status: string;
  readonly result: T | null;
}

const restart = { step: 0, cycle: 0, update: 0 };

function measure<K extends "exam" | "rollouts">(
  into: Signal<Measurement<Calls[K]["result"]> | null>,
  call: K,
  args: Calls[K]["args"],
): void {
  const { name } = model.peek()!;
  const total = args.steps;
  into.value = { model: name, status: "starting", result: null };
  const onProgress = (step: number): void => {
    into.value = { model: name, status: `step ${step} of ${total}`, result: null };
  };
  callWorker(call, args, { onProgress: onProgress as never }).then(
    (result) => {
      into.value = { model: name, status: "", result };
    },
    (error: Error) => {
      into.value = { model: name, status: error.message, result: null };
    },
  );
}

/** What was measured on the model that is shown. */
function current<T>(measurement: Signal<Measurement<T> | null>): Measurement<T> | null {
  const own = measurement.value;
  return own && own.model === model.value?.name ? own : null;
}

const textOf = ({ board }: ModelEntry, tokens: readonly number[]): string =>
  tokens.map((token) => board.symbols[token]).join("");

// --- One blank left -------------------------------------------------------------------------------------------------------------

const oneBlank = signal<Measurement<Exam> | null>(null);

/** The answers of the class with one cell emptied, another cell for every puzzle. */
function almostSolved(own: ModelEntry): Puzzle[] {
  return classOf(own).map(({ question, truth }, i) => {
    const blanks = [...question.keys()].filter((cell) => question[cell] === 1);
    const cell = blanks[(7 * i) % blanks.length]!;
    return { question: truth!.with(cell, 1), truth };
  });
}

function OneBlank({ own }: { own: ModelEntry }): JSX.Element | null {
  if (own.board.kind !== "sudoku") return null;
  const made = current(oneBlank);
  const puzzles = almostSolved(own);
  const last = made?.result?.right.at(-1);
  const right = last?.reduce((sum, one) => sum + one, 0) ?? 0;
  const failed = last ? [...last.keys()].filter((i) => last[i] === 0) : [];
  const usual = own.measured.exact.at(-1)!;
  return (
    <section class="panel">
      <header class="panel-head">
        <h2>One blank left</h2>
        <p class="verdict">{made?.status}</p>
      </header>
      <p>
        Take the answers of {puzzles.length} puzzles and empty a single cell of each. A person fills it at a glance. The
        model solves {shareText(usual, own.measured.puzzles)} of the usual puzzles. And these?
      </p>
      <div class="row">
        <button
          type="button"
          class="primary"
          disabled={made !== null && made.result === null && made.status !== ""}
          onClick={() => measure(oneBlank, "exam", { puzzles, steps: steps.peek() })}
        >
          Measure
        </button>
      </div>
      {made?.result && (
        <>
          <p>
            Completely right: <b>{shareText(right, puzzles.length)}</b>.{" "}
            {right / puzzles.length < usual / own.measured.puzzles
              ? "Fewer than of the usual puzzles: it has not met such boards in training."
              : "No fewer than of the usual puzzles."}
          </p>
          <PuzzleLinks
            texts={failed.map((i) => textOf(own, puzzles[i]!.question))}
            lead={failed.length > 0 ? "Watch one that it fails:" : ""}
          />
          <From machine={made.result.machine}>{`${steps.value} supervision steps; ${own.samplesFrom}`}</From>
        </>
      )}
    </section>
  );
}

function PuzzleLinks({ texts, lead }: { texts: readonly string[]; lead: string }): JSX.Element {
  return (
    <div class="row note">
      {lead}
      {texts.slice(0, 6).map((text, i) => (
        <button key={text} type="button" onClick={() => go({ puzzle: text, view: "solve", at: restart })}>
          {i + 1}
        </button>
      ))}
    </div>
  );
}

// --- Undone answers ----------------------------------------------------------------------------------------------------------

const undone = signal<Measurement<Exam> | null>(null);
const factor = 4;

function Undone({ own }: { own: ModelEntry }): JSX.Element {
  const made = current(undone);
  const many = Math.min(64, factor * own.nSup);
  const right = made?.result?.right ?? [];
  const count = own.samples.length;
  const everRight = Array.from({ length: count }, (_, i) => right.findIndex((row) => row[i] === 1));
  const lost = [...everRight.keys()].filter(
    (i) => everRight[i]! >= 0 && right.slice(everRight[i]).some((row) => row[i] === 0),
  );
  const solved = everRight.filter((step) => step >= 0).length;
  const never = count - solved;
  return (
    <section class="panel">
      <header class="panel-head">
        <h2>An answer that more steps undo</h2>
        <p class="verdict">{made?.status}</p>
      </header>
      <p>
        The model was trained with {own.nSup} supervision steps. Give it {many}. Does an answer that is correct stay
        correct, and does more time rescue the wrong ones?
      </p>
      <div class="row">
        <button
          type="button"
          class="primary"
          disabled={made !== null && made.result === null && made.status !== ""}
          onClick={() => measure(undone, "exam", { puzzles: classOf(own), steps: many })}
        >
          Measure
        </button>
      </div>
      {made?.result && (
        <>
          <p>
            <b>{solved}</b> of {count} puzzles are correct after some step; <b>{lost.length}</b> of these are wrong
            again at a later one, <b>{never}</b> are never correct. After step {own.nSup}:{" "}
            {percent(rightAfter(right, own.nSup) / count)}, after step {many}:{" "}
            {shareText(rightAfter(right, many), count)}.
          </p>
          <PuzzleLinks
            texts={lost.map((i) => own.samples[i]!.question)}
            lead={lost.length > 0 ? "Watch one that is undone:" : "No answer was undone here."}
          />
          <From machine={made.result.machine}>{own.samplesFrom}</From>
        </>
      )}
    </section>
  );
}

const rightAfter = (right: readonly Uint8Array[], step: number): number =>
  right[step - 1]?.reduce((sum, one) => sum + one, 0) ?? 0;

// --- Noise on z ----------------------------------------------------------------------------------------------------------------

const noisy = signal<Measurement<{ readonly rollouts: readonly Rollout[]; readonly machine: Machine }> | null>(null);

// Another puzzle or setting leaves nothing of the old rollouts.
effect(() => {
  const { sigma, rollouts } = link.value;
  void [sigma, rollouts, shown.value?.puzzle];
  noisy.value = null;
});

function Noise(): JSX.Element | null {
  const puzzle = shown.value?.puzzle;
  const { sigma, rollouts } = link.value;
  if (!puzzle) return null;
  const made = current(noisy);
  return (
    <section class="panel noise">
      <header class="panel-head">
        <h2>
          Noise on <Named name="z" />, several tries, one answer
        </h2>
        <p class="verdict">{made?.status}</p>
      </header>
      <p>
        Before every supervision step normal noise is added to z, differently in every rollout. The puzzle is the one
        that is open in Solve. Which rollout to believe? The one whose <Named name="q" /> is highest, or the answer that
        most of them give?
      </p>
      <div class="noise-settings">
        <label class="setting">
          <span>
            standard deviation σ <b class="number">{sigma}</b>
          </span>
          <input
            type="range"
            min={0}
            max={4}
            step={0.1}
            value={sigma}
            onInput={(event) => go({ sigma: Number(event.currentTarget.value) })}
          />
        </label>
        <label class="setting">
          <span>
            rollouts <b class="number">{rollouts}</b>
          </span>
          <input
            type="range"
            min={1}
            max={32}
            value={rollouts}
            onInput={(event) => go({ rollouts: Number(event.currentTarget.value) })}
          />
        </label>
        <button
          type="button"
          class="primary"
          disabled={made !== null && made.result === null && made.status !== ""}
          onClick={() => measure(noisy, "rollouts", { puzzle, steps: steps.peek(), sigma, count: rollouts })}
        >
          Run
        </button>
      </div>
      {made?.result && <Rollouts rollouts={made.result.rollouts} puzzle={puzzle} machine={made.result.machine} />}
    </section>
  );
}

interface RolloutsProps {
  readonly rollouts: readonly Rollout[];
  readonly puzzle: Puzzle;
  readonly machine: Machine;
}

function Rollouts({ rollouts, puzzle, machine }: RolloutsProps): JSX.Element {
  const { board } = model.value!;
  const { question, truth } = puzzle;
  const keys = rollouts.map(({ tokens }) => tokens.join());
  const votes = keys.map((key) => keys.filter((other) => other === key).length);
  const isRight = rollouts.map(({ tokens }) => truth !== null && wrongCells(tokens, truth) === 0);
  // Ties go to the first rollout.
  const best = rollouts.reduce((a, { q }, i) => (q > rollouts[a]!.q ? i : a), 0);
  const voted = votes.reduce((a, count, i) => (count > votes[a]! ? i : a), 0);
  const rightCount = isRight.filter(Boolean).length;
  const word = (right: boolean): string => (truth === null ? "unknown" : right ? "correct" : "wrong");
  return (
    <>
      <dl class="figures">
        <div>
          <dt>rollouts that are correct</dt>
          <dd>
            {rightCount} of {rollouts.length}
          </dd>
        </div>
        <div>
          <dt>highest q (rollout {best + 1})</dt>
          <dd>{word(isRight[best]!)}</dd>
        </div>
        <div>
          <dt>most frequent answer ({votes[voted]} votes)</dt>
          <dd>{word(isRight[voted]!)}</dd>
        </div>
        <div>
          <dt>any rollout (needs an oracle)</dt>
          <dd>{word(rightCount > 0)}</dd>
        </div>
      </dl>
      <ol class="rollouts">
        {rollouts.map(({ tokens, q }, i) => (
          <li key={i} class={i === best ? "best" : ""}>
            <Board
              board={board}
              size="small"
              label={`Rollout ${i + 1}: ${word(isRight[i]!)}, q ${Math.round(100 * sigmoid(q))}%`}
              question={question}
              tokens={tokens}
            />
            <p class="note">
              <b>{truth === null ? "" : isRight[i] ? "✓ correct" : `${wrongCells(tokens, truth)} wrong`}</b>, q{" "}
              {Math.round(100 * sigmoid(q))}%{i === best && ", highest q"}
            </p>
          </li>
        ))}
      </ol>
      <From machine={machine}>{`one puzzle, ${rollouts.length} rollouts of ${steps.value} supervision steps`}</From>
    </>
  );
}
