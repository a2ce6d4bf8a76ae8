// What a lesson consists of. A lesson is one file of course/lessons: its prose stands in /*md ... */ comments, the learner's part between
// `// BEGIN SOLUTION hint="..."` and `// END SOLUTION`, and what only the checker needs after `// BEGIN CHECK` (see source.ts).
import fc from "fast-check";
import { parameter, type Variable } from "trm-ts/autograd";
import { scope, type Tensor } from "trm-ts/tensor";

/** The functions of a lesson that the learner writes, by name. */
export type Exercises = Readonly<Record<string, unknown>>;

/** One property of an exercise. A check runs it on many inputs and reports the smallest input on which the two results differ. */
export interface Part<Input = unknown> {
  /** The property as a sentence. */
  readonly name: string;
  readonly given: fc.Arbitrary<Input>;
  /** The input as the learner reads it. Default: as JSON. */
  show?(input: Input): string;
  /** The right result: numbers, strings, booleans, and arrays and plain objects of them. */
  expected(input: Input): unknown;
  /** The result of the implementation that is checked. An error counts as a result. */
  received(input: Input): unknown;
  /** Relative and absolute difference up to which numbers are equal. Default: 0. */
  readonly tolerance?: number;
  /** Number of inputs. Default: 100. */
  readonly runs?: number;
  /** Whether the part takes seconds: it runs only if the parts before it have passed. */
  readonly isLong?: boolean;
  /** What to try next if the property fails. */
  readonly next: string;
}

/** A part whose functions are checked against its own type of input. */
export const part = <Input>(own: Part<Input>): Part => own as Part;

/** A wrong implementation, of which the check must complain. */
export interface PlantedBug<Mine = Exercises> {
  readonly name: string;
  /** The functions that are wrong. The others are the solution's. */
  readonly mine: Partial<Mine>;
  /** What a learner is told whose results are the same on the counterexample. */
  readonly says: string;
}

/** A mistake that can be planted in the text of a stub, in its region `// BEGIN REPAIR` ... `// END REPAIR`. */
export interface Plant {
  readonly name: string;
  /** Text of the region, occurring once, and the text that replaces it. */
  readonly from: string;
  readonly to: string;
}

/** Prints one line. */
export type Print = (line: string) => void;

/** What the file of a lesson exports. */
export interface Lesson {
  /** Time for reading and solving: an estimate, until learners have been timed. */
  readonly minutes: number;
  /** The solution. */
  readonly reference: Exercises;
  check(mine: Exercises): readonly Part[];
  readonly wrong: readonly PlantedBug[];
  readonly plants?: readonly Plant[];
  /** The lesson's own program. What it prints stands in the prose. */
  program?(print: Print): void | Promise<void>;
}

/** Numbers that people can read: whole quarters from -limit to limit. Counterexamples shrink towards 0. */
export const quarters = (limit = 4): fc.Arbitrary<number> =>
  fc.integer({ min: -4 * limit, max: 4 * limit }).map((quarter) => quarter / 4);

/** `length` quarters. */
export const quarterArray = (length: number, limit?: number): fc.Arbitrary<number[]> =>
  fc.array(quarters(limit), { minLength: length, maxLength: length });

/** Reads the numbers of a tensor, and releases it. A check computes in a `scope`, from which it returns only what it reads. */
export async function numbersOf(tensor: Tensor): Promise<number[]> {
  const numbers = Array.from(await tensor.data());
  tensor.dispose();
  return numbers;
}

/** Computes in a scope with a parameter of the value 0.5, which is released too. */
export const withWeight = <T>(compute: (weight: Variable) => T): T =>
  scope(() => {
    const weight = parameter([0.5]);
    try {
      return compute(weight);
    } finally {
      weight.value.dispose();
    }
  });

/** Reads the single numbers of y and z, and releases both. */
export async function latentNumbers({ y, z }: { y: Tensor; z: Tensor }): Promise<{ y: number; z: number }> {
  const numbers = { y: await y.item(), z: await z.item() };
  for (const tensor of [y, z]) tensor.dispose();
  return numbers;
}

/** The error of an exercise that is not written yet, as the stub throws it: "TODO 5.1". Undefined for any other error. */
export const todoOf = (error: unknown): string | undefined =>
  error instanceof Error ? /^TODO \d+\.\d+/.exec(error.message)?.[0] : undefined;

/** The result of `body`, or "an error" whatever its text, for exercises that must refuse an input. */
export function resultOrError<T>(body: () => T): T | "an error" {
  try {
    return body();
  } catch (error) {
    if (todoOf(error)) throw error;
    return "an error";
  }
}
