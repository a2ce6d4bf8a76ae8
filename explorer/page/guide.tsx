// The guide: lessons as data. A lesson is a list of parts; each part has a text, made from the numbers of the model at hand, and the state
// of the page that it starts from. `lesson=first&part=3` in a link shows the text of a part; the link
// has the state of the page as well.
import type { ComponentChildren, JSX } from "preact";
import { framesPerStep, sigmoid, wrongCells } from "../shared/frames.ts";
import { firstPlace, type Link } from "../shared/link.ts";
import { percent } from "../shared/shares.ts";
import { counted, isOrAre } from "../shared/words.ts";
import { QContinue, QHalt } from "./parts/halting.tsx";
import { measuredText } from "./parts/numbers.tsx";
import { Legend, Named } from "./parts/sign.tsx";
import {
  frames,
  go,
  haltingRule,
  isFirstVisit,
  link,
  model,
  play,
  shape,
  sharesNetwork,
  shown,
  stopsAfter,
} from "./state.ts";

interface Part {
  readonly title: string;
  readonly text: () => ComponentChildren;
  /** The state of the page when the visitor arrives at the part. */
  readonly state: () => Partial<Link>;
  readonly plays?: boolean;
}

const updatesBeforeY = (): number => shape.value.updates.length - 1;

/** Wrong cells after the supervision steps, from the trace that is shown. */
function wrongAfter(step: number): number | null {
  const truth = shown.value?.puzzle.truth;
  const made = frames.value[step * framesPerStep(shape.value) - 1];
  return truth && made ? wrongCells(made.tokens, truth) : null;
}

/** The share of the class that y answers correctly after a cycle of step 1. */
const shareAfterCycle = (cycle: number): string =>
  measuredText(model.value!.measured, cycle * shape.value.updates.length - 1) ?? "an unknown number of puzzles";

const cells = (count: number | null): string =>
  count === null ? "an unknown number of cells" : count === 0 ? "no cells" : counted(count, "cell");

const first: readonly Part[] = [
  {
    title: "Watch a solution",
    state: () => ({ view: "solve", at: firstPlace }),
    plays: true,
    text: () => (
      <>
        <p>
          This is a recursive model, a neural network of {counted(model.value!.parameters, "number")} that were learned
          from examples. {goalText()} The network does not contain this rule, and it does not search. It repeats one
          operation: it computes a better answer from the puzzle, its current answer and its latent state.
        </p>
        <p>
          {model.value!.measured.exact.at(-1)! > 0 &&
            `Of ${counted(model.value!.samples.length, "puzzle")} outside its training, this is the one that takes it longest. `}
          Press the play button below, or step with the arrow keys.
        </p>
      </>
    ),
  },
  {
    title: "An answer that is revised",
    state: () => ({ view: "solve", at: { step: 1, cycle: shape.value.T, update: shape.value.updates.length } }),
    text: () => (
      <>
        <p>
          <Named name="y" /> is the current answer. The network improves it in <b>supervision steps</b>, the numbered
          boxes at the bottom of the page. (A training corrects the network after each of them, hence the name.)
        </p>
        <p>
          After step 1, {cells(wrongAfter(1))} of the answer {isOrAre(wrongAfter(1) ?? 0)} wrong; after step{" "}
          {shape.value.steps}, {cells(wrongAfter(shape.value.steps))}.
        </p>
        <p>An outline marks what the last update changed, a bar the network’s confidence.</p>
      </>
    ),
  },
  {
    title: "A second state",
    state: () => ({ view: "solve", at: { step: 1, cycle: 1, update: 1 } }),
    text: () => (
      <>
        <p>
          Before each new answer the network updates <Named name="z" />, its working notes,{" "}
          {counted(updatesBeforeY(), "time")}. Both y and z are lists of numbers, equally many for every cell. The{" "}
          <b>output head</b>, a last small layer, turns the numbers of y into the symbols on the board.
        </p>
        <p>
          z is for the network’s own use, and no term of the loss depends on what it decodes to. But we can put it
          through the same output head. The small board shows what comes out.
        </p>
        <p>{zQuestion()}</p>
      </>
    ),
  },
  {
    title: "When to stop",
    state: () => ({
      view: "solve",
      at: {
        step: stopsAfter.value ?? shape.value.steps,
        cycle: shape.value.T,
        update: shape.value.updates.length,
      },
    }),
    text: () => <>{qText()}</>,
  },
  {
    title: "One network, two jobs",
    state: () => ({ view: "inside", at: { step: 1, cycle: 1, update: 1 } }),
    text: () => (
      <>
        <p>
          A supervision step has <i>T</i> = {counted(shape.value.T, "cycle")}, drawn as strips. Each updates{" "}
          <Named name="z" /> {counted(updatesBeforeY(), "time")}, then <Named name="y" /> once
          {sharesNetwork.value && ", with the same network"}.
        </p>
        <p>
          {sharesNetwork.value ? "What goes in tells it which job to do: the" : "The"} puzzle <Named name="x" />, as
          numbers, is in the sum when z is updated, and not when y is. Step through the boxes and watch the line that
          lights up in the source code.
        </p>
      </>
    ),
  },
  {
    title: "What learning needs",
    state: () => ({ view: "inside", at: { step: 1, cycle: shape.value.T, update: 1 } }),
    text: () => (
      <>
        <p>
          A training measures how wrong the answer is, the <b>loss</b>, and must find out how each of the network’s
          numbers contributed to it. So the operations of this cycle are recorded on a <b>tape</b>. Running back along
          it gives the <b>gradient</b>: how the loss changes with every number.
        </p>
        <p>A tape costs memory for every operation it holds. Recording all cycles would be expensive.</p>
      </>
    ),
  },
  {
    title: "T − 1 cycles leave no tape",
    state: () => ({ view: "inside", at: { step: 1, cycle: 1, update: 1 } }),
    text: () => {
      const { T } = shape.value;
      if (T === 1) return <p>This model has T = 1: its only cycle is on the tape. Choose a model with T above 1.</p>;
      return (
        <>
          <p>
            The hatched {T === 2 ? "strip runs" : "strips run"} inside <code>noGrad</code>, which records nothing:{" "}
            <span class="nowrap">
              <i>T</i> − 1 = {T - 1}
            </span>{" "}
            of the {counted(T, "cycle")} {T === 2 ? "leaves" : "leave"} no tape. {T === 2 ? "It costs" : "They cost"}{" "}
            time, but no memory, and no gradient passes through {T === 2 ? "it" : "them"}.
          </p>
          <p>
            {T === 2 ? "Does it" : "Do they"} contribute? After cycle 1 of step 1, y is completely correct on{" "}
            {shareAfterCycle(1)}; after cycle {T}, on {shareAfterCycle(T)}.
          </p>
          <p>
            The memory of a training step therefore does not grow with T. What is the price? The view Gradients measures
            how much the gradient leaves out.
          </p>
        </>
      );
    },
  },
];

/** What the puzzle asks for, in one sentence. */
function goalText(): string {
  const { kind, rows } = model.value!.board;
  if (kind === "sudoku") return `Every row, column and box needs the digits 1 to ${rows}, each once.`;
  return kind === "maze" ? "The answer is a shortest path from S to G." : "";
}

function zQuestion(): ComponentChildren {
  const { exact, puzzles } = model.value!.measured;
  const { updates } = shape.value;
  const lastZ = updates.length - 2;
  if (lastZ < 0) return "This model has no z.";
  return (
    <>
      Of {counted(puzzles, "puzzle")}, z decoded like this is the complete answer for {percent(exact[0]! / puzzles)}{" "}
      after its very first update and for {percent(exact[exact.length - 2]! / puzzles)} after its very last one; y is
      for {percent(exact.at(-1)! / puzzles)}. What would you say z holds?
    </>
  );
}

function qText(): ComponentChildren {
  const step = stopsAfter.value;
  const made = step === null ? null : frames.value[step * framesPerStep(shape.value) - 1];
  const wrong = step === null ? null : wrongAfter(step);
  const verdict =
    wrong === null
      ? ""
      : wrong === 0
        ? "The answer is correct: no cell is wrong."
        : `The answer is wrong: ${counted(wrong, "cell")} ${isOrAre(wrong)} wrong.`;
  if (haltingRule.value.comparesContinue) {
    return (
      <>
        <p>
          After every update of y the network also makes two estimates, <Named name="q" />. <QHalt /> is the chance that
          the whole answer is correct now; <QContinue /> is that chance if the model continues. The model may stop when
          the first is larger.
        </p>
        <p>
          {step === null ? (
            <>
              On this puzzle <QHalt /> is not larger after any step.
            </>
          ) : (
            <>
              Here <QHalt /> is larger after step {step}. {verdict}
            </>
          )}
        </p>
      </>
    );
  }
  return (
    <>
      <p>
        After every update of y the network also says how likely it is that the whole answer is correct:{" "}
        <Named name="q" />. Above 50% it may stop.
      </p>
      <p>
        {made?.q
          ? `Here q reaches ${Math.round(100 * sigmoid(made.q.halt))}% after step ${step}. ${verdict}`
          : "On this puzzle q never gets there."}
      </p>
    </>
  );
}

const lessons: Readonly<Record<string, readonly Part[]>> = { first };

export function startGuide(): void {
  if (isFirstVisit) openPart(1);
}

/** Opens a part of the lesson in the link, or of the first lesson if the link has none. */
function openPart(part: number): void {
  const lesson = link.value.lesson || "first";
  const chosen = lessons[lesson]?.[part - 1];
  if (!chosen) return;
  go({ ...chosen.state(), lesson, part });
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  play(chosen.plays === true && !isCalm);
}

/** Leaves the tour, or starts it, and gives the focus to the button that takes the place of the pressed one. */
function switchTour(change: () => void): void {
  change();
  requestAnimationFrame(() => document.querySelector<HTMLElement>(".guide .primary, .guide-closed button")?.focus());
}

const closeTour = (): void => switchTour(() => go({ lesson: "", part: 1 }));

export function Guide(): JSX.Element | null {
  const parts = lessons[link.value.lesson];
  if (!shown.value || !model.value) return null;
  if (!parts) {
    return (
      <aside class="guide guide-closed">
        <Legend />
        <button type="button" class="quiet" onClick={() => switchTour(() => openPart(1))}>
          What is this? Start the tour
        </button>
      </aside>
    );
  }
  const number = Math.min(link.value.part, parts.length);
  const part = parts[number - 1]!;
  const isLast = number === parts.length;
  return (
    <aside class="guide" aria-label="Tour">
      <p class="guide-count number">
        {number} / {parts.length}
      </p>
      <h1 aria-live="polite">{part.title}</h1>
      <div class="guide-text">{part.text()}</div>
      <div class="row">
        <button type="button" disabled={number === 1} onClick={() => openPart(number - 1)}>
          Back
        </button>
        {isLast ? (
          <button type="button" class="primary" onClick={closeTour}>
            Explore on your own
          </button>
        ) : (
          <button type="button" class="primary" onClick={() => openPart(number + 1)}>
            Next
          </button>
        )}
        {!isLast && (
          <button type="button" class="quiet" onClick={closeTour}>
            Close
          </button>
        )}
      </div>
      <Legend />
    </aside>
  );
}
