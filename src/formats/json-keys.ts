/** Finds a key that a JSON text gives twice in one object: JSON.parse keeps the last one silently. */

/** The first key that occurs twice in the same object of a text that JSON.parse accepts, decoded; else undefined. */
export function duplicateKey(json: string): string | undefined {
  const open: (Set<string> | undefined)[] = []; // the keys seen in every open object; undefined for an open array
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

/** Whether a colon follows, as it does after a key and never after a string value. */
function isKey(json: string, at: number): boolean {
  while (json[at] === " " || json[at] === "\n" || json[at] === "\r" || json[at] === "\t") at++;
  return json[at] === ":";
}
