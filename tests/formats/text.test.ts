// Text from the bytes of a file.
import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { DatasetError, decodeText, quoted } from "../../src/formats/index.ts";

it("text is decoded from UTF-8, and other bytes are refused by the name of the file", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(decodeText(new TextEncoder().encode(`.${text}`), "a.txt")).toBe(`.${text}`);
    }),
  );
  expect(() => decodeText(Uint8Array.of(0x61, 0xff), "a.txt")).toThrow(
    new DatasetError("not UTF-8 text", { file: "a.txt" }),
  );
});

it("values that JSON cannot show are named by their kind in an error", () => {
  const circular: unknown[] = [];
  circular.push(circular);
  const deep = JSON.parse(`${"[".repeat(1e5)}${"]".repeat(1e5)}`);
  expect([quoted(circular), quoted(deep), quoted(1n), quoted({ a: 1 })]).toEqual([
    "an array",
    "an array",
    "a bigint",
    '{"a":1}',
  ]);
});

it("text that is longer than a string can be is refused by its size", () => {
  const tooLong = Object.assign(new Error("Cannot create a string longer than 0x1fffffe8 characters"), {
    code: "ERR_STRING_TOO_LONG", // what Node throws above 512 MiB
  });
  const decode = vi.spyOn(TextDecoder.prototype, "decode").mockImplementation(() => {
    throw tooLong;
  });
  try {
    expect(() => decodeText(new Uint8Array(3), "a.txt")).toThrow(
      new DatasetError("3 bytes of text, expected at most 536870888 characters, the longest string", { file: "a.txt" }),
    );
  } finally {
    decode.mockRestore();
  }
});
