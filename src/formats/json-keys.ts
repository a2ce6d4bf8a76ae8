// Finds a key that occurs twice in one object of a JSON text. JSON.parse silently keeps the last one.
import { kindOf } from "./arguments.ts";

/**
 * The first key, decoded, that occurs twice in one object; undefined if there is none. The text must be valid JSON.
 *
 * @throws TypeError unless the value is a text
 */
export function duplicateKey(json: string): string | undefined {
  if (typeof json !== "string") throw new TypeError(`duplicateKey: got ${kindOf(json)}, expected the text of JSON`);
  const open: (Set<string> | undefined)[] = []; // the keys of every open object so far; undefined for an open array
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === "{") open.push(new Set());
    else if (character === "[") open.push(undefined);
    else if (character === "}" || character === "]") open.pop();
    else if (character === '"') {
      const start = at;
      for (at++; json[at] !== '"'; at++) if (json[at] === "\\") at++;
      const seen = open.at(-1);
      if (seen === undefined || !isKey(json, at + 1)) continue;
      const key: string = JSON.parse(json.slice(start, at + 1));
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return undefined;
}

/** Whether a colon follows, which distinguishes a key from a string value. */
function isKey(json: string, at: number): boolean {
  while (json[at] === " " || json[at] === "\n" || json[at] === "\r" || json[at] === "\t") at++;
  return json[at] === ":";
}
