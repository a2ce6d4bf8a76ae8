/** Names of weights in files that wrappers have changed. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { serializePt, serializeSafetensors } from "../../../src/formats/index.ts";
import { parseWeights, splitName } from "../../../src/runs/exchange/weights-file.ts";

const one = (value: number) => ({ shape: [1], data: Float32Array.of(value) });
const fileOf = (names: Readonly<Record<string, number>>): Uint8Array =>
  serializeSafetensors(new Map(Object.entries(names).map(([name, value]) => [name, one(value)])));
const numbersOf = ({ tensors }: ReturnType<typeof parseWeights>): Record<string, number> =>
  Object.fromEntries([...tensors].map(([name, { data }]) => [name, Number(data[0])]));

describe("names of weights", () => {
  it.each([
    ["inner.q_head.bias", ""],
    ["_orig_mod.model.inner.q_head.bias", "_orig_mod.model."], // official code: torch.compile and the loss head
    ["module._orig_mod.model.inner.q_head.bias", "module._orig_mod.model."], // DistributedDataParallel
    ["model.model.inner.q_head.bias", "model.model."], // Lightning around the loss head
    ["ema_model.module.inner.q_head.bias", "ema_model.module."], // wrappers for EMA
  ])("lose the prefixes of wrappers: %s", (name, prefix) => {
    expect(splitName(name)).toEqual([prefix, "inner.q_head.bias"]);
    const { notes, ...file } = parseWeights(fileOf({ [name]: 3 }), "w");
    expect(numbersOf({ notes, ...file })).toEqual({ "inner.q_head.bias": 3 });
    expect(file.average).toBeUndefined();
    expect(notes).toEqual(prefix === "" ? [] : [`w: removed the prefix "${prefix}" from 1 names`]);
  });

  it("lose any prefix of segments before the official name", () =>
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z_0-9]{1,8}$/).filter((part) => part !== "inner")), (parts) => {
        const prefix = parts.map((part) => `${part}.`).join("");
        expect(splitName(`${prefix}inner.model.x`)).toEqual([prefix, "inner.model.x"]);
      }),
    ));

  it("that are not official stay as they are", () => {
    const file = parseWeights(fileOf({ n_averaged: 5, "module.inner.H_init": 1, "dinner.x": 2 }), "w");
    expect(numbersOf(file)).toEqual({ n_averaged: 5, "dinner.x": 2, "inner.H_init": 1 });
  });

  it("that occur under several prefixes are refused with the prefixes", () => {
    expect(() => parseWeights(fileOf({ "inner.a": 1, "model.inner.a": 2 }), "w")).toThrow(
      'w: tensor "inner.a" occurs under several prefixes ("", "model."), expected one',
    );
  });
});

it("averaged weights in the same file become the average", () => {
  const file = parseWeights(fileOf({ "online_model.inner.a": 1, "ema_model.inner.a": 2, initted: 1 }), "w");
  expect(numbersOf(file)).toEqual({ "inner.a": 1, initted: 1 });
  expect(Number(file.average!.tensors.get("inner.a")!.data[0])).toBe(2);
  expect(file.notes.at(-1)).toBe("w: contains averaged weights as well");
});

it("weights inside the dictionary of a training run are found and reported", () => {
  const bytes = readFileSync(new URL("../../formats/fixtures/nested.pt", import.meta.url));
  const { tensors, notes } = parseWeights(bytes, "nested.pt");
  expect([...tensors.keys()]).toEqual(["inner.H_init", "inner.lm_head.weight"]);
  expect(notes[0]).toBe('nested.pt: took the weights from the entry "model"');
});

it("NaN and infinity are refused in every tensor of a file of weights", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const saved = serializePt(new Map([["model.inner.a", one(value)]]));
    expect(() => parseWeights(saved, "w.pt")).toThrow(`w.pt: tensor "model.inner.a" contains ${value}`);
  }
});
