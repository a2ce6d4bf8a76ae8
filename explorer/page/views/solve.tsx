// Solve: the answer on a large board, what z decodes to beside it, and q.
import type { JSX } from "preact";
import { frameCount, latestOf, wrongCells } from "../../shared/frames.ts";
import { firstPlace } from "../../shared/link.ts";
import { counted } from "../../shared/words.ts";
import { Board } from "../parts/board.tsx";
import { Halting } from "../parts/halting.tsx";
import { isDrawing, MazeDrawing } from "../parts/maze-drawing.tsx";
import { From, measuredText } from "../parts/numbers.tsx";
import { PuzzleChoice } from "../parts/puzzle-choice.tsx";
import { Named } from "../parts/sign.tsx";
import { Waiting } from "../parts/waiting.tsx";
import {
  boardOf,
  frame,
  frames,
  go,
  index,
  isComputing,
  link,
  model,
  output,
  puzzleError,
  puzzleText,
  shape,
  shown,
  shows,
  thought,
} from "../state.ts";

/** Puts a symbol into the question and makes it the visitor's own puzzle. */
function type(cell: number, symbol: string | null): void {
  const board = model.peek()!.board;
  const blank = board.kind === "maze" ? " " : ".";
  const typed = [...puzzleText.peek()].map((each) => (board.kind === "sudoku" && each === "0" ? blank : each));
  // A text that does not fit the board is replaced by the puzzle on the board. One that only breaks a rule may become a puzzle.
  const fits = typed.length === board.rows * board.columns && typed.every((each) => board.symbols.includes(each));
  const text =
    fits || !puzzleError.peek() ? typed : shown.peek()!.puzzle.question.map((token) => board.symbols[token]!);
  text[cell] = symbol ?? blank;
  go({ puzzle: text.join(""), at: firstPlace });
}

export function Solve(): JSX.Element | null {
  const own = model.value;
  const current = shown.value;
  if (!own || !current) {
    if (!own || !puzzleError.value) return <Waiting />;
    return (
      <section class="panel">
        <h2>The puzzle of this link is not valid</h2>
        <PuzzleChoice />
      </section>
    );
  }
  const { board } = own;
  const { question, truth } = current.puzzle;
  const answer = boardOf(output.value);
  const wrong = truth && wrongCells(answer.tokens, truth);
  const latent = thought.value;
  const cell = link.value.cell;
  const isStart = latestOf(frames.value, output.value, index.value) === null;
  return (
    <div class="solve">
      <section class={`panel answer${frame.value?.latent === output.value ? " active" : ""}`}>
        <header class="panel-head">
          <h2>
            <Named name="y" /> {isStart ? "the puzzle" : "the answer so far"}
          </h2>
          <p class="verdict">
            {isStart
              ? ""
              : wrong === null
                ? "no unique answer is known"
                : wrong === 0
                  ? "✓ all cells correct"
                  : `${wrong} of ${counted(question.length, "cell")} wrong`}
          </p>
        </header>
        <Board
          board={board}
          label={`The answer: ${board.rows} rows and ${board.columns} columns`}
          question={question}
          tokens={answer.tokens}
          changed={answer.changed}
          confidence={answer.confidence}
          selected={cell > 0 ? cell - 1 : null}
          onSelect={(chosen) => go({ cell: chosen + 1 })}
          onType={type}
        />
        <p class="note key">
          <span class="key-item key-changed">changed</span>
          {board.kind === "sudoku" && <span class="key-item key-broken">breaks a rule</span>}
          <span class="key-item key-bar">confidence</span>
          {board.kind === "sudoku" && <span class="key-item key-given">given</span>}
          {board.kind === "maze" && <span class="key-item key-wall">wall</span>}
          {board.kind === "maze" && <span class="key-item key-path">path</span>}
        </p>
        {shows("puzzle") && <PuzzleChoice />}
      </section>
      <div class="beside">
        {board.kind === "maze" && isDrawing.value && <MazeDrawing />}
        {latent && shows("z") && (
          <section class={`panel thought${frame.value && frame.value.latent !== output.value ? " active" : ""}`}>
            <header class="panel-head">
              <h2>
                <Named name="z" /> decoded as if it were an answer
              </h2>
            </header>
            <ThoughtBoard latent={latent} />
          </section>
        )}
        {shows("q") && (
          <section class="panel">
            <Halting />
          </section>
        )}
        {shows("notes") && (
          <From machine={current.machine}>
            {current.source === "recorded"
              ? `recorded when the page was built${isComputing.value ? "; the model is computing its own trace" : ""}`
              : isComputing.value
                ? "computing"
                : `live, ${Math.round(current.milliseconds ?? 0)} ms for ${counted(frameCount(shape.value), "update")}`}
          </From>
        )}
      </div>
    </div>
  );
}

function ThoughtBoard({ latent }: { latent: string }): JSX.Element {
  const { board, measured } = model.value!;
  const { question } = shown.value!.puzzle;
  const own = boardOf(latent);
  const at = latestOf(frames.value, latent, index.value);
  const rate = at && measuredText(measured, frames.value.indexOf(at));
  return (
    <div class="thought-body">
      <Board
        board={board}
        size="small"
        label={`What ${latent} decodes to`}
        question={question}
        tokens={own.tokens}
        changed={own.changed}
      />
      <p>
        {at === null ? (
          <>Before the first update z holds the same numbers for every puzzle.</>
        ) : (
          <>
            No term of the loss depends on what z decodes to. Decoded by the output head nevertheless, z after this
            update is completely correct on <b>{rate}</b>. Is z an answer?
            {own.tokens.includes(0) && " (“?” is the padding symbol, which stands for nothing.)"}
          </>
        )}
      </p>
    </div>
  );
}
