// Writes an .npy file of tokens row by row. The header is completed at the end, when the number of rows is known.
import type { AtomicFile } from "../../formats/index.node.ts";
import { npyHeader } from "../../formats/index.ts";

export class NpyRowWriter {
  readonly #file: AtomicFile;
  readonly #dtype = "|u1";
  #buffer = new Uint8Array(1 << 16);
  #buffered = 0;
  #bytes = 0;

  constructor(file: AtomicFile) {
    this.#file = file;
    this.#file.write(npyHeader(this.#dtype, [0, 0]));
  }

  write(row: Uint8Array): void {
    if (this.#buffered + row.length > this.#buffer.length) this.#flush();
    if (row.length > this.#buffer.length) this.#buffer = new Uint8Array(row.length);
    this.#buffer.set(row, this.#buffered);
    this.#buffered += row.length;
    this.#bytes += row.length;
  }

  /** Writes the remaining rows and the header. */
  end(columns: number): void {
    this.#flush();
    this.#file.write(npyHeader(this.#dtype, [this.#bytes / columns, columns]), 0); // It is as long as the first header: 128 bytes.
  }

  #flush(): void {
    this.#file.write(this.#buffer.subarray(0, this.#buffered));
    this.#buffered = 0;
  }
}
