// The mistakes a user of the tensor library can make. One class per kind, one line per message:
// what was got, what was expected, where.

/** Shapes that do not fit together. */
export class ShapeError extends Error {
  override name = "ShapeError";
}

/** Element types that do not fit together, or an operation that is not defined for one. */
export class DTypeError extends Error {
  override name = "DTypeError";
}

/** A tensor used after its memory was given back, or memory that cannot be had. */
export class MemoryError extends Error {
  override name = "MemoryError";
}

/** A backend that does not exist, or cannot run here. */
export class BackendError extends Error {
  override name = "BackendError";
}
