// safetensors files: round trips, dtypes, and refusals of one line.
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../src/formats/errors.ts";
import { serializePt } from "../../src/formats/pt-writer.ts";
import {
  float16Bits,
  parseSafetensors,
  serializeSafetensors,
  toFloat32,
  toInt32,
  type WritableTensor,
} from "../../src/formats/safetensors.ts";
import { hostileSafetensors, safetensorsFile, writableTensors } from "./safetensors-files.ts";

/** Writes the bits of float16 numbers and reads the numbers. */
const throughFloat16 = (bits: Uint16Array): Float32Array => {
  const file = parseSafetensors(serializeSafetensors(new Map([["w", { shape: [bits.length], data: bits }]])));
  expect(file.tensors.get("w")!.dtype).toBe("F16");
  return toFloat32("w", file.tensors.get("w")!);
};

describe("float16", () => {
  it("every float16 number that is read is written with the same bits; a NaN as one of them", () => {
    const all = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
    const written = float16Bits(throughFloat16(all));
    all.forEach((bits, i) => {
      const isNan = (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;
      if (written[i] !== (isNan ? 0x7e00 : bits)) expect([bits, written[i]]).toEqual([bits, bits]);
    });
  });

  it("a number becomes the nearest float16 number", () => {
    const finite = Uint16Array.from({ length: 0x7c00 }, (_, bits) => bits);
    const numbers = throughFloat16(finite);
    fc.assert(
      fc.property(fc.float({ min: -65_504, max: 65_504, noNaN: true }), (value) => {
        const [bits] = float16Bits(Float32Array.of(value));
        const size = Math.abs(value);
        expect(bits! >> 15).toBe(value < 0 || Object.is(value, -0) ? 1 : 0);
        const at = bits! & 0x7fff;
        for (const neighbour of [at - 1, at + 1]) {
          if (neighbour < 0 || neighbour >= 0x7c00) continue;
          expect(Math.abs(numbers[at]! - size)).toBeLessThanOrEqual(Math.abs(numbers[neighbour]! - size));
        }
      }),
    );
  });

  it("the named values: ties go to the even one, and 65520 is the first that becomes infinite", () => {
    const named = Float32Array.of(1, -2, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 65_504, 65_519, 65_520, -Infinity);
    expect([...float16Bits(named)]).toEqual([0x3c00, 0xc000, 0x3c00, 0x3c02, 0, 0x7bff, 0x7bff, 0x7c00, 0xfc00]);
  });
});

describe("round trip", () => {
  it("a round trip keeps names, shapes, dtypes, every bit of the data and the metadata", () => {
    fc.assert(
      fc.property(writableTensors, fc.dictionary(fc.string(), fc.string()), fc.nat(8), (tensors, metadata, shift) => {
        const bytes = serializeSafetensors(tensors, metadata);
        // Anywhere in a buffer, aligned or not.
        const placed = new Uint8Array(bytes.length + shift).subarray(shift);
        placed.set(bytes);
        const file = parseSafetensors(placed);
        expect(parseSafetensors(Buffer.from(placed.buffer, shift))).toEqual(file); // what readFile gives
        expect(file.metadata).toEqual({ ...metadata });
        expect([...file.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
        for (const [name, { shape, data }] of tensors) {
          const entry = file.tensors.get(name);
          expect(entry?.shape).toEqual(shape);
          expect(bytesOf(entry!.data)).toEqual(bytesOf(data));
          expect(entry!.data.constructor).toBe(data.constructor);
        }
      }),
    );
  });

  it("wide elements come first, so that the official reader finds them aligned", () => {
    const tensors = new Map<string, WritableTensor>([
      ["flag", { shape: [3], data: Uint8Array.of(1, 2, 3) }],
      ["weight", { shape: [1, 2], data: Float32Array.of(0.5, -1) }],
      ["step", { shape: [], data: BigInt64Array.of(7n) }],
    ]);
    const bytes = serializeSafetensors(tensors, { format: "pt" });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + length)).trimEnd()).toBe(
      '{"__metadata__":{"format":"pt"},"step":{"dtype":"I64","shape":[],"data_offsets":[0,8]},' +
        '"weight":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]},"flag":{"dtype":"U8","shape":[3],"data_offsets":[16,19]}}',
    );
  });

  it("a shape that does not match its data is not written", () => {
    const tensors = new Map([["w", { shape: [2, 2], data: new Float32Array(3) }]]);
    expect(() => serializeSafetensors(tensors)).toThrow(
      new CheckpointError('serializeSafetensors: "w" has 3 numbers, expected 4 for its shape [2, 2]'),
    );
    expect(() => serializeSafetensors(new Map([["__metadata__", { shape: [0], data: new Float32Array(0) }]]))).toThrow(
      "the tensor name __metadata__ is reserved",
    );
  });
});

describe("dtypes", () => {
  const one = (dtype: string, bytes: number[], shape: number[]) =>
    parseSafetensors(
      safetensorsFile({ x: { dtype, shape, data_offsets: [0, bytes.length] } }, Uint8Array.from(bytes)),
    ).tensors.get("x")!;

  it("F16 and BF16 are widened to float32", () => {
    const halves = [0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x8000, 0x7e00];
    const bytes = halves.flatMap((half) => [half & 0xff, half >> 8]);
    const values = [...one("F16", bytes, [7]).data];
    expect(values).toEqual([1, -2, 2 ** -24, 65504, Number.POSITIVE_INFINITY, -0, Number.NaN]);
    expect([...one("BF16", [0x80, 0x3f, 0x49, 0x40], [2]).data]).toEqual([1, 3.140625]);
  });

  it("integers of every width are read and become an Int32Array", () => {
    const minusTwo64 = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    expect(one("I64", minusTwo64, [1]).data).toEqual(BigInt64Array.of(-2n));
    expect(toInt32("x", one("I64", minusTwo64, [1]))).toEqual(Int32Array.of(-2));
    expect(toInt32("x", one("I32", [5, 0, 0, 0], [1]))).toEqual(Int32Array.of(5));
    expect(toInt32("x", one("I16", [0xff, 0xff], [1]))).toEqual(Int32Array.of(-1));
    expect(toInt32("x", one("I8", [0x80], [1]))).toEqual(Int32Array.of(-128));
    expect(toInt32("x", one("U8", [0x80], [1]))).toEqual(Int32Array.of(128));
    expect(toInt32("x", one("BOOL", [0, 1], [2]))).toEqual(Int32Array.of(0, 1));
  });

  it("a value or a dtype that does not fit is named", () => {
    const wide = one("I64", [0, 0, 0, 0, 1, 0, 0, 0], [1]);
    expect(() => toInt32("x", wide)).toThrow('tensor "x": value 4294967296 at 0, expected 32-bit integers');
    expect(() => toInt32("x", one("F32", [0, 0, 0, 0], [1]))).toThrow('tensor "x": dtype F32, expected integers');
    expect(() => toFloat32("x", wide)).toThrow('tensor "x": dtype I64, expected floats');
    expect(toFloat32("x", one("F64", [0, 0, 0, 0, 0, 0, 0xf0, 0x3f], [1]))).toEqual(Float32Array.of(1));
  });
});

describe("refusals", () => {
  const data = new Uint8Array(16);
  const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
    dtype: "F32",
    shape,
    data_offsets: [begin, end],
  });
  const cases: [string, Uint8Array | (() => Uint8Array), string][] = [
    ["empty", new Uint8Array(0), "model.safetensors: 0 bytes, expected at least 8 (truncated?)"],
    [
      "header beyond the file",
      Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 0x7b),
      "header of 9 bytes, but only 1 bytes follow",
    ],
    ["huge header", Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 255), "header of 18374686479671623680 bytes, expected at most"],
    ["not JSON", safetensorsFile('{"x":', data), "the header is not JSON in UTF-8"],
    ["not UTF-8", () => invalidUtf8(), "the header is not JSON in UTF-8"],
    ["an array", safetensorsFile("[]", data), "the header is not a JSON object"],
    ["leading space", safetensorsFile(" {}", new Uint8Array(0)), "the header is not a JSON object"],
    ["a name twice", safetensorsFile(`{"a":${j(f32(0, 8))},"\\u0061":${j(f32(8, 16))}}`, data), 'contains "a" twice'],
    ["a field twice", safetensorsFile('{"a":{"dtype":"F32","dtype":"I32"}}', data), 'contains "dtype" twice'],
    ["no object", safetensorsFile({ a: 3 }, data), 'tensor "a": not an object with dtype, shape and data_offsets'],
    ["unknown dtype", safetensorsFile({ a: { ...f32(0, 16), dtype: "F8" } }, data), 'dtype "F8", expected one of F64'],
    ["inherited dtype", safetensorsFile({ a: { ...f32(0, 16), dtype: "toString" } }, data), 'dtype "toString"'],
    ["negative size", safetensorsFile({ a: f32(0, 16, [-4]) }, data), "shape [-4], expected an array of sizes"],
    ["fraction", safetensorsFile({ a: f32(0, 16, [1.5]) }, data), "shape [1.5], expected an array of sizes"],
    ["overflow", safetensorsFile({ a: f32(0, 16, [2 ** 40, 2 ** 40]) }, data), "16 bytes, expected NaN for F32"],
    ["negative offset", safetensorsFile({ a: f32(-16, 0) }, data), "data_offsets [-16,0], expected [begin, end]"],
    ["backwards", safetensorsFile({ a: f32(16, 0) }, data), "shape [-4], expected"],
    [
      "three offsets",
      safetensorsFile({ a: { ...f32(0, 16), data_offsets: [0, 8, 16] } }, data),
      "data_offsets [0,8,16]",
    ],
    ["out of range", safetensorsFile({ a: f32(0, 20) }, data), "data_offsets [0, 20], expected begin <= end <= 16"],
    ["wrong length", safetensorsFile({ a: f32(0, 16, [3]) }, data), "16 bytes, expected 12 for F32 of shape [3]"],
    [
      "overlap",
      safetensorsFile({ a: f32(0, 12), b: f32(8, 16) }, data),
      '"b" at [8, 16] overlaps the tensor before it',
    ],
    [
      "gap",
      safetensorsFile({ a: f32(0, 4), b: f32(8, 16) }, data),
      '"b" at [8, 16] leaves a gap before it, expected begin 4',
    ],
    ["left over", safetensorsFile({ a: f32(0, 12) }, data), "the tensors cover 12 bytes of data, the file has 16"],
    [
      "metadata",
      safetensorsFile({ __metadata__: { a: 1 } }, new Uint8Array(0)),
      "__metadata__ is not an object of strings",
    ],
  ];
  it.each(cases)("a file with this fault is refused: %s", (_, file, message) => {
    const bytes = typeof file === "function" ? file() : file;
    const read = () => parseSafetensors(bytes, "model.safetensors");
    expect(read).toThrow(CheckpointError);
    expect(read).toThrow(message);
    expect(read).toThrow(/^model\.safetensors: .*$/); // one line
  });

  it("entries that overlap are refused before anything is allocated", () => {
    const bytes = new Uint8Array(2 ** 20);
    const whole = { dtype: "BF16", shape: [2 ** 19], data_offsets: [0, 2 ** 20] };
    const file = safetensorsFile(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`t${i}`, whole])), bytes);
    const before = process.memoryUsage().arrayBuffers;
    expect(() => parseSafetensors(file)).toThrow("overlaps the tensor before it");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24); // copies would take 600 MB
  });

  it("hostile names are shortened and kept on one line", () => {
    const name = `\n${"x".repeat(1000)}`;
    expect(() => parseSafetensors(safetensorsFile({ [name]: 1 }, data))).toThrow(
      /^safetensors: tensor "\\nx{74}\.\.\.: not/,
    );
  });
});

describe("arrays of another realm", () => {
  it.each(["Float64Array", "Float32Array", "BigInt64Array", "Int32Array", "Uint8Array"])(
    "are written with the dtype of a %s, as arrays of this realm are",
    (type) => {
      const own = { Float64Array, Float32Array, BigInt64Array, Int32Array, Uint8Array }[type]!;
      const numbers = type === "BigInt64Array" ? "1n, 2n" : "1, 2";
      const other = runInNewContext(`new ${type}([${numbers}])`);
      expect(other instanceof own).toBe(false);
      const mine = runInNewContext(`new type([${numbers}])`, { type: own });
      const of = (data: WritableTensor["data"]) => new Map([["w", { shape: [2], data }]]);
      expect(serializeSafetensors(of(other))).toEqual(serializeSafetensors(of(mine)));
      expect(serializePt(of(other))).toEqual(serializePt(of(mine)));
    },
  );

  it("of a type without a dtype are refused with the name of the tensor", () => {
    const tensors = new Map([["w", { shape: [2], data: new Int8Array(2) as unknown as Uint8Array }]]);
    const expected = '"w" has its numbers in a Int8Array, expected Float64Array, Float32Array';
    expect(() => serializeSafetensors(tensors)).toThrow(`serializeSafetensors: ${expected}`);
    expect(() => serializePt(tensors)).toThrow(`serializePt: ${expected}`);
  });
});

describe("fuzz", () => {
  it("random bytes and mutated files are read or throw a CheckpointError", () => {
    fc.assert(
      fc.property(hostileSafetensors, (bytes) => {
        try {
          const { tensors } = parseSafetensors(bytes);
          let total = 0;
          for (const { data } of tensors.values()) total += data.byteLength;
          expect(total).toBeLessThanOrEqual(2 * bytes.byteLength);
        } catch (error) {
          expect(error).toBeInstanceOf(CheckpointError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("every truncation of a valid file is refused", () => {
    const tensors = new Map([["w", { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }]]);
    const bytes = serializeSafetensors(tensors);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => parseSafetensors(bytes.subarray(0, length))).toThrow(CheckpointError);
    }
  });
});

it("the safetensors file of the official code is read", () => {
  const url = new URL("../fixtures/parity/ops/tensors.safetensors", import.meta.url);
  const { tensors } = parseSafetensors(new Uint8Array(readFileSync(url)));
  expect(tensors.size).toMatchInlineSnapshot(`74`);
  for (const [name, { shape, data }] of tensors) {
    expect(data.length, name).toBe(shape.reduce((a, b) => a * b, 1));
    if (data instanceof Float32Array) expect(data.every(Number.isFinite), name).toBe(true);
  }
});

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
}

function j(value: unknown): string {
  return JSON.stringify(value);
}

function invalidUtf8(): Uint8Array {
  const bytes = safetensorsFile({ abc: 1 }, new Uint8Array(0));
  bytes[10] = 0xff;
  return bytes;
}
