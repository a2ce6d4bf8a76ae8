// Zip archives whose entries are stored, not compressed: how the page hands a checkpoint of several files to the visitor and takes it
// back. (PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16.)

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const [localSize, centralSize, endSize] = [30, 46, 22];
/** 1980-01-01, the first date that the format has. */
const someDate = 0x21;

/** An archive of files by name. */
export function writeZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const entries = [...files].map(([name, bytes]) => ({
    name: new TextEncoder().encode(name),
    bytes,
    crc: crc32(bytes),
  }));
  const total = entries.reduce(
    (sum, { name, bytes }) => sum + localSize + centralSize + 2 * name.length + bytes.length,
    0,
  );
  const archive = new Uint8Array(total + endSize);
  const view = new DataView(archive.buffer);
  const fields = (at: number, { name, bytes, crc }: (typeof entries)[number]): void => {
    view.setUint16(at, 20, true); // version of the format
    view.setUint16(at + 8, someDate, true);
    view.setUint32(at + 10, crc, true);
    view.setUint32(at + 14, bytes.length, true);
    view.setUint32(at + 18, bytes.length, true);
    view.setUint16(at + 22, name.length, true);
  };
  let at = 0;
  const places = entries.map((entry) => {
    const place = at;
    view.setUint32(at, 0x04034b50, true);
    fields(at + 4, entry);
    archive.set(entry.name, at + localSize);
    archive.set(entry.bytes, at + localSize + entry.name.length);
    at += localSize + entry.name.length + entry.bytes.length;
    return place;
  });
  const directory = at;
  entries.forEach((entry, i) => {
    view.setUint32(at, 0x02014b50, true);
    view.setUint16(at + 4, 20, true);
    fields(at + 6, entry);
    view.setUint32(at + 42, places[i]!, true);
    archive.set(entry.name, at + centralSize);
    at += centralSize + entry.name.length;
  });
  view.setUint32(at, 0x06054b50, true);
  view.setUint16(at + 8, entries.length, true);
  view.setUint16(at + 10, entries.length, true);
  view.setUint32(at + 12, at - directory, true);
  view.setUint32(at + 16, directory, true);
  return archive;
}

/** The files of an archive by name. @throws Error if it is damaged, or an entry is compressed */
export function readZip(archive: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const end = archive.length - endSize;
  if (end < 0 || view.getUint32(end, true) !== 0x06054b50) throw new Error("zip: not an archive without a comment");
  const files = new Map<string, Uint8Array>();
  let at = view.getUint32(end + 16, true);
  let left = archive.length; // files that share no bytes are not longer than the archive
  for (let i = 0; i < view.getUint16(end + 10, true); i++) {
    if (at + centralSize > end || view.getUint32(at, true) !== 0x02014b50) throw new Error("zip: a damaged directory");
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(archive.subarray(at + centralSize, at + centralSize + nameLength));
    if (view.getUint16(at + 10, true) !== 0) throw new Error(`zip: ${name} is compressed, expected stored entries`);
    const size = view.getUint32(at + 24, true);
    const local = view.getUint32(at + 42, true);
    if (local + localSize > end) throw new Error(`zip: ${name} lies outside the archive`);
    const start = local + localSize + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    left -= size;
    if (left < 0) throw new Error(`zip: ${name} shares bytes with another file, or is cut off`);
    const bytes = archive.slice(start, start + size);
    if (bytes.length !== size || crc32(bytes) !== view.getUint32(at + 16, true))
      throw new Error(`zip: ${name} is damaged`);
    files.set(name, bytes);
    at += centralSize + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return files;
}
