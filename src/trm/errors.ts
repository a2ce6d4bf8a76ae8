// The errors of the algorithm's users, one class per kind of mistake. Every message is one line: what was given, what was
// expected, where.

/** A puzzle cannot be read, or does not have the solutions it should have. */
export class PuzzleError extends Error {
  override name = "PuzzleError";
}

/** A setting does not exist, does not fit, or cannot be fulfilled. */
export class ConfigError extends Error {
  override name = "ConfigError";
}
