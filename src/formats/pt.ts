// PyTorch's .pt files: reads a state_dict that torch.save wrote, without running code.
//
// A file is a zip archive of NAME/data.pkl (a pickle with the names, the shapes, and the storage that each tensor is a view of) and
// NAME/data/0, NAME/data/1 ... (the numbers of every storage, little-endian). Only plain tensors are read; the pickle reader
// (pickle.ts) refuses everything else by name.
import { expectBytes } from "./arguments.ts";
import { CheckpointError, shortened } from "./errors.ts";
import { describe, Global, unpickle } from "./pickle.ts";
import {
  isSizes,
  readNumbers,
  type SafetensorsDtype,
  type SafetensorsEntry,
  type SafetensorsFile,
  sizeOfDtype,
} from "./safetensors.ts";
import { readStoredZip } from "./zip.ts";

/** The dtype of every storage class of torch. */
const storageClasses: Readonly<Record<string, SafetensorsDtype>> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

/** Keys under which training programs store the state_dict. */
const WRAPPERS = ["state_dict", "model_state_dict", "model", "module", "ema"];

const MAX_PICKLE_BYTES = 4 * 2 ** 20;
const MAX_AXES = 32;
/** Views may overlap or repeat their storage, so a small file can need much memory. It gets at most this many times its size. */
const MAX_GROWTH = 8;
const FREE_BYTES = 2 ** 20;

/** The numbers that tensors are views of. */
class Storage {
  constructor(
    readonly dtype: SafetensorsDtype,
    readonly length: number,
    readonly bytes: Uint8Array,
  ) {}
}

/** A view of a storage: element [i, j, ...] is the number at offset + i · strides[0] + j · strides[1] + ... */
class Tensor {
  /** Number of elements; it may exceed the safe integers. */
  readonly count: number;
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {
    this.count = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  }
}

/**
 * Reads the tensors of a state_dict, in the form that parseSafetensors returns. A state_dict inside a dictionary of a training
 * run (`{"model": ..., "optimizer": ...}`) is found under its usual keys, and the result names the key.
 *
 * @param where name of the file for errors
 * @throws CheckpointError for everything else
 */
export function parsePt(bytes: Uint8Array, where = "pt"): SafetensorsFile {
  expectBytes("parsePt", bytes);
  const entries = readStoredZip(bytes, where);
  const root = rootOf(entries, where);
  const pickle = entries.get(`${root}data.pkl`)!;
  if (pickle.length > MAX_PICKLE_BYTES) {
    throw new CheckpointError(`${where}: data.pkl has ${pickle.length} bytes, expected at most ${MAX_PICKLE_BYTES}`);
  }
  const byteOrder = entries.get(`${root}byteorder`);
  if (byteOrder && new TextDecoder().decode(byteOrder) !== "little") {
    throw new CheckpointError(
      `${where}: the byte order is not little-endian, expected a file saved on a little-endian machine`,
    );
  }
  const value = unpickle(pickle, {
    globals: globalsOf(where),
    persistent: (id) => storageOf(id, (key) => entries.get(`${root}data/${key}`), where),
    where,
  });
  if (!(value instanceof Map)) {
    throw new CheckpointError(`${where}: holds ${describe(value)}, expected a state_dict (names and tensors)`);
  }
  const wrapper = WRAPPERS.find((key) => value.get(key) instanceof Map);
  const state: Map<unknown, unknown> = wrapper === undefined ? value : value.get(wrapper);
  let budget = MAX_GROWTH * bytes.length + FREE_BYTES;
  const tensors = new Map<string, SafetensorsEntry>();
  for (const [name, tensor] of state) {
    if (typeof name !== "string" || !(tensor instanceof Tensor)) {
      throw new CheckpointError(
        `${where}: "${shortened(String(name))}" is ${describe(tensor)}, expected a plain tensor`,
      );
    }
    budget -= tensor.count * sizeOfDtype(tensor.storage.dtype);
    if (budget < 0) {
      throw new CheckpointError(
        `${where}: the tensors need more than ${MAX_GROWTH} times the file's ${bytes.length} bytes, at "${shortened(name)}"`,
      );
    }
    const { dtype } = tensor.storage;
    tensors.set(name, { dtype, shape: tensor.shape, data: readNumbers(dtype, rowMajorBytes(tensor)) });
  }
  return wrapper === undefined ? { tensors, metadata: {} } : { tensors, metadata: {}, wrapper };
}

/** The folder of the archive, "NAME/". */
function rootOf(entries: ReadonlyMap<string, Uint8Array>, where: string): string {
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) {
    throw new CheckpointError(
      `${where}: ${pickles.length} entries NAME/data.pkl, expected one: not a file of torch.save`,
    );
  }
  return pickles[0]!.slice(0, -"data.pkl".length);
}

/** The globals that a state_dict of plain tensors uses. */
function globalsOf(where: string): Map<string, Global> {
  const known = [
    new Global("collections.OrderedDict", (parameters) => {
      if (parameters.length > 0)
        throw new CheckpointError(`${where}: an OrderedDict is called with arguments, expected none`);
      return new Map();
    }),
    new Global("torch._utils._rebuild_tensor_v2", (parameters) => tensorOf(parameters, where)),
    // A parameter is read as its tensor; its other attributes are ignored.
    new Global("torch._utils._rebuild_parameter", ([tensor]) => {
      if (!(tensor instanceof Tensor)) {
        throw new CheckpointError(`${where}: a parameter holds ${describe(tensor)}, expected a tensor`);
      }
      return tensor;
    }),
    ...Object.keys(storageClasses).map((name) => new Global(`torch.${name}`)),
  ];
  return new Map(known.map((each) => [each.name, each]));
}

/** ("storage", class, key, location, numbers) */
function storageOf(id: unknown, entry: (key: string) => Uint8Array | undefined, where: string): Storage {
  const [kind, storageClass, key, , length] = Array.isArray(id) ? (id as unknown[]) : [];
  const dtype = storageClass instanceof Global ? storageClasses[storageClass.name.replace(/^torch\./, "")] : undefined;
  if (kind !== "storage" || !dtype || typeof key !== "string" || !isSize(length)) {
    throw new CheckpointError(
      `${where}: the persistent id ${describe(id)}, expected ("storage", class, key, location, size)`,
    );
  }
  const bytes = entry(key);
  if (!bytes)
    throw new CheckpointError(`${where}: the entry data/${shortened(key)} with the numbers of a storage is missing`);
  const expected = length * sizeOfDtype(dtype);
  if (bytes.length !== expected) {
    throw new CheckpointError(
      `${where}: data/${shortened(key)} has ${bytes.length} bytes, expected ${expected} for ${length} numbers of ${dtype}`,
    );
  }
  return new Storage(dtype, length, bytes);
}

/** _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks) */
function tensorOf([storage, offset, shape, strides]: readonly unknown[], where: string): Tensor {
  if (!(storage instanceof Storage) || !isSize(offset) || !isSizes(shape) || !isSizes(strides)) {
    throw new CheckpointError(
      `${where}: a tensor is built from ${describe(storage)}, expected storage, offset, shape and strides`,
    );
  }
  if (shape.length !== strides.length || shape.length > MAX_AXES) {
    throw new CheckpointError(
      `${where}: a tensor with ${shape.length} sizes and ${strides.length} strides, expected equally many, at most ${MAX_AXES}`,
    );
  }
  const isEmpty = shape.includes(0);
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, offset);
  if (isEmpty ? offset > storage.length : last >= storage.length) {
    throw new CheckpointError(
      `${where}: a tensor of shape [${shape}] with strides [${strides}] from ${offset} exceeds its storage of ${storage.length} numbers`,
    );
  }
  return new Tensor(storage, offset, shape, strides);
}

/** The bytes of the tensor in row-major order; a view of the storage if it is in that order already. */
function rowMajorBytes({ storage, offset, shape, strides, count }: Tensor): Uint8Array {
  const size = sizeOfDtype(storage.dtype);
  if (isRowMajor(shape, strides)) return storage.bytes.subarray(offset * size, (offset + count) * size);
  const result = new Uint8Array(count * size);
  const index = new Array<number>(shape.length).fill(0);
  let from = offset;
  for (let to = 0; to < count; to++) {
    for (let byte = 0; byte < size; byte++) result[to * size + byte] = storage.bytes[from * size + byte]!;
    // Increments the index, last axis first, like an odometer.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis]! === 0) return true;
    if (shape[axis]! > 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

const isSize = (value: unknown): value is number => isSizes([value]);
