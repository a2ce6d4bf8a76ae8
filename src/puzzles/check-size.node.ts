// Refuses data sets that cannot fit, before a long build starts.
import { existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ConfigError } from "../trm/index.ts";

/** The index files of the official layout hold 32-bit integers. */
const MAX_EXAMPLES = 2 ** 31 - 1;

/**
 * Checks the train split, which is by far the largest, against the layout and the free space of the disk.
 * @param option name and value of the setting that determines the size, for the error
 * @param out the folder to write, which need not exist
 * @throws ConfigError
 */
export function checkSize(
  option: string,
  size: { readonly examples: number; readonly cells: number },
  out: string,
): void {
  const { examples, cells } = size;
  if (examples > MAX_EXAMPLES) {
    throw new ConfigError(`${option}: ${examples} examples, expected at most ${MAX_EXAMPLES} (32-bit indices)`);
  }
  let folder = resolve(out);
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const bytes = 2 * examples * cells;
  if (bytes > bavail * bsize) {
    throw new ConfigError(
      `${option}: about ${gigabytes(bytes)} of examples, ${folder} has ${gigabytes(bavail * bsize)} free`,
    );
  }
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toPrecision(3)} GB`;
