// Arbitrary state_dicts and .pt files, valid and hostile.
import fc from "fast-check";
import type { WritableTensor } from "../../src/formats/index.ts";
import { serializePt } from "../../src/formats/pt-writer.ts";
import { writeStoredZip } from "../../src/formats/zip.ts";

const exactly = (length: number) => ({ minLength: length, maxLength: length });

const tensor: fc.Arbitrary<WritableTensor> = fc.array(fc.nat(4), { maxLength: 3 }).chain((shape) => {
  const length = shape.reduce((a, b) => a * b, 1);
  return fc
    .oneof(
      fc.float32Array(exactly(length)),
      fc.float64Array(exactly(length)),
      fc.int32Array(exactly(length)),
      fc.uint8Array(exactly(length)),
      fc.bigInt64Array(exactly(length)),
    )
    .map((data) => ({ shape, data }));
});

export const stateDicts = fc
  .array(fc.tuple(fc.string({ unit: "grapheme" }), tensor), { maxLength: 5 })
  .map((pairs) => new Map(pairs));

/** A .pt file around this pickle. */
export const ptFile = (pickle: Uint8Array, storages: readonly Uint8Array[] = []): Uint8Array =>
  writeStoredZip(
    new Map([
      ["a/data.pkl", pickle],
      ...storages.map((storage, i) => [`a/data/${i}`, storage] as [string, Uint8Array]),
    ]),
  );

/** Pieces of pickles: most instructions, with operands that fit and that do not. */
const pickleText = (text: string): number[] => [...new TextEncoder().encode(text)];
const pieces = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(..."()].}tsueabNRQ0\x85\x86\x87\x88\x89\x93\x94\x81i").map((c) => [c.charCodeAt(0)]),
  },
  { weight: 3, arbitrary: fc.nat(255).map((value) => [0x4b, value]) },
  { weight: 3, arbitrary: fc.nat(9).map((index) => [0x68, index]) },
  { weight: 3, arbitrary: fc.nat(9).map((index) => [0x71, index]) },
  { weight: 2, arbitrary: fc.string({ maxLength: 4 }).map((text) => [0x8c, text.length, ...pickleText(text)]) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(
        "collections\nOrderedDict\n",
        "torch._utils\n_rebuild_tensor_v2\n",
        "torch._utils\n_rebuild_parameter\n",
        "torch\nFloatStorage\n",
        "os\nsystem\n",
        "builtins\neval\n",
      )
      .map((name) => [0x63, ...pickleText(name)]),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(9), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
      .map(([n, v]) => [0x8a, n, ...new Uint8Array(BigUint64Array.of(v).buffer)]),
  },
  { weight: 1, arbitrary: fc.constant([0x58, ...pickleText("\x07\0\0\0storage")]) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6 }).map((bytes) => [...bytes]) },
);

/** Random bytes; valid files with bytes changed, inserted or cut off; intact archives around made-up pickles. */
export const hostilePt: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .tuple(stateDicts, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(40))
    .map(([tensors, changes, cut]) => {
      const bytes = serializePt(tensors);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes.subarray(0, bytes.length - Math.min(cut, bytes.length));
    }),
  fc
    .tuple(fc.array(pieces, { maxLength: 60 }), fc.array(fc.uint8Array({ maxLength: 32 }), { maxLength: 2 }))
    .map(([parts, storages]) => ptFile(Uint8Array.from([0x80, 2, ...parts.flat(), 0x2e]), storages)),
  fc
    .tuple(stateDicts, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }))
    .map(([tensors, changes]) => changedPickle(serializePt(tensors), changes)),
);

/** A file whose pickle is changed and whose archive is intact, so that the change reaches the pickle reader. */
function changedPickle(file: Uint8Array, changes: readonly (readonly [number, number])[]): Uint8Array {
  const view = new DataView(file.buffer);
  const dataAt = 30 + view.getUint16(26, true) + view.getUint16(28, true);
  const pickle = file.slice(dataAt, dataAt + view.getUint32(22, true));
  for (const [at, value] of changes) pickle[at % pickle.length] = value;
  const storage = new Uint8Array(64);
  return ptFile(pickle, [storage, storage, storage]);
}
