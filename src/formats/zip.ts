// The zip reader and writer, for archives as torch.save writes them: every entry is stored, none is compressed.
//
// Compressed entries are refused, so that a small file cannot expand to a large one (a zip bomb); entries are views of the bytes of
// the file. Names are never used as paths; a name that leaves its folder is refused all the same.
// Layout: the entries (local header, name, data), the central directory that lists them, and the end record that locates the directory.
import { CheckpointError, shortened } from "./errors.ts";

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const END64_LOCATOR = 0x07064b50;
const END_SIZE = 22;
const LOCAL_SIZE = 30;
const CENTRAL_SIZE = 46;
const MAX_ENTRIES = 100_000;

interface DirectoryEntry {
  readonly name: string;
  readonly crc: number;
  readonly size: number;
  readonly localAt: number;
}

/**
 * Reads the entries by name.
 * @param where name of the file for errors
 * @throws CheckpointError if the bytes are not an archive, or one that torch.save does not write
 */
export function readStoredZip(bytes: Uint8Array, where: string): Map<string, Uint8Array> {
  const reader = new ByteReader(bytes, where);
  const directory = readDirectory(reader, where);
  const ranges = directory.map((entry) => {
    const begin = dataStart(reader, entry, where);
    const end = begin + entry.size;
    if (end > bytes.length) {
      throw new CheckpointError(
        `${where}: "${shortened(entry.name)}" ends at byte ${end} of ${bytes.length} (truncated?)`,
      );
    }
    return { ...entry, begin, end };
  });
  checkApart(ranges, where); // Before any checksum is computed: shared bytes would be read many times.
  const entries = new Map<string, Uint8Array>();
  for (const { name, begin, end, crc } of ranges) {
    if (entries.has(name)) throw new CheckpointError(`${where}: two entries named "${shortened(name)}", expected one`);
    const data = bytes.subarray(begin, end);
    if (crc32(data) !== crc) {
      throw new CheckpointError(`${where}: "${shortened(name)}" does not match its checksum (the file is damaged)`);
    }
    entries.set(name, data);
  }
  return entries;
}

/** Writes an archive of stored entries. Their data begin at multiples of 64 bytes, as torch.save does. */
export function writeStoredZip(entries: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const push = (part: Uint8Array): void => {
    parts.push(part);
    at += part.length;
  };
  for (const [name, data] of entries) {
    const text = new TextEncoder().encode(name);
    const padding = (64 - ((at + LOCAL_SIZE + text.length + 4) % 64)) % 64;
    const shared = [UTF8_FLAG, 0, 0, DOS_1980, crc32(data), data.length, data.length] as const;
    directory.push(
      fields([4, CENTRAL], [2, 20], [2, 20], ...sharedFields(shared), [2, text.length], [2, 0]),
      fields([2, 0], [2, 0], [2, 0], [4, 0], [4, at]),
      text,
    );
    push(fields([4, LOCAL], [2, 20], ...sharedFields(shared), [2, text.length], [2, 4 + padding]));
    push(text);
    push(fields([2, PADDING_ID], [2, padding]));
    push(new Uint8Array(padding));
    push(data);
  }
  const start = at;
  if (start >= 2 ** 32) throw new CheckpointError(`writeStoredZip: ${start} bytes, expected less than 4 GiB`);
  for (const part of directory) push(part);
  push(fields([4, END], [2, 0], [2, 0], [2, entries.size], [2, entries.size], [4, at - start], [4, start], [2, 0]));
  const file = new Uint8Array(at);
  let offset = 0;
  for (const part of parts) {
    file.set(part, offset);
    offset += part.length;
  }
  return file;
}

const UTF8_FLAG = 0x800;
const DOS_1980 = 0x21; // the earliest date of the format, so that equal content gives equal bytes
const PADDING_ID = 0x4246; // "FB", the extra field that torch.save pads with

type SharedFields = readonly [
  flags: number,
  method: number,
  time: number,
  date: number,
  crc: number,
  packed: number,
  size: number,
];
const sharedFields = (values: SharedFields): [number, number][] =>
  values.map((value, i) => [i < 4 ? 2 : 4, value] as [number, number]);

/** Little-endian fields of 2 or 4 bytes. */
function fields(...list: readonly (readonly [size: number, value: number])[]): Uint8Array {
  const bytes = new Uint8Array(list.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of list) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return bytes;
}

/** Reads numbers at byte positions, with a check against the end of the file. */
class ByteReader {
  readonly #view: DataView;
  constructor(
    readonly bytes: Uint8Array,
    private readonly where: string,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  u16(at: number): number {
    return this.#view.getUint16(this.#checked(at, 2), true);
  }

  u32(at: number): number {
    return this.#view.getUint32(this.#checked(at, 4), true);
  }

  /** @throws CheckpointError also for a number beyond the safe integers */
  u64(at: number): number {
    const value = this.#view.getBigUint64(this.#checked(at, 8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw new CheckpointError(`${this.where}: a size of ${value} bytes is too large`);
    return Number(value);
  }

  text(at: number, length: number): string {
    this.#checked(at, length);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.bytes.subarray(at, at + length));
    } catch {
      throw new CheckpointError(`${this.where}: the name of an entry is not UTF-8`);
    }
  }

  #checked(at: number, length: number): number {
    if (at < 0 || at + length > this.bytes.length) {
      throw new CheckpointError(
        `${this.where}: the zip structure leads to byte ${at + length} of ${this.bytes.length} (truncated?)`,
      );
    }
    return at;
  }
}

function readDirectory(reader: ByteReader, where: string): DirectoryEntry[] {
  const { start, count } = findDirectory(reader, where);
  const entries: DirectoryEntry[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    if (reader.u32(at) !== CENTRAL)
      throw new CheckpointError(`${where}: the zip archive has no directory entry at byte ${at}`);
    const [nameLength, extraLength, commentLength] = [at + 28, at + 30, at + 32].map((each) => reader.u16(each)) as [
      number,
      number,
      number,
    ];
    const name = reader.text(at + CENTRAL_SIZE, nameLength);
    checkName(name, where);
    const [flags, method] = [reader.u16(at + 8), reader.u16(at + 10)];
    const what = `${where}: "${shortened(name)}" is`;
    if (flags & 1) throw new CheckpointError(`${what} encrypted, expected a plain entry`);
    if (method !== 0) throw new CheckpointError(`${what} compressed, expected stored as torch.save writes it`);
    const extra = { at: at + CENTRAL_SIZE + nameLength, length: extraLength };
    const [packed, size, localAt] = wideFields(reader, [at + 20, at + 24, at + 42], extra);
    if (packed !== size) throw new CheckpointError(`${what} stored with ${packed} bytes, expected its size of ${size}`);
    entries.push({ name, crc: reader.u32(at + 16), size, localAt });
    at = extra.at + extraLength + commentLength;
  }
  return entries;
}

/** Finds the end record: it ends the file, followed only by a comment of at most 65,535 bytes. */
function findDirectory(reader: ByteReader, where: string): { start: number; count: number } {
  const { length } = reader.bytes;
  let end = length - END_SIZE;
  const lowest = Math.max(0, end - 0xffff);
  while (end >= lowest && reader.u32(end) !== END) end--;
  if (end < lowest) {
    const problem =
      length >= 4 && reader.u32(0) === LOCAL
        ? "a zip archive without its end (the file is truncated: copy or download it again)"
        : "not a zip archive, expected a file of torch.save (PyTorch 1.6 or newer)";
    throw new CheckpointError(`${where}: ${problem}`);
  }
  let [count, start] = [reader.u16(end + 10), reader.u32(end + 16)];
  if (end >= 20 && reader.u32(end - 20) === END64_LOCATOR) {
    const end64 = reader.u64(end - 12);
    if (reader.u32(end64) !== END64)
      throw new CheckpointError(`${where}: the zip archive has no zip64 end record at byte ${end64}`);
    [count, start] = [reader.u64(end64 + 32), reader.u64(end64 + 48)];
  }
  if (count > MAX_ENTRIES) throw new CheckpointError(`${where}: ${count} entries, expected at most ${MAX_ENTRIES}`);
  return { start, count };
}

/** Reads fields of 4 bytes. A field of all ones is replaced by the next 8-byte field of the zip64 extra field. */
function wideFields(
  reader: ByteReader,
  positions: readonly [number, number, number],
  extra: { at: number; length: number },
): [number, number, number] {
  let wide = -1;
  for (let at = extra.at; at + 4 <= extra.at + extra.length; at += 4 + reader.u16(at + 2)) {
    if (reader.u16(at) === 1) wide = at + 4;
  }
  return positions.map((position) => {
    const value = reader.u32(position);
    if (value !== 0xffffffff || wide < 0) return value;
    wide += 8;
    return reader.u64(wide - 8);
  }) as [number, number, number];
}

/** Position of the data of an entry, after its local header, which must agree with the directory. */
function dataStart(reader: ByteReader, { name, localAt }: DirectoryEntry, where: string): number {
  if (reader.u32(localAt) !== LOCAL || reader.text(localAt + LOCAL_SIZE, reader.u16(localAt + 26)) !== name) {
    throw new CheckpointError(
      `${where}: the zip directory places "${shortened(name)}" at byte ${localAt}, where no such entry begins`,
    );
  }
  return localAt + LOCAL_SIZE + reader.u16(localAt + 26) + reader.u16(localAt + 28);
}

function checkName(name: string, where: string): void {
  const leaves = name.split("/").some((part) => part === ".." || part === "");
  const isPathOfASystem = /^[a-zA-Z]:|[\\\0]/.test(name);
  if (leaves || isPathOfASystem) {
    throw new CheckpointError(`${where}: entry "${shortened(name)}", expected a name that stays inside the archive`);
  }
}

/** Refuses entries that share bytes, headers included. */
function checkApart(entries: readonly { name: string; localAt: number; end: number }[], where: string): void {
  const inOrder = entries.toSorted((a, b) => a.localAt - b.localAt);
  for (let i = 1; i < inOrder.length; i++) {
    const [before, after] = [inOrder[i - 1]!, inOrder[i]!];
    if (after.localAt < before.end) {
      throw new CheckpointError(`${where}: entries "${shortened(before.name)}" and "${shortened(after.name)}" overlap`);
    }
  }
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 as in zip archives. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ crcTable[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}
