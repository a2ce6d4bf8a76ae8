// Text and JSON from the bytes of a file. Errors name the file.
import { DatasetError, shortened } from "./errors.ts";

/** Decodes UTF-8. @throws DatasetError unless the bytes are UTF-8. */
export function decodeText(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new DatasetError("not UTF-8 text", { file: where });
  }
}

/** Parses JSON. @throws DatasetError unless the text is JSON. */
export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DatasetError(`not JSON: ${shortened(error instanceof Error ? error.message : String(error), 100)}`, {
      file: where,
    });
  }
}
