// Defines a grid task in a few lines: the symbols of a puzzle and how to draw a random one. Tokens, text, pictures, disjoint
// training and test sets and augmentation follow from that.
//
//     // Complete the mirror image: the right half of the answer mirrors the left half of the question.
//     const mirror = gridTask({
//       name: "mirror",
//       rows: 4,
//       columns: 6,
//       symbols: ".ab",
//       draw(random) {
//         const left = Array.from({ length: 4 }, () => Array.from({ length: 3 }, () => ".ab"[random.integer(3)]));
//         return {
//           question: left.map((row) => `${row.join("")}...`).join(""),
//           answer: left.map((row) => row.join("") + row.toReversed().join("")).join(""),
//         };
//       },
//     });
import { quoted } from "../formats/index.ts";
import { expectObject, Random, showValue } from "../tensor/index.ts";
import { ConfigError, PuzzleError, packExamples, type Task } from "../trm/index.ts";
import { checkedTask } from "./checked-task.ts";
import { dihedralSymmetries, transformTokens } from "./dihedral.ts";
import { drawApart } from "./draw-apart.ts";
import { drawRows } from "./draw-rows.ts";

/** What defines a grid task; all other functions of a task follow from it. */
export interface GridTaskDefinition {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** The characters of questions and answers. The first one is token 1. */
  readonly symbols: string;
  /** Draws a random puzzle: question and answer, rows * columns symbols each, row by row. */
  draw(random: Random): { readonly question: string; readonly answer: string };
  /** The problem of a question, in one line; undefined if it is valid. By default every question is valid. */
  problem?(question: string): string | undefined;
  /**
   * Why an answer is wrong, in one line; undefined if it is correct. Without this function an answer is only checked for missing
   * symbols, and never counts as correct (`canJudge` is false).
   */
  mistake?(question: string, answer: string): string | undefined;
  /** The transforms that map puzzles to puzzles: "dihedral" for the eight of a square (four of another rectangle). Default "none". */
  readonly symmetry?: "none" | "dihedral";
}

/** A task made from a definition. Its symbols are stored with a run or a data set, so that they can be shown without the definition. */
export interface GridTask extends Task {
  readonly symbols: string;
  readonly symmetry: "none" | "dihedral";
}

/** Makes a task from its symbols and a function that draws a puzzle. @throws ConfigError for an invalid definition */
export function gridTask(definition: GridTaskDefinition): GridTask {
  expectObject("gridTask", "the definition", definition, ["name", "rows", "columns", "symbols"]);
  const { name, rows, columns, symmetry = "none" } = definition;
  if (typeof definition.symbols !== "string") {
    throw new ConfigError(`${name}: got ${showValue(definition.symbols)} as the symbols, expected a string`);
  }
  const symbols = [...definition.symbols];
  const length = rows * columns;
  if (!(Number.isInteger(rows) && rows > 0 && Number.isInteger(columns) && columns > 0)) {
    throw new ConfigError(`${name}: ${rows} rows and ${columns} columns, expected integers from 1`);
  }
  if (symbols.length < 2 || new Set(symbols).size !== symbols.length) {
    throw new ConfigError(`${name}: symbols ${quoted(definition.symbols)}, expected at least two different characters`);
  }
  if (/[\r\n]/.test(definition.symbols)) {
    throw new ConfigError(`${name}: symbols ${quoted(definition.symbols)}, expected no line break`);
  }
  const toTokens = (text: string): Int32Array => {
    const characters = [...text];
    const wrong = characters.findIndex((character) => !symbols.includes(character));
    if (wrong >= 0) {
      throw new PuzzleError(
        `${name}: character ${wrong + 1} is ${quoted(characters[wrong])}, expected one of ${quoted(definition.symbols)}`,
      );
    }
    if (characters.length !== length) {
      throw new PuzzleError(
        `${name}: ${characters.length} characters, expected ${length} (${rows} rows of ${columns}, row by row)`,
      );
    }
    return Int32Array.from(characters, (character) => symbols.indexOf(character) + 1);
  };
  const format = (tokens: ArrayLike<number>) => Array.from(tokens, (token) => symbols[token - 1] ?? "?").join("");
  const turn = (tokens: ArrayLike<number>, id: number) => transformTokens(tokens, { rows, columns }, id);
  const images = symmetry === "none" ? [0] : rows === columns ? [0, 1, 2, 3, 4, 5, 6, 7] : [0, 2, 4, 5];

  return checkedTask<GridTask>({
    name,
    rows,
    columns,
    sequenceLength: length,
    vocabularySize: symbols.length + 1,
    symbols: definition.symbols,
    symmetry,
    /** The rows in one line or on lines of their own. */
    parse(text) {
      const question = text.replace(/\r?\n/g, "");
      const tokens = toTokens(question);
      const problem = definition.problem?.(question);
      if (problem !== undefined) throw new PuzzleError(`${name}: ${problem}`);
      return tokens;
    },
    format,
    draw(tokens, paint = (symbol) => symbol) {
      const cells = [...format(tokens)].map(paint);
      return drawRows(cells, columns);
    },
    mistake(question, answer) {
      const empty = Array.from(answer).findIndex((token) => symbols[token - 1] === undefined);
      if (empty >= 0) return `no symbol in row ${Math.floor(empty / columns) + 1}, column ${(empty % columns) + 1}`;
      return definition.mistake?.(format(question), format(answer));
    },
    canJudge: definition.mistake !== undefined,
    generate(options) {
      const { train, test } = drawApart({
        ...options,
        name,
        random: new Random(options.seed),
        draw(random) {
          const drawn = definition.draw(random);
          const { question, answer } = Object(drawn) as Partial<typeof drawn>;
          if (typeof question !== "string" || typeof answer !== "string") {
            throw new ConfigError(
              `${name}: draw returned ${showValue(drawn)}, expected { question, answer } as strings`,
            );
          }
          return { question: toTokens(question), answer: toTokens(answer) };
        },
        key: ({ question }) => images.map((id) => format(turn(question, id))).sort()[0]!,
      });
      return { train: packExamples(train, length), test: packExamples(test, length) };
    },
    augment(question, answer, random) {
      const id = images[random.integer(images.length)]!;
      return { question: turn(question, id), answer: turn(answer, id) };
    },
    ...(images.length > 1 && {
      symmetries: (count: number, random: Random) => dihedralSymmetries(images, { rows, columns }, count, random),
    }),
  });
}
