// What the page reads of the files of a checkpoint.

/** A file of a checkpoint. @throws Error if it is missing */
export function checkpointFile(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const bytes = files.get(name);
  if (!bytes) throw new Error(`checkpoint: no ${name} among ${[...files.keys()].join(", ") || "no files"}`);
  return bytes;
}

const generated = ["sudoku4", "sudoku6", "sudoku9", "maze"];

/** @throws Error for a missing file, for files that are no checkpoint, or for one whose puzzles the page cannot generate */
export function expectTrainable(files: ReadonlyMap<string, Uint8Array>): void {
  const text = new TextDecoder().decode(checkpointFile(files, "checkpoint.json"));
  let side: {
    readonly format?: unknown;
    readonly task?: { readonly name?: string };
    readonly config?: { readonly emaRate?: unknown };
  };
  try {
    side = Object(JSON.parse(text));
  } catch {
    throw new Error("checkpoint.json: not JSON in UTF-8 (truncated?)");
  }
  const { format, task, config } = side;
  if (format !== "trm-ts checkpoint") throw new Error("checkpoint.json: not a checkpoint of trm-ts");
  const name = task?.name ?? "an unknown task";
  if (!generated.includes(name)) throw new Error(`checkpoint.json: puzzles of ${name} cannot be generated in the page`);
  for (const part of ["weights", "training"]) checkpointFile(files, `${part}.safetensors`);
  if (config?.emaRate !== 0) checkpointFile(files, "ema.safetensors");
}

/**
 * The name that the command line gives to the folder of a checkpoint. It contains the step that the files hold: the command line
 * refuses a folder with another step in its name.
 */
export function checkpointFolder(files: ReadonlyMap<string, Uint8Array>): string {
  const { step } = JSON.parse(new TextDecoder().decode(files.get("checkpoint.json"))) as { readonly step: number };
  return `checkpoint-${String(step).padStart(7, "0")}`;
}
