// Errors of the tensor library: one class per kind of mistake. A message is one line: what was given, what was expected, where.

/** Shapes that do not fit together, or a shape that cannot exist. */
export class ShapeError extends Error {
  override name = "ShapeError";
}

/** Element types that do not fit together, a value that the element type cannot hold, or an operation that is not defined for it. */
export class DTypeError extends Error {
  override name = "DTypeError";
}

/** A tensor that was used after its memory was released, or memory that cannot be allocated. */
export class MemoryError extends Error {
  override name = "MemoryError";
}

/** A backend that does not exist, cannot run here, or was given an option out of range. */
export class BackendError extends Error {
  override name = "BackendError";
}

/** An argument of the wrong kind, such as a number in the place of a tensor, or a missing option. */
export class ArgumentError extends TypeError {
  override name = "ArgumentError";
}

/** A value of any type in an error message. */
export function showValue(value: unknown): string {
  if (typeof value === "string")
    return `the string ${JSON.stringify(value.length > 20 ? `${value.slice(0, 20)}...` : value)}`;
  if (typeof value === "bigint") return `the BigInt ${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : `an array of ${value.length} elements`;
  return `an object of type ${value.constructor?.name ?? "Object"}`;
}
