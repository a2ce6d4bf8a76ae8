// NumPy files: round trips, the official files, and refusals of one line.
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DatasetError } from "../../src/formats/index.ts";
import { npyHeader, npyToInt32, parseNpy, parseNpyHeader, serializeNpy } from "../../src/formats/npy.ts";

const shapes = fc.array(fc.nat(5), { maxLength: 4 });
const arrays = shapes.chain((shape) => {
  const size = shape.reduce((a, b) => a * b, 1);
  const exactly = { minLength: size, maxLength: size };
  const data = fc.oneof(
    fc.uint8Array(exactly),
    fc.int8Array(exactly),
    fc.int16Array(exactly),
    fc.uint16Array(exactly),
    fc.int32Array(exactly),
    fc.uint32Array(exactly),
    fc.bigInt64Array(exactly),
    fc.bigUint64Array(exactly),
    fc.float32Array(exactly),
    fc.float64Array(exactly),
  );
  return fc.record({ shape: fc.constant(shape), data });
});

/** A version 1 file with this header text, which need not be valid. */
function file(header: string, data: ArrayLike<number> = [], version = 1): Uint8Array {
  const text = [...header].map((character) => character.charCodeAt(0));
  const length = version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
  return Uint8Array.of(
    0x93,
    ...[..."NUMPY"].map((c) => c.charCodeAt(0)),
    version,
    0,
    ...length,
    ...text,
    ...Array.from(data),
  );
}

describe("round trip", () => {
  it("a round trip keeps shape, dtype and every bit, at any position in memory", () => {
    fc.assert(
      fc.property(arrays, fc.nat(8), ({ shape, data }, shift) => {
        const bytes = serializeNpy(data, shape);
        const placed = new Uint8Array(bytes.length + shift).subarray(shift);
        placed.set(bytes);
        const read = parseNpy(placed);
        expect(read.shape).toEqual(shape);
        expect(read.data).toEqual(data);
        expect(serializeNpy(read.data, read.shape)).toEqual(bytes);
      }),
    );
  });

  it("the header equals the one that NumPy writes", () => {
    const text = new TextDecoder("latin1").decode(npyHeader("<i4", [7]));
    expect(text.slice(10).trimEnd()).toBe("{'descr': '<i4', 'fortran_order': False, 'shape': (7,), }");
    expect(text.length % 64).toBe(0);
    expect(text.endsWith(" \n")).toBe(true);
  });

  it("the official files are written again byte for byte", () => {
    const root = new URL("../fixtures/parity/datasets/", import.meta.url);
    const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".npy"));
    expect(files.length).toBeGreaterThan(40);
    for (const name of files) {
      const bytes = new Uint8Array(readFileSync(new URL(name, root)));
      const { data, shape } = parseNpy(bytes, name);
      expect(Buffer.compare(serializeNpy(data, shape), bytes), name).toBe(0);
    }
  });
});

describe("reading", () => {
  it("versions 2 and 3, other key orders, quotes and spacing are read", () => {
    const header = `{"shape":(2,),"descr":"|u1","fortran_order":False}`;
    for (const version of [1, 2, 3]) expect(parseNpy(file(header, [1, 2], version)).data).toEqual(Uint8Array.of(1, 2));
    expect(parseNpy(file("{'descr': '|b1', 'fortran_order': False, 'shape': (), }\n", [1])).shape).toEqual([]);
  });

  it("a header is read without its data", () => {
    const header = parseNpyHeader(npyHeader("<i8", [3, 2 ** 40]));
    expect(header).toEqual({ dtype: "<i8", shape: [3, 2 ** 40], length: 3 * 2 ** 40, itemSize: 8, dataOffset: 128 });
  });

  it("integers of every width become an Int32Array, and a value that does not fit is named", () => {
    expect(npyToInt32({ dtype: "<i8", shape: [2], data: BigInt64Array.of(-1n, 5n) })).toEqual(Int32Array.of(-1, 5));
    expect(npyToInt32({ dtype: "|u1", shape: [1], data: Uint8Array.of(255) })).toEqual(Int32Array.of(255));
    expect(() => npyToInt32({ dtype: "<u4", shape: [1], data: Uint32Array.of(2 ** 31) }, "a.npy")).toThrow(
      "a.npy: value 2147483648 at 0, expected 32-bit integers",
    );
    expect(() => npyToInt32({ dtype: "<f4", shape: [1], data: Float32Array.of(1) }, "a.npy")).toThrow(
      "a.npy: dtype <f4",
    );
  });
});

describe("refusals", () => {
  const good = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }";
  it.each([
    ["no npy", Uint8Array.of(1, 2, 3), "a.npy: not an .npy file"],
    ["version", file(good, [1, 2], 4), "a.npy: npy version 4, expected 1, 2 or 3"],
    ["truncated header", file(good).subarray(0, 40), "a.npy: header of 57 bytes exceeds the file (truncated?)"],
    [
      "huge header",
      Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 255, 255, 255, 255),
      "expected at most 65536",
    ],
    ["truncated data", file(good, [1]), "a.npy: 1 bytes of data, expected 2 for |u1 of shape (2,)"],
    ["too much data", file(good, [1, 2, 3]), "a.npy: 3 bytes of data, expected 2"],
    ["big endian", file(good.replace("|u1", ">i4")), 'a.npy: dtype ">i4", expected one of |b1'],
    ["objects", file(good.replace("|u1", "|O")), 'a.npy: dtype "|O", expected one of'],
    ["records", file(good.replace("'|u1'", "[('a', '<i4')]")), "a.npy: header "],
    ["Fortran order", file(good.replace("False", "True"), [1, 2]), "a.npy: Fortran order, expected C order"],
    ["negative size", file(good.replace("2,", "-2,"), [1, 2]), "a.npy: header "],
    ["no number", file(good.replace("2,", "2 3,"), [1, 2]), "a.npy: shape [null], expected a tuple of sizes"],
    ["overflow", file(good.replace("2,", "9007199254740991, 9007199254740991"), []), "is too large"],
    ["code", file("{'descr': __import__('os'), 'fortran_order': False, 'shape': ()}"), "a.npy: header "],
    ["a key twice", file("{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': ()}"), "a.npy: header "],
    ["a key missing", file("{'descr': '|u1', 'shape': ()}"), "a.npy: header "],
    ["shape no tuple", file(good.replace("(2,)", "'2'"), [1, 2]), 'a.npy: shape "2", expected a tuple of sizes'],
  ])("a file with this fault is refused: %s", (_, bytes, message) => {
    expect(() => parseNpy(bytes, "a.npy")).toThrow(DatasetError);
    expect(() => parseNpy(bytes, "a.npy")).toThrow(message);
  });

  it("random bytes and mutated files are read or throw a DatasetError of one line", () => {
    const mutated = fc
      .tuple(arrays, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(20))
      .map(([{ shape, data }, changes, cut]) => {
        const bytes = serializeNpy(data, shape);
        for (const [at, value] of changes) bytes[at % Math.min(bytes.length, 100)] = value;
        return bytes.subarray(0, Math.max(0, bytes.length - cut));
      });
    const texts = fc.string({ unit: fc.constantFrom(..."{}(),:' descrfortran_orderFalseshape123<|i4u1") });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          mutated,
          texts.map((text) => file(text)),
        ),
        (bytes) => {
          try {
            expect(parseNpy(bytes).data.byteLength).toBeLessThanOrEqual(bytes.byteLength);
          } catch (error) {
            expect(error).toBeInstanceOf(DatasetError);
            expect(String(error)).toMatch(/^DatasetError: npy: [^\p{Cc}]*$/u);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

it("an NPY file is read from a Buffer at any position in memory", () => {
  const file = serializeNpy(Int32Array.of(1, -2, 3), [3]);
  for (let offset = 0; offset < 8; offset++) {
    const buffer = Buffer.alloc(offset + file.length);
    buffer.set(file, offset);
    expect(parseNpy(buffer.subarray(offset)).data).toEqual(Int32Array.of(1, -2, 3));
  }
});
