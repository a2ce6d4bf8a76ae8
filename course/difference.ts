// The comparison of an expected and a received value, and how both are printed.

export interface Difference {
  /** "index 3", "z, index 0", or "" if the values differ as a whole. */
  readonly place: string;
  readonly expected: unknown;
  readonly received: unknown;
}

export type List = ArrayLike<unknown>;

export const isList = (value: unknown): value is List =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !isList(value);

/** The first place at which two values differ; undefined if they are equal up to `tolerance`. */
export function firstDifference(
  expected: unknown,
  received: unknown,
  tolerance = 0,
  place = "",
): Difference | undefined {
  const differ: Difference = { place, expected, received };
  if (typeof expected === "number" && typeof received === "number") {
    return closeTo(expected, received, tolerance) ? undefined : differ;
  }
  if (isList(expected) && isList(received)) {
    const both = Math.min(expected.length, received.length);
    for (let i = 0; i < both; i++) {
      const found = firstDifference(expected[i], received[i], tolerance, join(place, `index ${i}`));
      if (found) return found;
    }
    if (expected.length === received.length) return undefined;
    const nothing = (list: List): unknown => (both < list.length ? list[both] : "nothing");
    return { place: join(place, `index ${both}`), expected: nothing(expected), received: nothing(received) };
  }
  if (isRecord(expected) && isRecord(received)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(received)])) {
      const found = firstDifference(expected[key], received[key], tolerance, join(place, key));
      if (found) return found;
    }
    return undefined;
  }
  return expected === received ? undefined : differ;
}

const join = (place: string, next: string): string => (place === "" ? next : `${place}, ${next}`);

function closeTo(a: number, b: number, tolerance: number): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  if (!Number.isFinite(a) || !Number.isFinite(b)) return false;
  return Math.abs(a - b) <= tolerance * (1 + Math.abs(a));
}

/** Longest list that is printed whole. */
const longest = 16;

/** A value as text. Of a long list only the surroundings of `at` are printed. */
export function showValue(value: unknown, at = 0): string {
  if (typeof value === "number") return showNumber(value);
  if (typeof value === "string") return value;
  if (isList(value)) return showList(Array.from(value), at);
  if (isRecord(value)) {
    const fields = Object.entries(value).map(([key, own]) => `${key}: ${showValue(own)}`);
    const line = `{ ${fields.join(", ")} }`;
    return line.length <= 80 ? line : fields.join("\n");
  }
  return String(value);
}

const showNumber = (value: number): string => (Number.isInteger(value) ? String(value) : String(+value.toPrecision(7)));

function showList(values: unknown[], at: number): string {
  // Sentences, such as the calls of a network, are easier to read one below the other.
  if (values.some((value) => typeof value === "string" && value.includes(" "))) {
    return values.map((value) => showValue(value)).join("\n");
  }
  if (values.length <= longest) return `[${values.map((value) => showValue(value)).join(", ")}]`;
  const first = Math.max(0, Math.min(at - longest / 2, values.length - longest));
  const shown = values.slice(first, first + longest).map((value) => showValue(value));
  const [before, after] = [first > 0 ? "..., " : "", first + longest < values.length ? ", ..." : ""];
  return `[${before}${shown.join(", ")}${after}] (${values.length} values)`;
}
