// The safetensors file format, read and written as bytes.
//
// A file consists of the length of the header (8 bytes, little-endian), the header (JSON: tensor name -> dtype, shape, data_offsets)
// and the data. Reading a broken file throws a CheckpointError and never allocates more than the size of the file (twice that for
// 16-bit floats). Typed arrays are little-endian on every platform that this code runs on.
import { expectBytes, expectTensorMap } from "./arguments.ts";
import { CheckpointError, quoted } from "./errors.ts";
import { duplicateKey } from "./json-keys.ts";
import { type NumberArrayType, viewNumbers } from "./number-view.ts";

/** The dtypes that are read. */
export type SafetensorsDtype = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "I16" | "I8" | "U8" | "BOOL";

/** F16 and BF16 are widened to float32; BOOL is read as bytes 0 and 1. */
export type SafetensorsData =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array;

/** One tensor of a file. */
export interface SafetensorsEntry {
  /** The dtype in the file. */
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** Row-major; shares memory with the bytes of the file where alignment and dtype allow. */
  readonly data: SafetensorsData;
}

/** A parsed file: tensors by name, and metadata. */
export interface SafetensorsFile {
  readonly tensors: Map<string, SafetensorsEntry>;
  readonly metadata: Record<string, string>;
  /** The key of the dictionary that contained the tensors, if a .pt file holds more than the state_dict: "model", "state_dict" ... */
  readonly wrapper?: string;
}

/** A tensor to write. The type of the array determines the dtype; a Uint16Array holds the bits of F16 numbers (`float16Bits`). */
export interface WritableTensor {
  readonly shape: readonly number[];
  readonly data: Float64Array | Float32Array | Uint16Array | BigInt64Array | Int32Array | Uint8Array;
}

/** The dtypes that are written, by the name of the array type, which an array of another realm (an iframe, a vm context) has too. */
const WRITABLE: Partial<Record<string, SafetensorsDtype>> = {
  Float64Array: "F64",
  Float32Array: "F32",
  Uint16Array: "F16",
  BigInt64Array: "I64",
  Int32Array: "I32",
  Uint8Array: "U8",
};

/** The array type of every dtype in the file. */
const ARRAYS: Record<SafetensorsDtype, NumberArrayType<SafetensorsData | Uint16Array>> = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

const MAX_HEADER_BYTES = 100_000_000; // the limit of the reference implementation

/**
 * Reads a whole file.
 * @param where name of the file for errors
 * @throws CheckpointError unless the bytes are exactly one valid safetensors file
 */
export function parseSafetensors(bytes: Uint8Array, where = "safetensors"): SafetensorsFile {
  expectBytes("parseSafetensors", bytes);
  const { header, dataStart } = readHeader(bytes, where);
  const dataLength = bytes.byteLength - dataStart;
  const entries: Entry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") {
      metadata = checkMetadata(value, where);
      continue;
    }
    entries.push(checkEntry(name, value, dataLength, where));
  }
  checkContiguous(entries, dataLength, where); // Before any number is copied: overlapping ranges could need any amount of memory.
  const tensors = new Map<string, SafetensorsEntry>();
  for (const { name, dtype, shape, begin, end } of entries) {
    tensors.set(name, { dtype, shape, data: readNumbers(dtype, bytes.subarray(dataStart + begin, dataStart + end)) });
  }
  return { tensors, metadata };
}

/** Reads little-endian numbers; a view where alignment and dtype allow. F16 and BF16 are widened to float32. */
export function readNumbers(dtype: SafetensorsDtype, bytes: Uint8Array): SafetensorsData {
  const numbers = viewNumbers(ARRAYS[dtype], bytes);
  if (!(numbers instanceof Uint16Array)) return numbers;
  return dtype === "F16" ? widenFloat16(numbers) : widenBfloat16(numbers);
}

/** Number of bytes per element. */
export const sizeOfDtype = (dtype: SafetensorsDtype): number => ARRAYS[dtype].BYTES_PER_ELEMENT;

/**
 * Writes a file. Tensors are laid out by decreasing element size, then in the given order, so that all are aligned.
 * @throws CheckpointError if a shape does not match its data, or for a reserved name
 */
export function serializeSafetensors(
  tensors: ReadonlyMap<string, WritableTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  expectTensorMap("serializeSafetensors", tensors);
  const ordered = [...tensors].sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const fields = Object.keys(metadata).length > 0 ? [`"__metadata__":${JSON.stringify(metadata)}`] : [];
  let offset = 0;
  for (const [name, { shape, data }] of ordered) {
    if (name === "__metadata__") throw new CheckpointError(`serializeSafetensors: the tensor name ${name} is reserved`);
    const size = safeProduct(shape);
    if (size !== data.length) {
      throw new CheckpointError(
        `serializeSafetensors: ${quoted(name, 80)} has ${data.length} numbers, expected ${size} for its shape [${shape.join(", ")}]`,
      );
    }
    const end = offset + data.byteLength;
    const entry = { dtype: dtypeOf(name, data), shape, data_offsets: [offset, end] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    offset = end;
  }
  const text = new TextEncoder().encode(`{${fields.join(",")}}`);
  const headerLength = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + headerLength + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.set(text, 8);
  file.fill(0x20, 8 + text.length, 8 + headerLength); // spaces
  let at = 8 + headerLength;
  for (const [, { data }] of ordered) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

/**
 * Converts the integers of an entry, of any width.
 * @throws CheckpointError if the dtype is not an integer or boolean, or a value does not fit into 32 bits
 */
export function toInt32(name: string, entry: SafetensorsEntry): Int32Array {
  const { data, dtype } = entry;
  if (data instanceof Int32Array) return data;
  if (data instanceof Float32Array || data instanceof Float64Array) {
    throw new CheckpointError(`tensor ${quoted(name, 80)}: dtype ${dtype}, expected integers`);
  }
  const result = new Int32Array(data.length);
  for (let index = 0; index < data.length; index++) {
    const value = data[index]!;
    if (value < -(2 ** 31) || value >= 2 ** 31) {
      throw new CheckpointError(`tensor ${quoted(name, 80)}: value ${value} at ${index}, expected 32-bit integers`);
    }
    result[index] = Number(value);
  }
  return result;
}

/**
 * Converts the floats of an entry; 64-bit floats are rounded.
 * @throws CheckpointError if the dtype is not a float
 */
export function toFloat32(name: string, entry: SafetensorsEntry): Float32Array {
  if (entry.data instanceof Float32Array) return entry.data;
  if (entry.data instanceof Float64Array) return Float32Array.from(entry.data);
  throw new CheckpointError(`tensor ${quoted(name, 80)}: dtype ${entry.dtype}, expected floats`);
}

function readHeader(bytes: Uint8Array, where: string): { header: object; dataStart: number } {
  if (bytes.byteLength < 8) {
    throw new CheckpointError(`${where}: ${bytes.byteLength} bytes, expected at least 8 (truncated?)`);
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new CheckpointError(`${where}: header of ${length} bytes, expected at most ${MAX_HEADER_BYTES}`);
  }
  const dataStart = 8 + Number(length);
  if (dataStart > bytes.byteLength) {
    throw new CheckpointError(
      `${where}: header of ${length} bytes, but only ${bytes.byteLength - 8} bytes follow (truncated?)`,
    );
  }
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, dataStart));
    header = JSON.parse(text);
  } catch {
    throw new CheckpointError(`${where}: the header is not JSON in UTF-8`);
  }
  if (!text.startsWith("{") || !isObject(header)) {
    throw new CheckpointError(`${where}: the header is not a JSON object`);
  }
  const twice = duplicateKey(text);
  if (twice !== undefined) throw new CheckpointError(`${where}: the header contains ${quoted(twice, 80)} twice`);
  return { header, dataStart };
}

function checkMetadata(value: unknown, where: string): Record<string, string> {
  const pairs = isObject(value) ? Object.entries(value) : undefined;
  if (pairs === undefined || pairs.some(([, text]) => typeof text !== "string")) {
    throw new CheckpointError(`${where}: __metadata__ is not an object of strings`);
  }
  return Object.fromEntries(pairs);
}

/** A tensor of the header. Its bytes are begin <= i < end of the data. */
interface Entry {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function checkEntry(name: string, value: unknown, dataLength: number, where: string): Entry {
  const refuse = (problem: string) => new CheckpointError(`${where}: tensor ${quoted(name, 80)}: ${problem}`);
  if (!isObject(value)) throw refuse("not an object with dtype, shape and data_offsets");
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(ARRAYS, dtype)) {
    throw refuse(`dtype ${quoted(dtype, 80)}, expected one of ${Object.keys(ARRAYS).join(" ")}`);
  }
  const known = dtype as SafetensorsDtype;
  if (!isSizes(shape)) throw refuse(`shape ${quoted(shape, 80)}, expected an array of sizes`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw refuse(`data_offsets ${quoted(offsets, 80)}, expected [begin, end] without negative numbers`);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataLength) {
    throw refuse(`data_offsets [${begin}, ${end}], expected begin <= end <= ${dataLength} (the length of the data)`);
  }
  const expected = safeProduct(shape) * ARRAYS[known].BYTES_PER_ELEMENT;
  if (expected !== end - begin) {
    throw refuse(`${end - begin} bytes, expected ${expected} for ${dtype} of shape ${quoted(shape, 80)}`);
  }
  return { name, dtype: known, shape, begin, end };
}

/** The tensors must cover the data exactly, without gaps and without overlaps. */
function checkContiguous(entries: readonly Entry[], dataLength: number, where: string) {
  let covered = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      const problem = begin < covered ? "overlaps the tensor before it" : "leaves a gap before it";
      throw new CheckpointError(
        `${where}: tensor ${quoted(name, 80)} at [${begin}, ${end}] ${problem}, expected begin ${covered}`,
      );
    }
    covered = end;
  }
  if (covered !== dataLength) {
    throw new CheckpointError(`${where}: the tensors cover ${covered} bytes of data, the file has ${dataLength}`);
  }
}

function dtypeOf(name: string, data: WritableTensor["data"]): SafetensorsDtype {
  const dtype = WRITABLE[data[Symbol.toStringTag]];
  if (dtype !== undefined) return dtype;
  throw new CheckpointError(
    `serializeSafetensors: ${quoted(name, 80)} has its numbers in a ${data[Symbol.toStringTag]}, expected ${Object.keys(WRITABLE).join(", ")}`,
  );
}

/** The bits of the nearest float16 numbers; of two equally near ones those of the even one. Numbers from 65520 become infinite. */
export function float16Bits(numbers: Float32Array): Uint16Array {
  return Uint16Array.from(numbers, (value) => {
    const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
    const size = Math.abs(value);
    if (Number.isNaN(value)) return 0x7e00;
    if (size >= 65_520) return sign | 0x7c00;
    // A fraction that is rounded up to 1024 carries into the exponent, which gives the next power of two.
    if (size < 2 ** -14) return sign | roundToEven(size * 2 ** 24);
    const exponent = exponentOf(size);
    return sign | (((exponent + 15) << 10) + roundToEven((size / 2 ** exponent - 1) * 1024));
  });
}

/** The exponent of a normal float32 number: the largest e with 2^e <= value. */
function exponentOf(value: number): number {
  const [bits] = new Uint32Array(Float32Array.of(value).buffer);
  return (bits! >>> 23) - 127;
}

/** The nearest integer; of two equally near ones the even one. */
function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

function widenFloat16(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}

function widenBfloat16(halves: Uint16Array): Float32Array {
  const words = Uint32Array.from(halves, (half) => half << 16);
  return new Float32Array(words.buffer);
}

/** The product, or NaN if it exceeds the safe integers; NaN then equals no length. */
function safeProduct(shape: readonly number[]): number {
  if (shape.includes(0)) return 0;
  let product = 1;
  for (const size of shape) {
    product *= size;
    if (!Number.isSafeInteger(product)) return Number.NaN;
  }
  return product;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is an array of integers from 0. */
export function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
