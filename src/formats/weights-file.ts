// Reads a file of weights in either format, recognised by its first bytes. A file of another kind is refused with a message that
// says what the file is and what to do.
import { expectBytes } from "./arguments.ts";
import { CheckpointError, quoted } from "./errors.ts";
import { parsePt } from "./pt.ts";
import { parseSafetensors, type SafetensorsFile } from "./safetensors.ts";

/**
 * Reads a safetensors file or a PyTorch state_dict.
 * @param where name of the file for errors
 * @throws CheckpointError
 */
export function parseWeightsFile(bytes: Uint8Array, where: string): SafetensorsFile {
  expectBytes("parseWeightsFile", bytes);
  if (bytes.length === 0) throw new CheckpointError(`${where}: the file is empty, expected safetensors or a .pt file`);
  // "PK" begins a zip archive. The same bytes could be the length of a safetensors header, whose first character is "{".
  if (startsWith(bytes, "PK") && bytes[8] !== "{".charCodeAt(0)) return parsePt(bytes, where);
  const kind = beginsAsSafetensors(bytes) ? undefined : (binaryKind(bytes) ?? textKind(bytes));
  if (kind !== undefined) throw new CheckpointError(`${where}: ${kind}`);
  return parseSafetensors(bytes, where);
}

/** Whether the file begins with the length of a header and "{". The upper half of that length is four zero bytes, which no text contains. */
const beginsAsSafetensors = (bytes: Uint8Array): boolean =>
  bytes[8] === "{".charCodeAt(0) && bytes.subarray(4, 8).every((byte) => byte === 0);

const SAVE_AGAIN = "load it in PyTorch and save its state_dict again with torch.save of PyTorch 1.6 or newer";

/** Kinds of binary files by their first bytes, with what to do. */
const BINARY_KINDS: readonly (readonly [start: string, message: string])[] = [
  // A pickle of the magic number 0x1950a86a20f9469cfc6c
  [
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19",
    `a file in the format of torch.save before PyTorch 1.6, expected the zip format: ${SAVE_AGAIN}`,
  ],
  ["\x1f\x8b", "a file compressed with gzip: decompress it first"],
  ["\xfd7zXZ", "a file compressed with xz: decompress it first"],
  ["BZh", "a file compressed with bzip2: decompress it first"],
  ["\x28\xb5\x2f\xfd", "a file compressed with zstd: decompress it first"],
  ["\x89HDF", "an HDF5 file, as Keras writes it, expected safetensors or a .pt file of PyTorch"],
  ["GGUF", "a GGUF file, expected safetensors or a .pt file of PyTorch"],
  ["\x93NUMPY", "a NumPy array (.npy), expected safetensors or a .pt file of PyTorch"],
];

function binaryKind(bytes: Uint8Array): string | undefined {
  const known = BINARY_KINDS.find(([start]) => startsWith(bytes, start));
  if (known) return known[1];
  if (startsWith(bytes.subarray(257), "ustar")) {
    return `a tar archive, as torch.save wrote before PyTorch 0.1.10, or a package of several files: unpack it, or ${SAVE_AGAIN}`;
  }
  // 0x80, the protocol, and an instruction: the length of a safetensors header would exceed its limit of 100 MB.
  const isPickle = bytes[0] === 0x80 && bytes[1]! >= 2 && bytes[1]! <= 5 && bytes[8] !== "{".charCodeAt(0);
  return isPickle ? `a Python pickle, expected safetensors or a .pt file of PyTorch: ${SAVE_AGAIN}` : undefined;
}

/** Kinds of text files by how they begin, with what to do. Undefined for a file that is not text. */
function textKind(bytes: Uint8Array): string | undefined {
  const start = new TextDecoder()
    .decode(bytes.subarray(0, 1024))
    .replace(/^\ufeff/, "")
    .trimStart();
  if (start.startsWith("version https://git-lfs.github.com/spec/")) {
    const size = /^size (\d+)$/m.exec(start)?.[1];
    return `a git-lfs pointer, not the weights themselves${size ? ` (${size} bytes)` : ""}: fetch them with "git lfs pull"`;
  }
  if (/^<(!doctype|html|head|body|\?xml|!--)/i.test(start)) {
    return "an HTML or XML page, not a file of weights: download the file itself (the page may ask for a login)";
  }
  if (/^[{[]/.test(start)) return jsonKind(bytes);
  const isText = start.length > 0 && !/[^\t\n\r\x20-\x7e]/.test(start);
  return isText
    ? `a text file that begins with ${quoted(start, 40)}, expected safetensors or a .pt file of PyTorch`
    : undefined;
}

function jsonKind(bytes: Uint8Array): string {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return "a JSON file that is cut off or broken, expected safetensors or a .pt file of PyTorch";
  }
  const index: unknown = Object(value).weight_map;
  if (typeof index !== "object" || index === null) return "a JSON file, expected safetensors or a .pt file of PyTorch";
  const shards = new Set(Object.values(index));
  const first = quoted([...shards][0]);
  return `the index of weights in ${shards.size} files (${first} ...): load all of them in Python and save them as one safetensors file`;
}

/** Whether the file begins with these characters, one per byte. */
function startsWith(bytes: Uint8Array, start: string): boolean {
  return [...start].every((character, i) => bytes[i] === character.charCodeAt(0));
}
