/** The one kind of mistake of src/nn: a checkpoint that cannot be read, or does not fit what it is loaded into. */

/** A checkpoint is broken or does not fit. The message is one line: where, what was got, what was expected. */
export class CheckpointError extends Error {
  override name = "CheckpointError";
}
