// `trm solve -`: puzzles from the standard input, one per line, in batches; one line or JSON object per puzzle, in their order.
import { fstatSync } from "node:fs";
import { FileError } from "../formats/index.ts";
import { type LoadedRun, loadRun } from "../runs/index.node.ts";
import { type Answer, PuzzleError, predict, type Task } from "../trm/index.ts";
import { counted, thousands } from "./format.ts";
import { shippedPlace, shippedTasks, taskOfPuzzle } from "./shipped-models.ts";
import type { Terminal } from "./terminal.ts";

export interface LinesOptions {
  /** The model of the user and its name; undefined: the shipped model that fits each puzzle. */
  readonly own?: { readonly name: string; readonly loaded: LoadedRun } | undefined;
  /** Maximum number of supervision steps; undefined: as in the training of each model. */
  readonly steps?: number | undefined;
  readonly json?: boolean | undefined;
}

/** Puzzles per batch. */
const batchSize = 64;

/** A puzzle of the input: the number of its first line from 1, and its rows. */
export interface InputPuzzle {
  readonly line: number;
  readonly text: string;
}

interface ReadPuzzle extends InputPuzzle {
  /** Name of the model, and the tokens; an error if the puzzle cannot be read. */
  readonly read: { readonly model: string; readonly question: Int32Array } | PuzzleError;
}

/** Solves all puzzles. @returns the number of puzzles that could not be read. @throws FileError if the input cannot be read */
export async function solveLines(terminal: Terminal, options: LinesOptions): Promise<number> {
  // Node's stream of a folder is empty instead of an error.
  if (fstatSync(process.stdin.fd).isDirectory()) throw new FileError("standard input", "read", { code: "EISDIR" });
  const { own } = options;
  const tasks = own ? [own.loaded.task] : shippedTasks();
  const models = new Map<string, LoadedRun>(own && [[own.name, own.loaded]]);
  const count = { puzzles: 0, unread: 0, wrong: 0 };
  const start = performance.now();
  const solveBatch = async (batch: readonly ReadPuzzle[]): Promise<void> => {
    for (const part of sameModel(batch)) {
      const answers = await answersTo(part, models, options);
      for (const [i, puzzle] of part.entries()) {
        const answer = answers[i];
        count.puzzles++;
        if (answer === undefined) count.unread++;
        else if (answer.mistake !== undefined) count.wrong++;
        terminal.print(options.json ? jsonLine(puzzle, answer) : textLine(puzzle, answer));
      }
    }
  };
  let batch: ReadPuzzle[] = [];
  for await (const found of puzzlesIn(process.stdin, tasks)) {
    if (found !== undefined) batch.push(readPuzzle(found, tasks, own?.name));
    // Without more input at hand, the puzzles so far are answered at once.
    if (batch.length < (found === undefined ? 1 : batchSize)) continue;
    await solveBatch(batch);
    batch = [];
  }
  for (const { model } of models.values()) model.dispose();
  const seconds = (performance.now() - start) / 1000;
  const unread = count.unread > 0 ? `, ${count.unread} could not be read` : "";
  const wrong =
    count.wrong > 0 ? `, ${count.wrong} ${count.wrong === 1 ? "answer breaks" : "answers break"} a rule` : "";
  const rate = thousands(Math.round((60 * count.puzzles) / seconds));
  process.stderr.write(`${counted(count.puzzles, "puzzle")}${unread}${wrong}; ${rate} per minute\n`);
  return count.unread;
}

function readPuzzle(found: InputPuzzle, tasks: readonly Task[], model: string | undefined): ReadPuzzle {
  try {
    if (model !== undefined) return { ...found, read: { model, question: tasks[0]!.parse(found.text) } };
    const { task, question } = taskOfPuzzle(found.text, tasks);
    return { ...found, read: { model: task.name, question } };
  } catch (error) {
    if (error instanceof PuzzleError) return { ...found, read: error };
    throw error;
  }
}

const modelOf = ({ read }: ReadPuzzle): string | undefined => (read instanceof PuzzleError ? undefined : read.model);

/** Consecutive puzzles of the same model. */
function sameModel(puzzles: readonly ReadPuzzle[]): ReadPuzzle[][] {
  const parts: ReadPuzzle[][] = [];
  for (const puzzle of puzzles) {
    const last = parts.at(-1);
    if (last && modelOf(last[0]!) === modelOf(puzzle)) last.push(puzzle);
    else parts.push([puzzle]);
  }
  return parts;
}

/** The answers to puzzles of the same model; none if they could not be read. */
async function answersTo(
  puzzles: readonly ReadPuzzle[],
  models: Map<string, LoadedRun>,
  { steps }: LinesOptions,
): Promise<Answer[]> {
  const name = modelOf(puzzles[0]!);
  if (name === undefined) return [];
  const loaded = models.get(name) ?? (await loadRun(shippedPlace(name).path));
  models.set(name, loaded);
  const { model, task, config } = loaded;
  const questions = puzzles.flatMap(({ read }) => (read instanceof PuzzleError ? [] : [read.question]));
  return predict(model, task, questions, { training: config.training, steps, batchSize });
}

/** "ANSWER<tab>correct<tab>2 steps" */
function textLine({ line, read }: ReadPuzzle, answer: Answer | undefined): string {
  if (answer === undefined) return `error: line ${line}: ${(read as PuzzleError).message}`;
  return [answer.answer, verdictOf(answer), counted(answer.steps, "step")].join("\t");
}

function verdictOf({ mistake, correct }: Answer): string {
  if (mistake !== undefined) return `wrong: ${mistake}`;
  return correct === null ? "unknown" : "correct";
}

function jsonLine({ line, text, read }: ReadPuzzle, solved: Answer | undefined): string {
  if (solved === undefined || read instanceof PuzzleError) {
    return JSON.stringify({ line, puzzle: text, error: (read as PuzzleError).message });
  }
  const { answer, correct, mistake = null, steps, q } = solved;
  return JSON.stringify({ line, model: read.model, puzzle: text, answer, correct, mistake, steps, q });
}

/** No puzzle is nearly as long. */
const longestLine = 1_000_000;

/**
 * The puzzles of a stream, one per line. A board may also stand on several lines: its rows follow one another, with rules between
 * them or without. Yields undefined whenever the input that has arrived is used up.
 *
 * @throws FileError if the stream cannot be read
 */
export async function* puzzlesIn(
  stream: AsyncIterable<Uint8Array | string>,
  tasks: readonly Task[],
): AsyncGenerator<InputPuzzle | undefined> {
  const decoder = new TextDecoder();
  const boards = new BoardLines(tasks);
  let [rest, number] = ["", 0];
  try {
    for await (const chunk of stream) {
      const lines = (rest + (typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true }))).split("\n");
      rest = lines.pop()!;
      if (rest.length > longestLine) {
        throw new Error(
          `line ${number + lines.length + 1} is longer than ${longestLine} characters, expected a puzzle`,
        );
      }
      for (const line of lines) yield* boards.add(line.replace(/\r$/, ""), ++number);
      yield undefined;
    }
  } catch (error) {
    throw new FileError("standard input", "read", error);
  }
  if (rest !== "") yield* boards.add(rest, ++number);
  yield* boards.end();
  yield undefined;
}

/** Joins the rows of boards that stand on several lines. */
class BoardLines {
  #rows: string[] = [];
  #first = 0;
  #columns = 0;

  constructor(private readonly tasks: readonly Task[]) {}

  *add(line: string, number: number): Generator<InputPuzzle> {
    if (this.#rows.length === 0 && isWholeBoard(line, this.tasks)) {
      yield { line: number, text: line };
      return;
    }
    const isUndecided = this.#rows.length > 0 && this.#rows.every(isBlank);
    if (isUndecided && !this.#continuesMaze(line)) this.#rows = []; // They were blank lines, not the first rows of a maze.
    if (this.#rows.length > 0) {
      const isMaze = isUndecided || this.#rows.some(hasMarks) || hasMarks(line);
      if (!isMaze && isRule(line) && !isBlank(line)) return;
      // The rows of a maze may lack the spaces at their end, or have one between all cells.
      if (isMaze ? line.length <= 2 * this.#columns : this.#columnsOf(line) === this.#columns) {
        this.#rows.push(line);
        if (this.#rows.length === this.#columns) yield* this.end();
        return;
      }
      yield* this.end(); // an incomplete board
    }
    const columns = this.#columnsOf(line);
    const isRowOfSpaces = /^ +$/.test(line) && columns !== undefined;
    if (isRule(line) && !isRowOfSpaces) return;
    if (columns === undefined) yield { line: number, text: line };
    else [this.#rows, this.#first, this.#columns] = [[line], number, columns];
  }

  *end(): Generator<InputPuzzle> {
    if (!this.#rows.every(isBlank)) yield { line: this.#first, text: this.#rows.join("\n") };
    this.#rows = [];
  }

  /** Whether a line can follow rows of spaces in a maze. */
  #continuesMaze(line: string): boolean {
    return line === this.#rows[0] || (hasMarks(line) && this.#columnsOf(line) === this.#columns);
  }

  /** The number of cells, if the line is a row of a square board instead of a whole puzzle. */
  #columnsOf(line: string): number | undefined {
    const isMaze = hasMarks(line) || isBlank(line);
    const lengths = isMaze ? [line.length, (line.length + 1) / 2] : [line.replace(/[\s|]/g, "").length];
    // "# a comment" is no row of a maze, and "name" is none of a Sudoku.
    const square = this.tasks.find(
      (task) => task.rows === task.columns && task.rows > 1 && lengths.includes(task.columns) && consistsOf(line, task),
    );
    return square?.columns;
  }
}

const isBlank = (line: string): boolean => line.trim() === "";

/** Whether a line is empty or separates the boxes of a board. */
const isRule = (line: string): boolean => /^[-+=|\s]*$/.test(line);

/** Whether a line contains a wall, the start or the goal of a maze. */
const hasMarks = (line: string): boolean => /[#SG]/.test(line);

/** The characters of the symbols of a task. */
const symbolsOf = (task: Task): string =>
  task.format(Array.from({ length: task.sequenceLength }, (_, i) => 1 + (i % (task.vocabularySize - 1))));

/** Whether a line has only symbols of a task, blanks, and the spaces and bars between them. Spaces alone must be symbols, as in a maze. */
function consistsOf(line: string, task: Task): boolean {
  const symbols = symbolsOf(task);
  if (isBlank(line)) return symbols.includes(" ");
  return [...line].every((character) => `${symbols}.0| \t`.includes(character));
}

/** Whether a line that looks like a rule is a board of a task whose symbols are - + = and |. */
const isWholeBoard = (line: string, tasks: readonly Task[]): boolean =>
  isRule(line) &&
  !isBlank(line) &&
  tasks
    .filter(({ sequenceLength }) => sequenceLength === line.length)
    .map(symbolsOf)
    .some((symbols) => [...line].every((each) => symbols.includes(each)));
