// Tests the parity replay itself: a case fails if any one of its numbers is altered.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSafetensors, serializeSafetensors, type WritableTensor } from "../../src/formats/index.ts";
import { findCases, runCase } from "./main.ts";

const fixtures = join(import.meta.dirname, "../fixtures/parity");
const cases = findCases(fixtures);

/**
 * Inputs of the replay, which may have no effect: batches offered to busy slots, draws without consequence, gradients of ignored
 * labels, and values of which only the sign or a small fraction matters.
 */
const isInput = (name: string): boolean =>
  /\/batch\/|exploration|float64_deviation|\/grad_out$|\/in\d$|labels$|ids$|\/target$|^adam_atan2\/grad|^sign_sgd\/grad/.test(
    name,
  );

/** Replays a copy of a case after `alter` has changed one of its numbers. */
async function runAltered(folder: string, alter: (json: unknown, tensors: Map<string, WritableTensor>) => void) {
  const copy = mkdtempSync(join(tmpdir(), "trm-parity-"));
  try {
    cpSync(folder, copy, { recursive: true });
    const [jsonFile, tensorFile] = [join(copy, "case.json"), join(copy, "tensors.safetensors")];
    const json: unknown = JSON.parse(readFileSync(jsonFile, "utf8"));
    const file = parseSafetensors(readFileSync(tensorFile));
    const tensors = new Map(
      [...file.tensors].map(([name, { shape, data }]) => [name, { shape, data: data.slice() } as WritableTensor]),
    );
    alter(json, tensors);
    writeFileSync(jsonFile, JSON.stringify(json));
    writeFileSync(tensorFile, serializeSafetensors(tensors));
    return await runCase(copy);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** Adds 2% of the largest entry (at least 2% of 0.01), or 1 to an integer. */
function alterEntry({ data }: WritableTensor, index: number): void {
  const at = index % data.length;
  if (data instanceof BigInt64Array) data[at] = data[at]! + 1n;
  else if (data instanceof Int32Array || data instanceof Uint8Array) data[at]! += 1;
  else {
    const largest = Float64Array.from(data).reduce((a, b) => Math.max(a, Math.abs(b)), 0.01);
    data[at]! += 0.02 * largest;
  }
}

/** The paths of all numbers and flags of a JSON value. */
function* leaves(value: unknown, path: string[] = []): Iterable<string[]> {
  if (typeof value === "number" || typeof value === "boolean") yield path;
  else if (typeof value === "object" && value !== null) {
    for (const [key, child] of Object.entries(value)) yield* leaves(child, [...path, key]);
  }
}

function alterLeaf(json: unknown, path: readonly string[]): void {
  const parent = path.slice(0, -1).reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], json);
  const record = parent as Record<string, number | boolean>;
  const key = path.at(-1)!;
  const value = record[key]!;
  record[key] = typeof value === "boolean" ? !value : Number.isInteger(value) ? value + 1 : value * 1.01 + 1e-3;
}

describe("the parity replay of a case with one altered number", () => {
  for (const folder of cases) {
    it(`${basename(folder)} fails if an entry of any compared tensor is altered`, async () => {
      const names = [...parseSafetensors(readFileSync(join(folder, "tensors.safetensors"))).tensors.keys()];
      const compared = names.filter((name) => !isInput(name));
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...compared), fc.nat(100_000), async (name, index) => {
          const { passes, line } = await runAltered(folder, (_, tensors) => alterEntry(tensors.get(name)!, index));
          expect(passes, `${name}[${index}] ${line}`).toBe(false);
        }),
        { numRuns: 12 },
      );
    });

    it(`${basename(folder)} fails if any recorded number or flag is altered`, async () => {
      const json: unknown = JSON.parse(readFileSync(join(folder, "case.json"), "utf8"));
      const paths = [...leaves(json)].filter((path) => {
        const joined = path.join("/");
        return (
          /^(steps|eval)\/|^lr_schedule\/\d+\/values/.test(joined) && !isInput(joined) && !joined.endsWith("/step")
        );
      });
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...paths), async (path) => {
          const { passes, line } = await runAltered(folder, (copy) => alterLeaf(copy, path));
          expect(passes, `${path.join("/")} ${line}`).toBe(false);
        }),
        { numRuns: 12 },
      );
    });
  }
});

describe("the parity replay of an unusable case", () => {
  it("a case of an unknown kind fails instead of being skipped", async () => {
    const { passes, line } = await runAltered(cases.find((each) => each.endsWith("trm_halting"))!, (json) => {
      (json as { kind: string }).kind = "trm_quantum";
    });
    expect(passes).toBe(false);
    expect(line).toContain('unknown system "trm_quantum"');
  });

  it("a case with a tensor that is never compared fails", async () => {
    const { passes, line } = await runAltered(cases.find((each) => each.endsWith("trm_halting"))!, (_, tensors) => {
      tensors.set("step1/out/entropy", { shape: [1], data: new Float32Array(1) });
    });
    expect(passes).toBe(false);
    expect(line).toContain("not compared");
  });
});
