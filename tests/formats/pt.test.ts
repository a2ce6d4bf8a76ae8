// PyTorch files: what torch.save wrote is read exactly, everything else is refused with one line.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CheckpointError, type WritableTensor } from "../../src/formats/index.ts";
import { parsePt } from "../../src/formats/pt.ts";
import { serializePt } from "../../src/formats/pt-writer.ts";
import { readStoredZip, writeStoredZip } from "../../src/formats/zip.ts";
import { parseWeights } from "../../src/runs/exchange/weights-file.ts";
import { hostilePt, ptFile, stateDicts } from "./hostile-files.ts";

const fixture = (name: string): Uint8Array => readFileSync(new URL(`fixtures/${name}.pt`, import.meta.url));
const numbersOf = (name: string): Record<string, [dtype: string, shape: number[], numbers: number[]]> =>
  Object.fromEntries(
    [...parsePt(fixture(name), name).tensors].map(([key, { dtype, shape, data }]) => [
      key,
      [dtype, [...shape], Array.from(data as Iterable<number | bigint>, Number)],
    ]),
  );

/** The message of the CheckpointError; any other outcome fails. */
function refusal(bytes: Uint8Array): string {
  try {
    parsePt(bytes, "w.pt");
  } catch (error) {
    expect(error).toBeInstanceOf(CheckpointError);
    const { message } = error as Error;
    expect(message).toMatch(/^w\.pt: [^\n]+$/);
    return message;
  }
  throw new Error("read, expected a refusal");
}

describe("files that torch.save wrote (fixtures/make.py)", () => {
  it("every dtype is read, and half precision is widened", () => {
    const floats = [0, 1, -2, 3.5];
    const integers = [0, 1, -2, 3];
    expect(numbersOf("dtypes")).toEqual({
      float64: ["F64", [4], floats],
      float32: ["F32", [4], floats],
      float16: ["F16", [4], floats],
      bfloat16: ["BF16", [4], floats],
      int64: ["I64", [4], integers],
      int32: ["I32", [4], integers],
      int16: ["I16", [4], integers],
      int8: ["I8", [4], integers],
      uint8: ["U8", [4], [0, 1, 254, 255]],
      bool: ["BOOL", [4], [0, 1, 1, 0]],
    });
    expect(parsePt(fixture("dtypes")).tensors.get("bfloat16")!.data).toBeInstanceOf(Float32Array);
  });

  it("transposed, sliced, offset and expanded views of one storage are read", () => {
    const { transposed, slice, row, expanded, scalar, empty } = numbersOf("views");
    const of24 = [0, 12, 4, 16, 8, 20, 1, 13, 5, 17, 9, 21, 2, 14, 6, 18, 10, 22, 3, 15, 7, 19, 11, 23];
    expect(transposed).toEqual(["F32", [4, 3, 2], of24]);
    expect(slice).toEqual(["F32", [2, 2, 2], [4, 6, 8, 10, 16, 18, 20, 22]]);
    expect(row).toEqual(["F32", [4], [20, 21, 22, 23]]);
    expect(expanded).toEqual(["F32", [2, 3], [0, 0, 0, 1, 1, 1]]);
    expect(scalar).toEqual(["F32", [], [7]]);
    expect(empty).toEqual(["F32", [0, 3], []]);
  });

  it("the state_dict of a compiled model, a pickle of protocol 4 and parameters are read", () => {
    const weights = ["F32", [3, 2], [0, 1, 2, 3, 4, 5]];
    expect(numbersOf("compiled")["_orig_mod.model.inner.lm_head.weight"]).toEqual(weights);
    expect(numbersOf("protocol4")["model.inner.lm_head.weight"]).toEqual(weights);
    expect(numbersOf("parameter")).toEqual({ weight: ["F32", [2], [1, 2]] });
    for (const name of ["compiled", "protocol4"]) {
      const names = [...parseWeights(fixture(name), name).tensors.keys()];
      expect(names.toSorted()).toEqual(["inner.H_init", "inner.lm_head.weight"]);
    }
  });
});

describe("parsePt refuses everything but a state_dict of plain tensors", () => {
  it.each([
    ["code", 'names "posix.system"'],
    ["whole-module", 'names "__main__.Tiny"'],
    ["sparse", 'names "torch._utils._rebuild_sparse_tensor"'],
    ["legacy", "not a zip archive, expected a file of torch.save"],
    ["bomb", '"bomb/data.pkl" is compressed'],
  ])("the file %s.pt is refused", (name, message) => expect(refusal(fixture(name))).toContain(message));

  const text = (value: string): number[] => [...new TextEncoder().encode(value)];
  const pickled = (...codes: (number | string)[]): Uint8Array =>
    Uint8Array.from([0x80, 2, ...codes.flatMap((code) => (typeof code === "string" ? text(code) : code)), 0x2e]);

  it("every instruction that can run code is refused by name", () => {
    expect(refusal(ptFile(pickled("cos\nsystem\n", ")", "R")))).toContain('names "os.system"');
    expect(refusal(ptFile(pickled(0x8c, 8, "builtins", 0x8c, 4, "eval", 0x93)))).toContain('names "builtins.eval"');
    const nested = Array.from({ length: 40 }, () => ["h", 0, "h", 0, 0x86, "q", 0]).flat();
    expect(refusal(ptFile(pickled(")", "q", 0, ...nested, "h", 0, "h", 0, 0x93)))).toContain("expected two strings");
    expect(refusal(ptFile(pickled("(", "ios\nsystem\n")))).toContain("instruction 0x69 (INST, code)");
    expect(refusal(ptFile(pickled("(", "o")))).toContain("instruction 0x6f (OBJ, code)");
    expect(refusal(ptFile(pickled("ccollections\nOrderedDict\n", ")", 0x81)))).toContain("0x81 (NEWOBJ, code)");
    expect(refusal(ptFile(pickled(0x82, 1)))).toContain("EXT1, code");
    expect(refusal(ptFile(pickled("ctorch\nFloatStorage\n", ")", "R")))).toContain('calls "torch.FloatStorage"');
    expect(refusal(ptFile(pickled("}", "ccollections\nOrderedDict\n", "b")))).toContain(
      "sets attributes of a dictionary",
    );
    expect(refusal(ptFile(pickled("c__main__\n\x1b[31mx\n")))).toContain('names "__main__.\\u{1b}[31mx"');
  });

  /** A tensor of 4 float32 zeros with this offset, shape and strides (each below 256). */
  const view = (offset: number, shape: number[], strides: number[], length = 4): Uint8Array => {
    const numbers = (values: number[]): (number | string)[] => ["(", ...values.flatMap((v) => [0x4b, v]), "t"];
    const storage = [
      "(",
      "X\x07\0\0\0storage",
      "ctorch\nFloatStorage\n",
      "X\x01\0\0\0",
      "0",
      "X\x03\0\0\0cpu",
      0x4b,
      length,
    ];
    const tensor = ["(", ...storage, "t", "Q", 0x4b, offset, ...numbers(shape), ...numbers(strides), 0x89, "N", "t"];
    const pickle = pickled("}", "X\x01\0\0\0w", "ctorch._utils\n_rebuild_tensor_v2\n", ...tensor, "R", "s");
    return ptFile(pickle, [new Uint8Array(16)]);
  };

  it("views that exceed their storage and huge sizes are refused", () => {
    expect(parsePt(view(0, [2, 2], [2, 1])).tensors.get("w")!.shape).toEqual([2, 2]);
    expect(parsePt(view(3, [1], [200])).tensors.size).toBe(1);
    expect(refusal(view(1, [4], [1]))).toContain("shape [4] with strides [1] from 1 exceeds its storage of 4 numbers");
    expect(refusal(view(0, [2], [4]))).toContain("exceeds its storage");
    expect(refusal(view(5, [0], [1]))).toContain("exceeds its storage");
    expect(refusal(view(0, [2], [1, 1]))).toContain("1 sizes and 2 strides");
    expect(refusal(view(0, [4], [1], 5))).toContain("data/0 has 16 bytes, expected 20 for 5 numbers of F32");
    expect(refusal(view(0, [200, 200, 200, 200], [0, 0, 0, 0]))).toContain("the tensors need more than 8 times");
    expect(refusal(view(0, Array(33).fill(1), Array(33).fill(1)))).toContain("33 sizes");
  });

  it("broken archives and hostile names of entries are refused", () => {
    const valid = serializePt(new Map([["w", { shape: [2], data: Float32Array.of(1, 2) }]]));
    const changed = (at: number, value: number): Uint8Array => valid.map((byte, i) => (i === at ? value : byte));
    for (let length = 0; length < valid.length; length++) refusal(valid.subarray(0, length));
    const dataAt = readStoredZip(valid, "w.pt").get("archive/data/0")!.byteOffset;
    expect(refusal(changed(dataAt, 1))).toContain("does not match its checksum");
    const zipOf = (names: string[]): Uint8Array =>
      writeStoredZip(new Map(names.map((name) => [name, pickled("}")] as const)));
    expect(refusal(zipOf(["a/data.pkl", "../../etc/passwd"]))).toContain('entry "../../etc/passwd"');
    for (const name of ["/etc/passwd", "C:/x", "a\\..\\b", "a//b", "a/../../b"]) {
      expect(refusal(zipOf(["a/data.pkl", name])), name).toContain("expected a name that stays inside the archive");
    }
    expect(refusal(zipOf(["a/data.pkl", "b/data.pkl"]))).toContain("2 entries NAME/data.pkl");
    expect(refusal(zipOf(["a/data"]))).toContain("0 entries NAME/data.pkl");
    expect(
      refusal(
        writeStoredZip(
          new Map([
            ["a/data.pkl", pickled("}")],
            ["a/byteorder", Uint8Array.from(text("big"))],
          ]),
        ),
      ),
    ).toContain("byte order");
  });

  it("two entries of one name and entries that overlap are refused", () => {
    const zip = writeStoredZip(
      new Map([
        ["a/data.pkl", pickled("}")],
        ["b/data.pkl", pickled("}")],
      ]),
    );
    const renamed = zip.map((byte, i) => (byte === 0x62 && zip[i + 1] === 0x2f ? 0x61 : byte)); // b/ -> a/
    expect(refusal(renamed)).toContain('two entries named "a/data.pkl"');
    const view = new DataView(renamed.buffer);
    const end = renamed.length - 22;
    const second = view.getUint32(end + 16, true) + 46 + "a/data.pkl".length;
    view.setUint32(second + 42, 0, true); // both entries point at the first
    expect(refusal(renamed)).toContain("overlap");
  });
});

describe("properties", () => {
  const bytesOf = ({ data }: { data: WritableTensor["data"] }): Uint8Array =>
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

  it("a written file is read back bit for bit, and equal tensors give equal bytes", () =>
    fc.assert(
      fc.property(stateDicts, (tensors) => {
        const file = serializePt(tensors);
        const read = parsePt(file).tensors;
        expect([...read.keys()]).toEqual([...tensors.keys()]);
        for (const [name, tensor] of tensors) {
          const entry = read.get(name)!;
          expect(entry.shape).toEqual(tensor.shape);
          expect(bytesOf(entry as WritableTensor)).toEqual(bytesOf(tensor));
        }
        expect(serializePt(read as ReadonlyMap<string, WritableTensor>)).toEqual(file);
      }),
    ));

  it("hostile files are read or refused with a CheckpointError of one line", () =>
    fc.assert(
      fc.property(hostilePt, (bytes) => {
        try {
          for (const { shape, data } of parsePt(bytes, "w.pt").tensors.values()) {
            expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
            expect(data.byteLength).toBeLessThan(2 ** 22);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(CheckpointError);
          expect((error as Error).message).not.toContain("\n");
        }
      }),
      { numRuns: 2000 },
    ));

  it("a file with one changed byte is refused or has the same content", () => {
    const tensors = new Map([["w", { shape: [3], data: Float32Array.of(1, 2, 3) }]]);
    const valid = serializePt(tensors);
    for (let at = 0; at < valid.length; at++) {
      const changed = valid.map((byte, i) => (i === at ? byte ^ 0x11 : byte));
      try {
        const { data } = parsePt(changed).tensors.get("w")!;
        expect([...(data as Float32Array)], `byte ${at}`).toEqual([1, 2, 3]);
      } catch (error) {
        expect(error).toBeInstanceOf(CheckpointError);
      }
    }
  });

  it("a written archive is read back", () => {
    const entries = new Map([
      ["x/y", Uint8Array.of(1, 2)],
      ["z", new Uint8Array(0)],
    ]);
    expect(new Map(readStoredZip(writeStoredZip(entries), "zip"))).toEqual(entries);
  });
});
