// Element types, and the typed arrays that hold their elements.
import { DTypeError, showValue } from "./errors.ts";

/** The type of the numbers of a tensor. */
export type DType = "float32" | "float64" | "int32";
/** An array of numbers of one of the types. */
export type NumberArray = Float32Array | Float64Array | Int32Array;

export const bytesPerElement: Record<DType, number> = { float32: 4, float64: 8, int32: 4 };

type NumberArrayType = new (buffer: ArrayBufferLike, start: number, length: number) => NumberArray;
const arrayTypes: Record<DType, NumberArrayType> = { float32: Float32Array, float64: Float64Array, int32: Int32Array };

/** The typed array of the `length` numbers of the element type that begin at byte `start` of a buffer. */
export const arrayIn = (dtype: DType, buffer: ArrayBufferLike, start: number, length: number): NumberArray =>
  new arrayTypes[dtype](buffer, start, length);

/** A typed array of `length` zeros of the element type. */
export const newArray = (dtype: DType, length: number): NumberArray =>
  arrayIn(dtype, new ArrayBuffer(length * bytesPerElement[dtype]), 0, length);

/** Checks that a value is the name of a type. @throws DTypeError unless the value is the name of an element type */
export function expectTypeName(operation: string, dtype: unknown): void {
  if (typeof dtype === "string" && Object.hasOwn(bytesPerElement, dtype)) return;
  const expected = Object.keys(bytesPerElement).join(", ");
  throw new DTypeError(`${operation}: got ${showValue(dtype)} as the element type, expected one of ${expected}`);
}

const least = -(2 ** 31);
const most = 2 ** 31 - 1;

/**
 * @throws DTypeError unless every value is a number that the element type can hold. Fractions are allowed for int32, which cuts
 *   them off towards zero.
 */
export function expectValues(operation: string, values: ArrayLike<number>, dtype: DType): void {
  const isInt32 = dtype === "int32";
  // The elements of these arrays need no check, so the usual large inputs cost nothing.
  if (
    values instanceof Int32Array ||
    (!isInt32 && (values instanceof Float32Array || values instanceof Float64Array))
  ) {
    return;
  }
  for (let i = 0; i < values.length; i++) {
    const value: unknown = values[i];
    if (typeof value !== "number") {
      throw new DTypeError(`${operation}: got ${showValue(value)} at position ${i}, expected a number`);
    }
    if (isInt32 && !(Math.trunc(value) >= least && Math.trunc(value) <= most)) {
      throw new DTypeError(`${operation}: got ${value} at position ${i}, expected ${least} to ${most} for int32`);
    }
  }
}
