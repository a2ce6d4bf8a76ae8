// Checks of arguments that a caller without types, such as plain JavaScript, can get wrong: what was given, what was expected, where.
import { ArgumentError, showValue } from "./errors.ts";

/**
 * Checks that an argument is an instance of a class.
 *
 * @throws ArgumentError unless the value is an instance of the class; `hint` says how to make one
 */
export function expectInstance<T>(
  where: string,
  name: string,
  value: unknown,
  type: abstract new (...given: never[]) => T,
  hint = "",
): asserts value is T {
  if (value instanceof type) return;
  const article = /^[AEIO]/.test(type.name) ? "an" : "a";
  throw new ArgumentError(`${where}: got ${showValue(value)} as ${name}, expected ${article} ${type.name}${hint}`);
}

/**
 * Checks that an argument is an object with the given keys.
 *
 * @throws ArgumentError unless the value is an object, but no array, with all of the keys
 */
export function expectObject(where: string, name: string, value: unknown, keys: readonly string[] = []): void {
  const expected = keys.length > 0 ? `an object with ${keys.join(", ")}` : "an object";
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ArgumentError(`${where}: got ${showValue(value)} as ${name}, expected ${expected}`);
  }
  const missing = keys.find((key) => (value as Record<string, unknown>)[key] === undefined);
  if (missing !== undefined) {
    throw new ArgumentError(`${where}: got ${name} without ${missing}, expected ${expected}`);
  }
}

/** Checks that an argument is a function. @throws ArgumentError unless the value is a function */
export function expectFunction(where: string, name: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new ArgumentError(`${where}: got ${showValue(value)} as ${name}, expected a function`);
}

/** Checks that an argument is an array. @throws ArgumentError unless the value is an array */
export function expectArray(where: string, name: string, value: unknown): void {
  if (Array.isArray(value)) return;
  throw new ArgumentError(`${where}: got ${showValue(value)} as ${name}, expected an array`);
}

/** Checks that an argument is a string. @throws ArgumentError unless the value is a string */
export function expectString(where: string, name: string, value: unknown): asserts value is string {
  if (typeof value === "string") return;
  throw new ArgumentError(`${where}: got ${showValue(value)} as ${name}, expected a string`);
}

/**
 * Checks that an argument is a whole number that is not too small.
 *
 * @throws ArgumentError unless the value is a whole number of at least `least`
 */
export function expectWhole(where: string, name: string, value: unknown, least = 1): void {
  if (Number.isInteger(value) && (value as number) >= least) return;
  throw new ArgumentError(`${where}: got ${showValue(value)} as ${name}, expected a whole number from ${least}`);
}

/**
 * Checks that an argument is a number within a range.
 *
 * @throws ArgumentError unless the value is a finite number from `least` to `most`
 */
export function expectNumber(where: string, name: string, value: unknown, least: number, most = Infinity): void {
  if (Number.isFinite(value) && (value as number) >= least && (value as number) <= most) return;
  const expected = most === Infinity ? `a number from ${least}` : `a number from ${least} to ${most}`;
  throw new ArgumentError(`${where}: got ${showValue(value)} as ${name}, expected ${expected}`);
}

/**
 * Checks that an argument is an array of tokens.
 *
 * @throws ArgumentError unless the value is an Int32Array, whose length is `length` if it is given
 */
export function expectTokens(where: string, name: string, value: unknown, length?: number): void {
  if (!(value instanceof Int32Array)) {
    throw new ArgumentError(
      `${where}: got ${showValue(value)} as ${name}, expected an Int32Array (see Int32Array.from)`,
    );
  }
  if (length === undefined || value.length === length) return;
  throw new ArgumentError(`${where}: got ${value.length} numbers as ${name}, expected ${length}`);
}
