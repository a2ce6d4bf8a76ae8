// Writes a state_dict as a .pt file that torch.load (also with weights_only) and the official code's `load_checkpoint` read.
// pt.ts describes the format. Equal tensors give equal bytes.
import { expectTensorMap } from "./arguments.ts";
import { CheckpointError, quoted } from "./errors.ts";
import type { WritableTensor } from "./safetensors.ts";
import { writeStoredZip } from "./zip.ts";

/** Writes tensors as a `.pt` file that torch.load reads. */
export function serializePt(tensors: ReadonlyMap<string, WritableTensor>): Uint8Array {
  expectTensorMap("serializePt", tensors);
  const root = "archive";
  const storages = [...tensors.values()].map(
    ({ data }, i) =>
      [`${root}/data/${i}`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)] as [string, Uint8Array],
  );
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  return writeStoredZip(
    new Map([
      [`${root}/data.pkl`, pickleOf(tensors)],
      [`${root}/byteorder`, text("little")],
      ...storages,
      [`${root}/version`, text("3\n")],
    ]),
  );
}

/** The state_dict as a pickle of protocol 2. It uses no memo, which keeps it readable with pickletools. */
function pickleOf(tensors: ReadonlyMap<string, WritableTensor>): Uint8Array {
  const bytes: number[] = [];
  const op = (...codes: number[]): void => {
    bytes.push(...codes);
  };
  const string = (value: string): void => {
    const text = new TextEncoder().encode(value);
    op(0x58, ...littleEndian(text.length, 4), ...text); // BINUNICODE
  };
  const global = (module: string, name: string): void => op(0x63, ...new TextEncoder().encode(`${module}\n${name}\n`));
  const integer = (value: number): void => op(0x8a, 8, ...littleEndian(value, 8)); // LONG1
  const tuple = (items: () => void): void => {
    op(0x28); // MARK
    items();
    op(0x74); // TUPLE
  };
  const emptyDict = (): void => {
    global("collections", "OrderedDict");
    op(0x29, 0x52); // EMPTY_TUPLE, REDUCE
  };

  op(0x80, 2); // PROTO
  emptyDict();
  let i = 0;
  for (const [name, { shape, data }] of tensors) {
    const key = String(i++);
    string(name);
    global("torch._utils", "_rebuild_tensor_v2");
    tuple(() => {
      tuple(() => {
        string("storage");
        global("torch", storageClassOf(name, data));
        string(key);
        string("cpu");
        integer(data.length);
      });
      op(0x51); // BINPERSID
      integer(0); // offset
      tuple(() => shape.forEach(integer));
      tuple(() => rowMajorStrides(shape).forEach(integer));
      op(0x89); // NEWFALSE: requires_grad
      emptyDict(); // hooks
    });
    op(0x52, 0x73); // REDUCE, SETITEM
  }
  op(0x2e); // STOP
  return Uint8Array.from(bytes);
}

/** The storage classes of torch by the name of the array type, which an array of another realm (an iframe, a vm context) has too. */
const STORAGE_CLASSES: Partial<Record<string, string>> = {
  Float64Array: "DoubleStorage",
  Float32Array: "FloatStorage",
  BigInt64Array: "LongStorage",
  Int32Array: "IntStorage",
  Uint8Array: "ByteStorage",
};

function storageClassOf(name: string, data: WritableTensor["data"]): string {
  const storageClass = STORAGE_CLASSES[data[Symbol.toStringTag]];
  if (storageClass !== undefined) return storageClass;
  throw new CheckpointError(
    `serializePt: ${quoted(name, 80)} has its numbers in a ${data[Symbol.toStringTag]}, expected ${Object.keys(STORAGE_CLASSES).join(", ")}`,
  );
}

const rowMajorStrides = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * Math.max(size, 1), 1));

const littleEndian = (value: number, size: number): number[] =>
  Array.from({ length: size }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));
