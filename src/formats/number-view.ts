// The numbers in the bytes of a file, for every format that stores arrays. Files are little-endian, as are all supported platforms.
export interface NumberArrayType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** Converts bytes to numbers: a view if they are aligned, else a copy. */
export function viewNumbers<T>(NumberArray: NumberArrayType<T>, bytes: Uint8Array): T {
  const size = NumberArray.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes); // A copy; Buffer.slice would not copy.
  return new NumberArray(aligned.buffer, aligned.byteOffset, aligned.byteLength / size);
}
