// What the page reads of the files of a checkpoint.

/** A file of a checkpoint. @throws Error if it is missing */
export function checkpointFile(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const bytes = files.get(name);
  if (!bytes) throw new Error(`checkpoint: no ${name} among ${[...files.keys()].join(", ") || "no files"}`);
  return bytes;
}

/**
 * The name that the command line gives to the folder of a checkpoint. It contains the step that the files hold: the command line
 * refuses a folder with another step in its name.
 */
export function checkpointFolder(files: ReadonlyMap<string, Uint8Array>): string {
  const { step } = JSON.parse(new TextDecoder().decode(files.get("checkpoint.json"))) as { readonly step: number };
  return `checkpoint-${String(step).padStart(7, "0")}`;
}
