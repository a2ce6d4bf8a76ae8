// What a run has measured so far, in a file of JSON lines: a run that was stopped goes on behind its last whole part.
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { Moment } from "./machine.ts";

/** The first line: the arguments of the run, and what it runs on. */
const headSchema = z.object({ args: z.array(z.string()), machine: z.array(z.tuple([z.string(), z.string()])) });
/** The others: when it began or went on; a part, and what was measured. */
const lineSchema = z.union([
  z.object({ moment: z.object({ date: z.string(), load: z.string() }) }),
  z.object({ part: z.string(), result: z.unknown() }),
]);

type Head = z.output<typeof headSchema>;

export class Journal {
  readonly args: readonly string[];
  /** When the run began, and when it went on. */
  readonly moments: Moment[] = [];
  readonly #path: string | null;
  readonly #parts = new Map<string, unknown>();

  private constructor(path: string | null, args: readonly string[]) {
    this.#path = path;
    this.args = args;
  }

  /** An empty one, which replaces what is at `path`; null: in memory alone. */
  static begin(path: string | null, head: Head, moment: Moment): Journal {
    if (path) writeFileSync(path, lineOf(head));
    const journal = new Journal(path, head.args);
    journal.#write({ moment });
    return journal;
  }

  /**
   * What a stopped run has left at `path`. A last line without its end, cut off as it was written, is dropped.
   *
   * @throws Error if there is none, if it cannot be read, or if another machine or version made it
   */
  static resume(path: string, machine: Head["machine"], moment: Moment): Journal {
    if (!existsSync(path)) throw new Error(`--resume: there is no unfinished run, expected one in ${path}`);
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

  /** What has been measured for a part; or what `measure` gives now, which is kept if it `isWhole`. */
  async part<T>(part: string, measure: () => T | Promise<T>, isWhole = (_: T): boolean => true): Promise<T> {
    if (this.has(part)) return this.#parts.get(part) as T;
    const result = await measure();
    if (isWhole(result)) this.#write({ part, result });
    return result;
  }

  /** The run is complete. */
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

/** Figures of two machines or two versions do not belong in one report. */
function checkSame(got: Head["machine"], expected: Head["machine"]): void {
  const values = new Map(got);
  for (const [name, value] of expected) {
    if (values.get(name) === value) continue;
    throw new Error(`--resume: ${name}: got ${values.get(name)} in the unfinished run, expected ${value} as now`);
  }
}
