// Inside a step: the cycles of one supervision step as strips of updates, the running line of the source, and what one update left
// behind: its numbers, its tape, its gradient.

import { code, math } from "virtual:written-content";
import { effect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Inspection } from "../../shared/calls.ts";
import { changedCells, indexOf, wrongCells } from "../../shared/frames.ts";
import type { Place } from "../../shared/link.ts";
import { counted } from "../../shared/words.ts";
import { Board } from "../parts/board.tsx";
import { From } from "../parts/numbers.tsx";
import { Paths } from "../parts/path.tsx";
import { Named, Sign, signOf } from "../parts/sign.tsx";
import { Waiting } from "../parts/waiting.tsx";
import { pause, resultFor } from "../results.ts";
import {
  frame,
  frames,
  index,
  isPlaying,
  link,
  lossNote,
  model,
  moveTo,
  output,
  place,
  shape,
  sharesNetwork,
  shown,
  shows,
  workerError,
} from "../state.ts";
import { callWorker } from "../workers.ts";

export function Inside(): JSX.Element {
  const own = model.value;
  if (!own || !shown.value) return <Waiting />;
  const { T, updates } = shape.value;
  const step = Math.max(1, place.value.step);
  return (
    <div class="inside">
      <section class="panel strips" aria-label={`The updates of supervision step ${step}`}>
        <header class="panel-head">
          <h2>Supervision step {step}</h2>
          <p class="verdict">
            {counted(T, "cycle")} of {counted(updates.length, "update")}
            {sharesNetwork.value && ", one network"}
          </p>
        </header>
        {Array.from({ length: T }, (_, i) => (
          <Cycle key={i} step={step} cycle={i + 1} />
        ))}
      </section>
      {shows("code") && <Code />}
      {shows("detail") && (
        <section class="panel wide" aria-label="The paths of y and z">
          <Paths />
        </section>
      )}
      {shows("detail") && <Detail />}
    </div>
  );
}

function Cycle({ step, cycle }: { step: number; cycle: number }): JSX.Element {
  const { T, updates } = shape.value;
  const first = indexOf({ step, cycle, update: 1 }, shape.value);
  const own = frames.value.slice(first, first + updates.length);
  const isOnTape = own.some(({ onTape }) => onTape) || (own.length === 0 && cycle === T);
  const isPartly = isOnTape && own.some(({ onTape }) => !onTape);
  const { question, truth } = shown.value!.puzzle;
  return (
    <div class={`cycle${isOnTape ? "" : " no-tape"}`}>
      <p class="cycle-name">
        <b>cycle {cycle}</b>{" "}
        <span class="tape-word">{isOnTape ? `● ${isPartly ? "partly " : ""}on the tape` : "○ leaves no tape"}</span>
      </p>
      <ol class="boxes" style={{ "--boxes": updates.length }}>
        {updates.map((latent, i) => {
          const at = first + i;
          const made = own[i];
          const name = signOf(latent, output.value);
          const isCurrent = at === index.value;
          return (
            <li key={at}>
              <button
                type="button"
                class={`box box-${name}${isCurrent ? " current" : ""}${at > index.value ? " ahead" : ""}`}
                aria-current={isCurrent ? "step" : undefined}
                onClick={() => moveTo(at)}
              >
                <span class="sr-only">
                  cycle {cycle}, update {i + 1}, {(made?.onTape ?? isOnTape) ? "on the tape" : "leaves no tape"}:
                </span>
                <span class="box-head">
                  <Sign name={name} hollow={!(made?.onTape ?? isOnTape)} />
                  <i>{latent}</i>
                  <span class="box-terms">{name === "z" ? "x + y + z" : "y + z"}</span>
                </span>
                {made && (
                  <span class="box-body">
                    <Board
                      board={model.value!.board}
                      size="tiny"
                      label={`${latent} decoded`}
                      question={question}
                      tokens={made.tokens}
                      changed={changedCells(frames.value, latent, at, question)}
                    />
                    <span class="box-fact">
                      {truth
                        ? wrongCells(made.tokens, truth) === 0
                          ? "✓ correct"
                          : `${wrongCells(made.tokens, truth)} wrong`
                        : ""}
                    </span>
                    <Move value={made.move} />
                  </span>
                )}
              </button>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

/** How far the latent moved, as a bar on a scale that all frames share. */
function Move({ value }: { value: number }): JSX.Element {
  const most = Math.max(...frames.value.map(({ move }) => move), 1e-9);
  return (
    <span class="move" title={`moved by ${value.toFixed(2)}`}>
      <span style={{ width: `${(100 * value) / most}%` }} />
    </span>
  );
}

// --- The source ----------------------------------------------------------------------------------------------------------

/** The lines of the recursion that are shown for a source file, from and to, counted from 1. */
function excerpt(file: string, running: number | null): readonly [number, number] {
  const lines = code[file]?.length ?? 0;
  if (file.endsWith("recursion.ts")) return [13, lines - 1]; // the functions, without the end of the file
  return [Math.max(1, (running ?? 1) - 8), Math.min(lines, (running ?? 1) + 5)];
}

function Code(): JSX.Element | null {
  const file = model.value!.source ?? "src/trm/recursion.ts";
  const running = frame.value?.line ?? null;
  const lines = code[file] ?? [];
  const [from, to] = excerpt(file, running);
  const offTape = frame.value !== null && !frame.value.onTape;
  const name = frame.value && signOf(frame.value.latent, output.value);
  const noGradLine = lines.findIndex((line) => line.some(([text]) => text.includes("noGrad(")));
  return (
    <section class="panel code-panel">
      <header class="panel-head">
        <h2>The whole recursion</h2>
        <p class="verdict">
          <code>{file}</code>
        </p>
      </header>
      <pre class="code">
        {lines.slice(from - 1, to).map((line, i) => {
          const number = from + i;
          const isRunning = number === running;
          const isReason = offTape && number === noGradLine + 1;
          return (
            <span
              key={number}
              class={`line${isRunning ? ` running own-${name}` : ""}${isReason ? " reason" : ""}`}
              aria-current={isRunning ? "step" : undefined}
            >
              <span class="line-number">{number}</span>
              <span class="line-text">
                {line.map(([text, kind], k) => (
                  <span key={k} class={kind ? `token-${kind}` : undefined}>
                    {text}
                  </span>
                ))}
                {"\n"}
              </span>
            </span>
          );
        })}
      </pre>
      <p class="note">
        {frame.value === null
          ? "Move to an update to highlight the line of code that computes it."
          : offTape
            ? "This update runs inside noGrad, which records nothing on the tape."
            : "This update is recorded on the tape, so that gradients can flow back through it."}
      </p>
    </section>
  );
}

// --- One update -------------------------------------------------------------------------------------------------------------

/** The tensors of an update. */
interface Inspected extends Inspection {
  readonly at: Place;
  readonly latent: string;
}

const inspected = resultFor<Inspected>(() => JSON.stringify([model.value?.name, shown.value?.puzzle]));

// Asks for the tensors of the current update while the view is open and the scrubber stands still.
effect(() => {
  const { view } = link.value;
  const current = shown.value;
  const at = place.value;
  inspected.cancel();
  if (view !== "inside" || !current || current.source === "recorded" || at.step === 0 || isPlaying.value) return;
  inspected.start(async (signal) => {
    await pause(120, signal);
    const made = await callWorker("inspect", { puzzle: current.puzzle, at }, { signal });
    return { ...made, at, latent: shape.peek().updates[at.update - 1]! };
  });
});

/** The update whose tensors are there. It stays behind the current one while the trace plays. */
function Detail(): JSX.Element {
  const { result, status, isRunning } = inspected.outcome.value;
  const problem = workerError.value ?? (isRunning ? "" : status);
  const current = frame.value;
  if (!current) {
    return (
      <section class="panel detail" aria-label="One update">
        <h2>Choose an update</h2>
      </section>
    );
  }
  const { step, cycle, update } = result?.at ?? current;
  const latent = result?.latent ?? current.latent;
  const name = signOf(latent, output.value);
  return (
    <section class={`panel detail own-${name}`} aria-label="One update">
      <header class="panel-head">
        <h2>
          <Named name={name}>{latent}</Named> after update {update} of cycle {cycle}, step {step}
        </h2>
        {isPlaying.value ? (
          <p class="verdict">Pause for the numbers of the current update.</p>
        ) : (
          <div
            class="verdict formula"
            // MathML that Temml wrote when the page was built.
            dangerouslySetInnerHTML={{ __html: name === "z" ? math.zUpdate! : math.yUpdate! }}
          />
        )}
      </header>
      {!isPlaying.value && (problem || !result) && (
        <p class="note">{problem || "Computing the tensors of this update…"}</p>
      )}
      {result && <Tensors result={result} />}
    </section>
  );
}

function Tensors({ result }: { result: Inspected }): JSX.Element {
  const { latent, gradient, loss, machine } = result;
  const { board, trainingSteps } = model.value!;
  return (
    <div class="detail-body">
      <Heat result={result} latent={latent} />
      <div class="facts">
        <Tape result={result} />
        {gradient ? (
          <div class="gradient">
            <h3>Gradient of the loss</h3>
            <div class="gradient-row">
              <Board
                board={board}
                size="small"
                label="Size of the gradient in every cell"
                question={shown.value!.puzzle.question}
                tokens={decodedAt(result)}
                heat={normsPerCell(gradient, result)}
              />
              <p class="note">
                The larger the dot, the more the loss (here {loss.toFixed(3)}) depends on{" "}
                <Named name={signOf(latent, output.value)}>{latent}</Named> in this cell. This is what flows back along
                the tape.{lossNote.value}
              </p>
            </div>
          </div>
        ) : (
          <p class="no-gradient">No gradient exists here. The update ran off the tape, so the loss cannot reach it.</p>
        )}
        <From machine={machine}>{trainingSteps === null ? undefined : counted(trainingSteps, "training step")}</From>
      </div>
    </div>
  );
}

/** What the latent decodes to after the inspected update. */
const decodedAt = ({ at }: Inspected): readonly number[] =>
  frames.value[indexOf(at, shape.value)]?.tokens ?? shown.value!.puzzle.question;

function Tape({ result }: { result: Inspection }): JSX.Element {
  const { tape, tapeLength } = result;
  return (
    <div>
      <h3>Tape</h3>
      {tape.length === 0 ? (
        <p>
          The tape of this step has {counted(tapeLength, "operation")}, <b>0</b> of them from this update.
        </p>
      ) : (
        <>
          <p>
            The tape of this step has {counted(tapeLength, "operation")}, <b>{tape.length}</b> of them from this update:
          </p>
          <ol class="tape">
            {tape.map(({ operation, shape: size }, i) => (
              <li key={i}>
                <code>{operation}</code> <span class="note">[{size.join(", ")}]</span>
              </li>
            ))}
          </ol>
        </>
      )}
    </div>
  );
}

/** Norm of the gradient of every cell, relative to the largest. */
function normsPerCell(values: Float32Array, { positions, width, slots }: Inspection): number[] {
  const norms: number[] = [];
  for (let position = slots; position < positions; position++) {
    norms.push(Math.hypot(...values.subarray(position * width, (position + 1) * width)));
  }
  const most = Math.max(...norms, 1e-30);
  return norms.map((norm) => Math.sqrt(norm / most));
}

/** A colour of the page as numbers from 0 to 255. */
const channelsOf = (color: string): readonly number[] => (color.match(/[\d.]+/g) ?? []).map(Number);

/**
 * The latent as an image: a row per cell, a column per dimension. Positive numbers have the colour of the latent, negative ones are
 * grey; the closer to zero, the paler.
 */
function Heat({ result, latent }: { result: Inspection; latent: string }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { values, positions, width } = result;
  const { theme } = link.value;
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context) return;
    const positive = channelsOf(getComputedStyle(element).color);
    const negative = channelsOf(getComputedStyle(element.parentElement!).color);
    const image = context.createImageData(width, positions);
    for (let i = 0; i < values.length; i++) {
      const value = Math.max(-1, Math.min(1, values[i]! / 2.5));
      const [r = 0, g = 0, b = 0] = value < 0 ? negative : positive;
      image.data.set([r, g, b, Math.round(255 * Math.abs(value))], 4 * i);
    }
    context.putImageData(image, 0, 0);
  }, [values, positions, width, theme, latent]);
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return (
    <figure class="heat-map">
      <canvas
        ref={canvas}
        width={width}
        height={positions}
        role="img"
        aria-label={`${counted(positions, "row")}, one per cell, and ${counted(width, "number")} in each, from ${least.toFixed(1)} to ${most.toFixed(1)}`}
      />
      <figcaption class="note">
        {counted(positions, "cell")} (rows) × {counted(width, "number")} (columns), from {least.toFixed(1)} to{" "}
        {most.toFixed(1)}: <span class="swatch">positive</span> <span class="swatch negative">negative</span>
      </figcaption>
    </figure>
  );
}
