/** Numbers in the bytes of a file, for every format that holds arrays. Files are little-endian, as all our platforms are. */

export interface NumberArrayType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** The bytes as numbers: a view where they are aligned, else a copy. */
export function viewNumbers<T>(NumberArray: NumberArrayType<T>, bytes: Uint8Array): T {
  const size = NumberArray.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes); // a copy; the slice of a Buffer is none
  return new NumberArray(aligned.buffer, aligned.byteOffset, aligned.byteLength / size);
}
