// Arbitrary safetensors files, valid and hostile.
import fc from "fast-check";
import { serializeSafetensors, type WritableTensor } from "../../src/formats/safetensors.ts";

/** A file with this header (an object, or text) and this data, which need not be valid. */
export function safetensorsFile(header: object | string, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const size = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
const shapes = fc.array(fc.nat(4), { maxLength: 3 });
const exactly = (length: number) => ({ minLength: length, maxLength: length });

const tensor: fc.Arbitrary<WritableTensor> = shapes.chain((shape) =>
  fc
    .oneof(
      fc.float32Array(exactly(size(shape))),
      fc.float64Array(exactly(size(shape))),
      fc.int32Array(exactly(size(shape))),
      fc.uint8Array(exactly(size(shape))),
      fc.bigInt64Array(exactly(size(shape))),
    )
    .map((data) => ({ shape, data })),
);

export const writableTensors = fc
  .array(fc.tuple(fc.string({ unit: "grapheme" }), tensor), { maxLength: 5 })
  .map((pairs) => new Map(pairs.filter(([name]) => name !== "__metadata__")));

const hostileNumber = fc.oneof(fc.integer({ min: -8, max: 40 }), fc.maxSafeInteger(), fc.double(), fc.string());
const hostileEntry = fc.record(
  {
    dtype: fc.oneof(
      fc.constantFrom("F64", "F32", "F16", "BF16", "I64", "I8", "BOOL", "F8", "__proto__"),
      fc.anything(),
    ),
    shape: fc.oneof(fc.array(hostileNumber), fc.anything()),
    data_offsets: fc.oneof(fc.tuple(hostileNumber, hostileNumber), fc.anything()),
  },
  { requiredKeys: [] },
);

/** Random bytes, valid files with a few bytes changed or cut off, and files with a made-up header. */
export const hostileSafetensors: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc
    .tuple(writableTensors, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(16))
    .map(([tensors, changes, cut]) => {
      const bytes = serializeSafetensors(tensors);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes.subarray(0, bytes.length - Math.min(cut, bytes.length));
    }),
  fc
    .tuple(
      fc.oneof(
        fc.dictionary(fc.string(), hostileEntry).map((header) => stringify(header)),
        fc.json(),
        fc.string(),
      ),
      fc.uint8Array({ maxLength: 40 }),
    )
    .map(([header, data]) => safetensorsFile(header, data)),
);

function stringify(value: object): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "{}"; // a bigint or a cycle
  }
}
