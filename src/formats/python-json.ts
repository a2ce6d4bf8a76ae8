// JSON as Python's json.dump writes it, so that files equal those of the official code byte for byte.
/** Writes spaces after "," and ":", escapes everything beyond ASCII, and writes whole numbers as integers. */
export function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    return `{${entries.map(([key, each]) => `${pythonJson(String(key))}: ${pythonJson(each)}`).join(", ")}}`;
  }
  const text = JSON.stringify(value) ?? "null";
  return text.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A float as Python writes it: 1 becomes 1.0. */
export function pythonFloat(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
