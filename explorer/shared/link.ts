// The state of the page that a link holds: everything a visitor can choose, as the part of the address after "#". Schema v=1.
// Keys with their default values are left out, unknown keys are ignored, and a value out of range is refused with a message.

export const views = ["solve", "inside", "class", "failures", "train", "gradients"] as const;
export type View = (typeof views)[number];

/** Parts of the page that `hide=` removes. */
export const parts = ["guide", "nav", "model", "puzzle", "z", "q", "code", "detail", "scrubber", "notes"] as const;
export type Part = (typeof parts)[number];

export const backends = ["wasm", "reference", "gpu"] as const;
export const themes = ["system", "light", "dark"] as const;
/** What the second run of the view Train changes, compared with the first. */
export const rivals = ["none", "hrm", "no-deep-supervision", "direct"] as const;
/** Whether a training is evaluated with the plain prediction alone, or with rollouts as well. */
export const evaluations = ["plain", "rollouts"] as const;
export const trainTasks = ["sudoku4", "sudoku6"] as const;

/** A place in the recursion; 0.0.0 is the puzzle before the first update. */
export interface Place {
  readonly step: number;
  readonly cycle: number;
  readonly update: number;
}

export const firstPlace: Place = { step: 0, cycle: 0, update: 0 };

/** How a value is written into a link. `read` returns undefined for a value that is refused; `expected` describes what is accepted. */
interface Field<T> {
  readonly initial: T;
  readonly expected: string;
  read(text: string): T | undefined;
  write(value: T): string;
}

const choice = <T extends string>(options: readonly T[], initial: T): Field<T> => ({
  initial,
  expected: `one of ${options.join(", ")}`,
  read: (text) => options.find((option) => option === text),
  write: (value) => value,
});

/** An integer, as most settings are, or a number if `isWhole` is false. */
const number = (least: number, most: number, initial: number, isWhole = true): Field<number> => ({
  initial,
  expected: `${isWhole ? "an integer" : "a number"} from ${least} to ${most}`,
  read(text) {
    if (!/^\d+(\.\d+)?(e-?\d+)?$/.test(text)) return undefined;
    const value = Number(text);
    return value >= least && value <= most && (!isWhole || Number.isInteger(value)) ? value : undefined;
  },
  write: String,
});

const text = (pattern: RegExp, expected: string): Field<string> => ({
  initial: "",
  expected,
  read: (value) => (value === "" || pattern.test(value) ? value : undefined),
  write: (value) => value,
});

const flag: Field<boolean> = {
  initial: false,
  expected: "0 or 1",
  read: (value) => (value === "0" || value === "1" ? value === "1" : undefined),
  write: (value) => (value ? "1" : "0"),
};

const place: Field<Place> = {
  initial: firstPlace,
  expected: "step.cycle.update, such as 2.1.3, or 0.0.0 for the puzzle",
  read(value) {
    const [step, cycle, update] = /^(\d{1,2})\.(\d{1,2})\.(\d{1,2})$/.exec(value)?.slice(1).map(Number) ?? [];
    if (step === undefined || cycle === undefined || update === undefined) return undefined;
    const isStart = step + cycle + update === 0;
    return isStart || (step > 0 && cycle > 0 && update > 0) ? { step, cycle, update } : undefined;
  },
  write: ({ step, cycle, update }) => `${step}.${cycle}.${update}`,
};

const partList: Field<readonly Part[]> = {
  initial: [],
  expected: `a list of ${parts.join(", ")}`,
  read(value) {
    const names = value === "" ? [] : value.split(",");
    return names.every((name) => (parts as readonly string[]).includes(name)) ? (names as Part[]) : undefined;
  },
  write: (value) => value.join(","),
};

const fields = {
  view: choice(views, "solve"),
  model: text(/^[\w.-]{1,40}$/, "the name of a model"),
  /** Number of the sample puzzle. */
  sample: number(1, 200, 1),
  /** A puzzle of the visitor's own in the text form of the task; it replaces the sample. */
  puzzle: text(/^[\d.# SGo]{4,900}$/, "a puzzle in one line"),
  at: place,
  /** Supervision steps; 0 for as many as the model was trained with. */
  steps: number(0, 64, 0),
  /** The cell that is looked at, row by row from 1; 0 for none. */
  cell: number(0, 900, 0),
  backend: choice(backends, "wasm"),
  threads: number(1, 64, 1),
  theme: choice(themes, "system"),
  hide: partList,
  lesson: text(/^first$/, "first"),
  part: number(1, 40, 1),
  embed: flag,
  // The view Train.
  task: choice(trainTasks, "sudoku4"),
  T: number(1, 6, 2),
  n: number(1, 8, 2),
  nSup: number(1, 16, 8),
  width: number(8, 128, 32),
  rate: number(1e-5, 0.1, 4e-3, false),
  ema: number(0, 0.9999, 0.99, false),
  data: number(100, 20_000, 4000),
  seed: number(0, 1_000_000, 1),
  rival: choice(rivals, "none"),
  evaluation: choice(evaluations, "plain"),
  // Noise on z: the views Failures and Train.
  sigma: number(0, 4, 0.5, false),
  rollouts: number(1, 64, 8),
} as const;

type Fields = typeof fields;
type Key = keyof Fields;
export type Link = { readonly [K in Key]: Fields[K] extends Field<infer T> ? T : never };

const keys = Object.keys(fields) as Key[];

export const initialLink: Link = Object.fromEntries(keys.map((key) => [key, fields[key].initial])) as unknown as Link;

/** The part of an address after "#". Keys with their default values are left out. */
export function writeLink(link: Link): string {
  const pairs = keys.flatMap((key) => {
    const { write, initial } = fields[key] as Field<unknown>;
    const value = write(link[key]);
    return value === write(initial) ? [] : [`${key}=${encodeURIComponent(value)}`];
  });
  return ["v=1", ...pairs].join("&");
}

/** Reads the part of an address after "#". `refused` has one message for each value that was replaced by its default. */
export function readLink(hash: string): { readonly link: Link; readonly refused: readonly string[] } {
  const refused: string[] = [];
  const read: Record<string, unknown> = {};
  const given = new URLSearchParams(hash.replace(/^#/, "").replaceAll("+", "%2B"));
  const version = given.get("v");
  if (version !== null && version !== "1") {
    return { link: initialLink, refused: [`The link has version ${version}; this page reads version 1.`] };
  }
  for (const key of keys) {
    const value = given.get(key);
    if (value === null) continue;
    const result = fields[key].read(value);
    if (result === undefined) refused.push(`${key}: got ${value.slice(0, 40)}, expected ${fields[key].expected}.`);
    else read[key] = result;
  }
  return { link: { ...initialLink, ...read } as Link, refused };
}
