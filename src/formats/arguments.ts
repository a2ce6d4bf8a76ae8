// Checks of the arguments of the parsers and writers, for callers without types, such as plain JavaScript.
import type { WritableTensor } from "./safetensors.ts";

/** @throws TypeError unless the value is a Uint8Array */
export function expectBytes(where: string, value: unknown): void {
  if (value instanceof Uint8Array) return;
  throw new TypeError(`${where}: got ${kindOf(value)}, expected the bytes of a file as a Uint8Array`);
}

/** @throws TypeError unless the value is a Map of tensors, each with a shape and its numbers in a typed array */
export function expectTensorMap(where: string, value: ReadonlyMap<string, WritableTensor>): void {
  if (!(value instanceof Map)) throw new TypeError(`${where}: got ${kindOf(value)}, expected a Map of tensors by name`);
  for (const [name, tensor] of value) {
    if (Array.isArray(tensor?.shape) && ArrayBuffer.isView(tensor.data)) continue;
    throw new TypeError(`${where}: got ${kindOf(tensor)} as ${name}, expected a shape and data in a typed array`);
  }
}

/** The kind of a value, for error messages. */
export function kindOf(value: unknown): string {
  if (value === null || typeof value === "undefined" || typeof value === "number") return String(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  return Array.isArray(value) ? "an array" : `an object of type ${value.constructor?.name ?? "Object"}`;
}
