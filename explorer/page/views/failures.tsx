// Failures: puzzles with one blank left, answers that more steps undo, and noise on z with several rollouts.
import { effect } from "@preact/signals";
import type { JSX } from "preact";
import type { Calls, Exam, Puzzle, Rollout, Rollouts } from "../../shared/calls.ts";
import { sigmoid, wrongCells } from "../../shared/frames.ts";
import { firstPlace } from "../../shared/link.ts";
import type { ModelEntry } from "../../shared/models.ts";
import { percent, shareText } from "../../shared/shares.ts";
import { counted, isOrAre } from "../../shared/words.ts";
import { Board } from "../parts/board.tsx";
import { NoiseSliders } from "../parts/noise-sliders.tsx";
import { From } from "../parts/numbers.tsx";
import { Named } from "../parts/sign.tsx";
import { Waiting } from "../parts/waiting.tsx";
import { type ResultFor, resultFor } from "../results.ts";
import { go, link, model, puzzleText, ready, shown, sample as shownSample, steps } from "../state.ts";
import { callWorker } from "../workers.ts";
import { classOf } from "./class.tsx";

export function Failures(): JSX.Element {
  const own = model.value;
  if (!own || ready.value?.name !== own.name) return <Waiting />;
  return (
    <div class="failures">
      <OneBlank own={own} />
      <Undone own={own} />
      <Noise own={own} />
    </div>
  );
}

/** Starts a measurement on the model that is shown. */
function measure<K extends "exam" | "rollouts">(
  into: ResultFor<Calls[K]["result"]>,
  call: K,
  args: Calls[K]["args"],
): void {
  // The first of the rollouts is the prediction without noise.
  const total = args.steps * ("count" in args ? 1 + args.count : 1);
  into.start((signal, report) => {
    const onProgress = (step: number): void => report(`step ${step} of ${total}`);
    return callWorker(call, args, { signal, onProgress: onProgress as never });
  });
}

const modelName = (): string => model.value?.name ?? "";

const textOf = ({ board }: ModelEntry, tokens: readonly number[]): string =>
  tokens.map((token) => board.symbols[token]).join("");

// --- One blank left -------------------------------------------------------------------------------------------------------------

const oneBlank = resultFor<Exam>(() => [modelName(), steps.value].join());

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
  const { result, status, isRunning } = oneBlank.outcome.value;
  const puzzles = almostSolved(own);
  const last = result?.right.at(-1);
  const right = last?.reduce((sum, one) => sum + one, 0) ?? 0;
  const failed = last ? [...last.keys()].filter((i) => last[i] === 0) : [];
  // Longer runs of the usual puzzles are not measured.
  const usualSteps = Math.min(steps.value, own.nSup);
  const usual = own.measured.exact[usualSteps * own.T * own.updates.length - 1]!;
  return (
    <section class="panel">
      <header class="panel-head">
        <h2>One blank left</h2>
        <p class="verdict">{status}</p>
      </header>
      <p>
        Take the answers of {counted(puzzles.length, "puzzle")} and empty a single cell of each. A person fills it in at
        once. The model solves {shareText(usual, own.measured.puzzles)} sample puzzles in{" "}
        {counted(usualSteps, "supervision step")}. How many of these boards does it solve?
      </p>
      <div class="row">
        <button
          type="button"
          class="primary"
          disabled={isRunning}
          onClick={() => measure(oneBlank, "exam", { puzzles, steps: steps.peek() })}
        >
          Measure
        </button>
      </div>
      {result && (
        <>
          <p>
            Completely right: <b>{shareText(right, puzzles.length)}</b>.{" "}
            {right / puzzles.length < usual / own.measured.puzzles
              ? "This is a smaller share than of the usual puzzles. The measurement alone does not show why: the model may not have been trained on such boards."
              : "This is at least as large a share as of the usual puzzles."}
          </p>
          <PuzzleLinks
            texts={failed.map((i) => textOf(own, puzzles[i]!.question))}
            lead={failed.length > 0 ? "Choose one that it fails, for the rollouts below and for Solve:" : ""}
          />
          <From machine={result.machine}>{`${counted(steps.value, "supervision step")}; ${own.samplesFrom}`}</From>
        </>
      )}
    </section>
  );
}

/** Puzzles to choose from. The rollouts below and the view Solve show the chosen one. */
function PuzzleLinks({ texts, lead }: { texts: readonly string[]; lead: string }): JSX.Element {
  const { puzzle } = link.value;
  return (
    <fieldset class="row" aria-label={lead}>
      <span class="note">{lead}</span>
      {texts.slice(0, 6).map((text, i) => (
        <button
          key={text}
          type="button"
          class={puzzle === text ? "primary" : ""}
          aria-pressed={puzzle === text}
          onClick={() => go({ puzzle: text, at: firstPlace })}
        >
          {i + 1}
        </button>
      ))}
    </fieldset>
  );
}

// --- Undone answers ----------------------------------------------------------------------------------------------------------

/** The number of steps of this measurement depends on the model alone. */
const undone = resultFor<Exam>(modelName);
const factor = 4;

function Undone({ own }: { own: ModelEntry }): JSX.Element {
  const { result, status, isRunning } = undone.outcome.value;
  const many = Math.min(64, factor * own.nSup);
  const right = result?.right ?? [];
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
        <h2>Answers that become wrong again</h2>
        <p class="verdict">{status}</p>
      </header>
      <p>
        The model was trained with {counted(own.nSup, "supervision step")}. Here it makes {many}. Do correct answers
        stay correct, and do wrong answers become correct?
      </p>
      <div class="row">
        <button
          type="button"
          class="primary"
          disabled={isRunning}
          onClick={() => measure(undone, "exam", { puzzles: classOf(own), steps: many })}
        >
          Measure
        </button>
      </div>
      {result && (
        <>
          <p>
            <b>{solved}</b> of {counted(count, "puzzle")} {isOrAre(solved)} correct after some step;{" "}
            <b>{lost.length}</b> of these {isOrAre(lost.length)} wrong again at a later one, <b>{never}</b>{" "}
            {isOrAre(never)} never correct. After step {own.nSup}: {percent(rightAfter(right, own.nSup) / count)}, after
            step {many}: {shareText(rightAfter(right, many), count)}.
          </p>
          <PuzzleLinks
            texts={lost.map((i) => own.samples[i]!.question)}
            lead={lost.length > 0 ? "Choose one that is undone, for Solve:" : "No answer was undone here."}
          />
          <From machine={result.machine}>{own.samplesFrom}</From>
        </>
      )}
    </section>
  );
}

const rightAfter = (right: readonly Uint8Array[], step: number): number =>
  right[step - 1]?.reduce((sum, one) => sum + one, 0) ?? 0;

// --- Noise on z ----------------------------------------------------------------------------------------------------------------

/** Rollouts depend on the puzzle that is chosen, on the one that the boards show until that is solved, and on the settings. */
const noisy = resultFor<Rollouts>(() => {
  const { sigma, rollouts } = link.value;
  return [modelName(), puzzleText.value, shown.value?.puzzle.question, steps.value, sigma, rollouts].join();
});

/** Failed samples that the page offers by number. */
const offered = 10;

// A measurement takes long, and the worker must be free for the other views.
effect(() => {
  if (link.value.view === "failures") return;
  for (const measured of [oneBlank, undone, noisy]) measured.cancel("stopped when you left this view");
});

function Noise({ own }: { own: ModelEntry }): JSX.Element | null {
  const puzzle = shown.value?.puzzle;
  const { sigma, rollouts, puzzle: typed } = link.value;
  const sample = shownSample.value;
  if (!puzzle) return null;
  const { result, status, isRunning } = noisy.outcome.value;
  const { failed } = own;
  return (
    <section class="panel noise">
      <header class="panel-head">
        <h2>
          Rollouts: noise on <Named name="z" />, several tries, one answer
        </h2>
        <p class="verdict">{status}</p>
      </header>
      <p>
        A model that gives a wrong answer gives it every time. Noise that is added to z before every supervision step
        makes every try, a <i>rollout</i>, different. The answer is not known when a puzzle is solved, but the model has{" "}
        <Named name="q" />: take the rollout whose q is highest.
      </p>
      <fieldset class="row" aria-label="Puzzle for the rollouts">
        {failed.length === 0 ? (
          <span class="note">
            The model answers all {own.samples.length} sample puzzles correctly, so there is none to rescue among them.
            {own.board.kind === "sudoku" && " Measure “One blank left” for puzzles that it fails."}
          </span>
        ) : (
          <>
            <span class="note">
              It fails {failed.length} of {counted(own.samples.length, "sample puzzle")},{" "}
              {failed.length > offered ? "for example" : "namely"}
            </span>
            {failed.slice(0, offered).map((number) => (
              <button
                key={number}
                type="button"
                class={typed === "" && sample === number ? "primary" : ""}
                aria-pressed={typed === "" && sample === number}
                onClick={() => go({ sample: number, puzzle: "", at: firstPlace })}
              >
                {number}
              </button>
            ))}
          </>
        )}
        <button type="button" class="quiet" onClick={() => go({ view: "solve", at: firstPlace })}>
          {typed === "" ? `Watch puzzle ${sample} in Solve` : "Watch your puzzle in Solve"}
        </button>
      </fieldset>
      <div class="noise-settings">
        <NoiseSliders />
        <button
          type="button"
          class="primary"
          disabled={isRunning}
          onClick={() => measure(noisy, "rollouts", { puzzle, steps: steps.peek(), sigma, count: rollouts })}
        >
          Run {counted(rollouts, "rollout")}
        </button>
      </div>
      {result && <RolloutBoards made={result} puzzle={puzzle} />}
    </section>
  );
}

function RolloutBoards({ made, puzzle }: { made: Rollouts; puzzle: Puzzle }): JSX.Element {
  const { plain, rollouts, byQ, byVote, machine } = made;
  const { truth } = puzzle;
  const votes = rollouts.filter(({ tokens }) => tokens.join() === rollouts[byVote]!.tokens.join()).length;
  const rightCount = rollouts.filter(({ isRight }) => isRight).length;
  const word = ({ tokens, isRight }: Rollout): string => {
    if (isRight === null) return "unknown";
    if (isRight) return "✓ correct";
    return truth ? `${counted(wrongCells(tokens, truth), "cell")} wrong` : "wrong";
  };
  return (
    <>
      <dl class="figures">
        <div>
          <dt>without noise</dt>
          <dd>{word(plain)}</dd>
        </div>
        <div>
          <dt>chosen by q (rollout {byQ + 1})</dt>
          <dd>{word(rollouts[byQ]!)}</dd>
        </div>
        <div>
          <dt>
            most frequent answer ({votes} of {rollouts.length})
          </dt>
          <dd>{word(rollouts[byVote]!)}</dd>
        </div>
        <div>
          <dt>correct rollouts (needs the answer)</dt>
          <dd>{plain.isRight === null ? "unknown" : `${rightCount} of ${rollouts.length}`}</dd>
        </div>
      </dl>
      {votes === rollouts.length && rollouts.length > 1 && (
        <p class="note">All rollouts give the same answer. More noise makes them differ.</p>
      )}
      <ol class="rollouts">
        <RolloutBoard name="Without noise" rollout={plain} puzzle={puzzle} verdict={word(plain)} />
        {rollouts.map((rollout, i) => (
          <RolloutBoard
            key={i}
            name={`Rollout ${i + 1}`}
            rollout={rollout}
            puzzle={puzzle}
            verdict={word(rollout)}
            isChosen={i === byQ}
          />
        ))}
      </ol>
      <From
        machine={machine}
      >{`one puzzle, ${counted(rollouts.length, "rollout")} of ${counted(steps.value, "supervision step")}`}</From>
    </>
  );
}

interface RolloutBoardProps {
  readonly name: string;
  readonly rollout: Rollout;
  readonly puzzle: Puzzle;
  readonly verdict: string;
  readonly isChosen?: boolean;
}

function RolloutBoard({ name, rollout, puzzle, verdict, isChosen = false }: RolloutBoardProps): JSX.Element {
  const { board } = model.value!;
  const { question, truth } = puzzle;
  const { tokens, q, isRight } = rollout;
  const share = `${Math.round(100 * sigmoid(q))}%`;
  const wrong = new Set([...tokens.keys()].filter((cell) => !isRight && truth && tokens[cell] !== truth[cell]));
  return (
    <li class={isChosen ? "chosen" : ""}>
      <p class="rollout-name">
        <b>{name}</b> {isChosen && <span class="mark">chosen by q</span>}
      </p>
      <Board
        board={board}
        size="small"
        label={`${name}: ${verdict}, q ${share}`}
        question={question}
        tokens={tokens}
        wrong={wrong}
      />
      <p class="note">
        {verdict}, <Named name="q" /> {share}
      </p>
    </li>
  );
}
