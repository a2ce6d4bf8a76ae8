// The journal of a benchmark session: a file of JSON lines with the parts measured so far, from which an interrupted session resumes.
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { Moment } from "./machine.ts";

/** The first line: the arguments of the session, and the machine. */
const headSchema = z.object({ args: z.array(z.string()), machine: z.array(z.tuple([z.string(), z.string()])) });
/** The other lines: the start or a resumption of the session; a part and its result. */
const lineSchema = z.union([
  z.object({ moment: z.object({ date: z.string(), load: z.string() }) }),
  z.object({ part: z.string(), result: z.unknown() }),
]);

type Head = z.output<typeof headSchema>;

export class Journal {
  readonly args: readonly string[];
  /** The start and the resumptions of the session. */
  readonly moments: Moment[] = [];
  readonly #path: string | null;
  readonly #parts = new Map<string, unknown>();

  private constructor(path: string | null, args: readonly string[]) {
    this.#path = path;
    this.args = args;
  }

  /** Creates an empty journal, replacing the file at `path`. null keeps the journal in memory only. */
  static begin(path: string | null, head: Head, moment: Moment): Journal {
    if (path) writeFileSync(path, lineOf(head));
    const journal = new Journal(path, head.args);
    journal.#write({ moment });
    return journal;
  }

  /**
   * Reads the journal of an interrupted session. An incomplete last line is dropped.
   *
   * @throws Error if there is no journal, if it is damaged, or if it is from another machine or version
   */
  static resume(path: string, machine: Head["machine"], moment: Moment): Journal {
    if (!existsSync(path)) throw new Error(`--resume: there is no unfinished session, expected one in ${path}`);
    const [first = "", ...others] = readFileSync(path, "utf8").split("\n").slice(0, -1);
    const head = parseLine(path, 1, first, headSchema);
    checkSame(head.machine, machine);
    const lines = others.map((line, i) => parseLine(path, i + 2, line, lineSchema));
    writeFileSync(`${path}.new`, [head, ...lines].map(lineOf).join(""));
    renameSync(`${path}.new`, path);
    const journal = new Journal(path, head.args);
    for (const line of lines) journal.#take(line);
    journal.#write({ moment });
    return journal;
  }

  has(part: string): boolean {
    return this.#parts.has(part);
  }

  /** The recorded result of a part, or else the result of `measure`, which is recorded if it `isComplete`. */
  async part<T>(part: string, measure: () => T | Promise<T>, isComplete = (_: T): boolean => true): Promise<T> {
    if (this.has(part)) return this.#parts.get(part) as T;
    const result = await measure();
    if (isComplete(result)) this.#write({ part, result });
    return result;
  }

  /** Deletes the journal of a completed session. */
  end(): void {
    if (this.#path) rmSync(this.#path);
  }

  #write(line: z.output<typeof lineSchema>): void {
    if (this.#path) appendFileSync(this.#path, lineOf(line));
    this.#take(line);
  }

  #take(line: z.output<typeof lineSchema>): void {
    if ("moment" in line) this.moments.push(line.moment);
    else this.#parts.set(line.part, line.result);
  }
}

const lineOf = (value: unknown): string => `${JSON.stringify(value)}\n`;

function parseLine<T>(path: string, number: number, line: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(line));
  } catch {
    throw new Error(`${path}:${number}: got "${line.slice(0, 40)}", expected a line that npm run bench wrote`);
  }
}

/** Rejects a journal of another machine or version: one report must not mix them. */
function checkSame(got: Head["machine"], expected: Head["machine"]): void {
  const values = new Map(got);
  for (const [name, value] of expected) {
    if (values.get(name) === value) continue;
    throw new Error(
      `--resume: ${name}: got ${values.get(name)} in the unfinished session, expected the current ${value}`,
    );
  }
}
