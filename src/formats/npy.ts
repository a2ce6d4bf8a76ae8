// NumPy's .npy format, read and written as bytes: versions 1 to 3, C order, little-endian numbers and booleans.
//
// The package npyjs (1.2) is not used: it only reads, does not check sizes and shapes, and contains a fetch polyfill. Reading a broken file
// throws a DatasetError and never allocates more than the size of the file.
import { expectBytes, kindOf } from "./arguments.ts";
import { DatasetError, quoted } from "./errors.ts";
import { type NumberArrayType, viewNumbers } from "./number-view.ts";

/** The array type of every dtype. Booleans are bytes 0 and 1. */
const ARRAYS = {
  "|b1": Uint8Array,
  "|u1": Uint8Array,
  "|i1": Int8Array,
  "<u2": Uint16Array,
  "<i2": Int16Array,
  "<u4": Uint32Array,
  "<i4": Int32Array,
  "<u8": BigUint64Array,
  "<i8": BigInt64Array,
  "<f4": Float32Array,
  "<f8": Float64Array,
} as const;

export type NpyDtype = keyof typeof ARRAYS;
export type NpyData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** What the header of an .npy file says. */
export interface NpyHeader {
  readonly dtype: NpyDtype;
  readonly shape: readonly number[];
  /** Numbers in the array. */
  readonly length: number;
  /** Bytes of one number. */
  readonly itemSize: number;
  /** Position of the first byte of data in the file. */
  readonly dataOffset: number;
}

export interface NpyArray {
  readonly dtype: NpyDtype;
  readonly shape: readonly number[];
  /** Row-major; shares memory with the bytes of the file where alignment allows. Booleans are bytes 0 and 1. */
  readonly data: NpyData;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

/** The header of any accepted file lies within this many bytes. */
export const NPY_HEADER_LIMIT = 65_536;

/**
 * Reads a whole file.
 * @param where name of the file for errors
 * @throws DatasetError unless the bytes are exactly one .npy file of a known dtype in C order
 */
export function parseNpy(bytes: Uint8Array, where = "npy"): NpyArray {
  expectBytes("parseNpy", bytes);
  const { dtype, shape, length, itemSize, dataOffset } = parseNpyHeader(bytes, where);
  const expected = length * itemSize;
  const got = bytes.byteLength - dataOffset;
  if (got !== expected) {
    throw new DatasetError(`${got} bytes of data, expected ${expected} for ${dtype} of shape ${tuple(shape)}`, {
      file: where,
    });
  }
  return { dtype, shape, data: npyNumbers(dtype, bytes.subarray(dataOffset)) };
}

/** Views a piece of the data as numbers; shares its memory where alignment allows. */
export const npyNumbers = (dtype: NpyDtype, bytes: Uint8Array): NpyData =>
  viewNumbers<NpyData>(ARRAYS[dtype] as NumberArrayType<NpyData>, bytes);

/** Reads the header only; `bytes` may end anywhere after it. @throws DatasetError */
export function parseNpyHeader(bytes: Uint8Array, where = "npy"): NpyHeader {
  expectBytes("parseNpyHeader", bytes);
  const refuse = (problem: string) => new DatasetError(problem, { file: where });
  if (bytes.byteLength < 12 || MAGIC.some((byte, index) => bytes[index] !== byte)) {
    throw refuse("not an .npy file (it does not begin with \\x93NUMPY and a header)");
  }
  const version = bytes[6]!;
  if (version < 1 || version > 3) throw refuse(`npy version ${version}, expected 1, 2 or 3`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerStart = version === 1 ? 10 : 12;
  const headerLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const dataOffset = headerStart + headerLength;
  if (dataOffset > NPY_HEADER_LIMIT + 12) throw refuse(`header of ${headerLength} bytes, expected at most 65536`);
  if (dataOffset > bytes.byteLength) throw refuse(`header of ${headerLength} bytes exceeds the file (truncated?)`);
  const text = String.fromCharCode(...bytes.subarray(headerStart, dataOffset));
  const { descr, fortran_order: fortran, shape } = parseDict(text, refuse);
  if (typeof descr !== "string" || !Object.hasOwn(ARRAYS, descr)) {
    throw refuse(`dtype ${quoted(descr)}, expected one of ${Object.keys(ARRAYS).join(" ")}`);
  }
  if (fortran !== false) throw refuse("Fortran order, expected C order (numpy.ascontiguousarray)");
  if (!Array.isArray(shape) || !shape.every(Number.isSafeInteger)) {
    throw refuse(`shape ${quoted(shape)}, expected a tuple of sizes`);
  }
  const dtype = descr as NpyDtype;
  const length = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  const itemSize = ARRAYS[dtype].BYTES_PER_ELEMENT;
  if (!Number.isSafeInteger(length * itemSize)) throw refuse(`shape ${tuple(shape)} is too large for a file`);
  return { dtype, shape, length, itemSize, dataOffset };
}

/** The header that NumPy writes for such an array, for files that are written piece by piece. */
export function npyHeader(dtype: NpyDtype, shape: readonly number[]): Uint8Array {
  const dict = `{'descr': '${dtype}', 'fortran_order': False, 'shape': ${tuple(shape)}, }`;
  const total = Math.ceil((10 + dict.length + 1) / 64) * 64;
  const text = `${dict.padEnd(total - 11)}\n`;
  const bytes = Uint8Array.of(...MAGIC, 1, 0, 0, 0, ...[...text].map((character) => character.charCodeAt(0)));
  new DataView(bytes.buffer).setUint16(8, text.length, true);
  return bytes;
}

/** Writes a file, byte for byte as numpy.save does. @throws DatasetError if the shape does not match the data */
export function serializeNpy(data: NpyData, shape: readonly number[]): Uint8Array {
  if (!ArrayBuffer.isView(data) || !Array.isArray(shape)) {
    throw new TypeError(`serializeNpy: got ${kindOf(data)} and ${kindOf(shape)}, expected a typed array and a shape`);
  }
  const size = shape.reduce((product, each) => product * each, 1);
  if (size !== data.length) {
    throw new DatasetError(`serializeNpy: ${data.length} numbers, expected ${size} for the shape ${tuple(shape)}`);
  }
  const header = npyHeader(dtypeOf(data), shape);
  const file = new Uint8Array(header.length + data.byteLength);
  file.set(header);
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length);
  return file;
}

/** Converts integers of any width. @throws DatasetError for floats and for values outside 32 bits */
export function npyToInt32({ data, dtype }: NpyArray, where = "npy"): Int32Array {
  if (data instanceof Int32Array) return data;
  if (dtype === "<f4" || dtype === "<f8") {
    throw new DatasetError(`dtype ${dtype}, expected integers`, { file: where });
  }
  const result = new Int32Array(data.length);
  for (let index = 0; index < data.length; index++) {
    const value = data[index]!;
    if (value < -(2 ** 31) || value >= 2 ** 31) {
      throw new DatasetError(`value ${value} at ${index}, expected 32-bit integers`, { file: where });
    }
    result[index] = Number(value);
  }
  return result;
}

function dtypeOf(data: NpyData): NpyDtype {
  const dtypes = Object.keys(ARRAYS) as NpyDtype[];
  return dtypes.find((dtype) => dtype !== "|b1" && data instanceof ARRAYS[dtype])!;
}

/** Parses a Python dict literal of strings, booleans and one tuple of sizes. */
function parseDict(text: string, refuse: (problem: string) => DatasetError): Record<string, unknown> {
  const body = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1];
  const entry =
    /\s*(['"])(descr|fortran_order|shape)\1\s*:\s*(?:(['"])([^'"]*)\3|(True|False)|\(([\d\s,]*)\))\s*(,|$)/y;
  const result: Record<string, unknown> = {};
  while (body !== undefined && entry.lastIndex < body.trimEnd().length) {
    const match = entry.exec(body);
    if (match === null) break;
    const [, , key, , string, boolean, sizes] = match;
    if (Object.hasOwn(result, key!)) break;
    if (string !== undefined) result[key!] = string;
    else if (boolean !== undefined) result[key!] = boolean === "True";
    else
      result[key!] = sizes!
        .split(",")
        .map((size) => size.trim())
        .filter((size) => size !== "")
        .map(Number);
  }
  const complete = Object.keys(result).length === 3 && entry.lastIndex >= (body?.trimEnd().length ?? 0);
  if (!complete) {
    throw refuse(`header ${quoted(text.trimEnd())}, expected {'descr': ..., 'fortran_order': ..., 'shape': (...), }`);
  }
  return result;
}

function tuple(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}
