// Text and JSON from the bytes of a file. Errors name the file.
import { DatasetError, shortened } from "./errors.ts";

/** The longest string of V8, the engine of Node and Chrome. */
const MAX_STRING = 2 ** 29 - 24;

/** Decodes UTF-8. @throws DatasetError unless the bytes are UTF-8 that fits into one string. */
export function decodeText(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    const problem =
      error instanceof TypeError // of the decoder, about a wrong byte
        ? "not UTF-8 text"
        : `${bytes.length} bytes of text, expected at most ${MAX_STRING} characters, the longest string`;
    throw new DatasetError(problem, { file: where });
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
