// Files of weights are recognised by their first bytes; every other kind of file is named, with what to do.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CheckpointError,
  parseWeightsFile,
  serializeNpy,
  serializePt,
  serializeSafetensors,
} from "../../src/formats/index.ts";
import { stateDicts } from "./hostile-files.ts";

const fixture = (name: string): Uint8Array => readFileSync(new URL(`fixtures/${name}.pt`, import.meta.url));
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function refusal(bytes: Uint8Array): string {
  try {
    parseWeightsFile(bytes, "w");
  } catch (error) {
    expect(error).toBeInstanceOf(CheckpointError);
    return (error as Error).message;
  }
  throw new Error("read, expected a refusal");
}

describe("parseWeightsFile", () => {
  it("reads both formats, whatever the tensors", () => {
    fc.assert(
      fc.property(stateDicts, (tensors) => {
        const names = [...tensors.keys()].sort();
        expect([...parseWeightsFile(serializePt(tensors), "w").tensors.keys()].sort()).toEqual(names);
        const isReserved = tensors.has("__metadata__");
        if (!isReserved) {
          expect([...parseWeightsFile(serializeSafetensors(tensors), "w").tensors.keys()].sort()).toEqual(names);
        }
      }),
    );
  });

  it("reads safetensors whose header has the length of the first characters of another format", () => {
    const header = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    for (const length of [0x5b20, 0x7b20, 0x685a42]) {
      const bytes = new Uint8Array(8 + length + 4);
      new DataView(bytes.buffer).setUint32(0, length, true); // " [", " {" or "BZh"
      bytes.set(text(header.padEnd(length)), 8);
      expect([...parseWeightsFile(bytes, "w").tensors.keys()]).toEqual(["a"]);
    }
  });

  it("finds a state_dict inside the dictionary of a training run, and names its key", () => {
    const file = parseWeightsFile(fixture("nested"), "nested.pt");
    expect(file.wrapper).toBe("model");
    expect([...file.tensors.keys()]).toEqual(["inner.H_init", "inner.lm_head.weight"]);
    expect(parseWeightsFile(fixture("views"), "views.pt").wrapper).toBeUndefined();
  });

  const zip = serializePt(new Map([["w", { shape: [2], data: Float32Array.of(1, 2) }]]));
  const index = {
    metadata: { total_size: 8 },
    weight_map: { a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" },
  };
  it.each([
    ["a file of torch.save before PyTorch 1.6", fixture("legacy"), "torch.save before PyTorch 1.6"],
    [
      "a git-lfs pointer",
      text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"),
      '(12345 bytes): fetch them with "git lfs pull"',
    ],
    ["an HTML page", text("\n<!DOCTYPE html>\n<html>"), "an HTML or XML page"],
    ["an HTML page after a byte order mark", text("\ufeff<html lang='en'>"), "an HTML or XML page"],
    [
      "an index of shards",
      text(JSON.stringify(index, null, 2)),
      'weights in 2 files ("model-00001-of-00002.safetensors" ...)',
    ],
    ["a JSON file", text('{"hidden_size": 5}'), "a JSON file, expected safetensors"],
    ["a broken JSON file", text('{"weight_map": {'), "a JSON file that is cut off or broken"],
    ["a YAML file", text("arch:\n  name: trm\n"), 'a text file that begins with "arch:'],
    ["a zip archive without its end", zip.subarray(0, zip.length - 30), "a zip archive without its end"],
    ["a file compressed with gzip", gzipSync(zip), "compressed with gzip: decompress it first"],
    ["a pickle", Uint8Array.of(0x80, 4, 0x95, 0, 0, 0, 0, 0, 0, 0, 0, 0x2e), "a Python pickle"],
    ["a NumPy array", serializeNpy(Float32Array.of(1), [1]), "a NumPy array (.npy)"],
    [
      "a tar archive",
      Uint8Array.from({ length: 512 }, (_, i) => "ustar".charCodeAt(i - 257) || (i < 8 ? 97 : 0)),
      "a tar archive",
    ],
    ["an empty file", new Uint8Array(0), "the file is empty"],
  ])("the refusal of %s says what to do", (_, bytes, message) => {
    const line = refusal(bytes);
    expect(line).toContain(message);
    expect(line).toMatch(/^w: [^\n]+$/);
  });

  it("refuses every prefix of a known kind and any other bytes in one line", () => {
    const kinds = [fixture("legacy"), zip, gzipSync(zip), text("version https://git-lfs.github.com/spec/v1\nsize 1")];
    const prefixes = fc
      .constantFrom(...kinds)
      .chain((bytes) => fc.nat(bytes.length - 1).map((end) => bytes.subarray(0, end)));
    fc.assert(
      fc.property(
        fc.oneof(prefixes, fc.uint8Array({ maxLength: 300 }), fc.string({ unit: "binary" }).map(text)),
        (bytes) => {
          expect(refusal(bytes)).toMatch(/^w: [^\n]+$/);
        },
      ),
    );
  });
});
