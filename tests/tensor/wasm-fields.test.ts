// The table of kernel fields against the AssemblyScript source that reads them.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { kernelFields } from "../../src/tensor/backends/wasm/kernel-fields.ts";
import { jobFields, taskFields, type WasmRuntime } from "../../src/tensor/backends/wasm/runtime.ts";

const assembly = new URL("../../src/tensor/backends/wasm/assembly/", import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, assembly), "utf8");
const sources = readdirSync(assembly).map(read).join("\n");

/** The fields of a parameter class, as [name, type] in the order of the source. */
function fieldsOf(className: string): [string, string][] {
  const body = new RegExp(`@unmanaged\\s+(?:export )?class ${className} \\{(.*?)\\n\\}`, "s").exec(sources)?.[1];
  if (body === undefined) throw new Error(`no class ${className} in the AssemblyScript source`);
  return [...body.matchAll(/^ {2}(\w+): (\w+);$/gm)].map(([, name, type]) => [name!, type!]);
}

/** The parameter class of a kernel. */
function classOf(kernel: string): string {
  const start = sources.indexOf(`export function ${kernel}(parameters: usize`);
  return /changetype<(\w+)>\(parameters\)/.exec(sources.slice(start))![1]!;
}

describe("kernelFields", () => {
  it.each(Object.entries(kernelFields))(
    "the fields of %s are those of its AssemblyScript class, in order",
    (name, fields) => {
      expect(Object.entries(fields)).toEqual(fieldsOf(classOf(name)));
    },
  );

  it("the order of the kernels is their number in assembly/kernels.ts", () => {
    const cases = [...read("kernels.ts").matchAll(/case (\d+): (\w+)\(parameters/g)];
    expect(cases.map(([, number, name]) => [Number(number), name])).toEqual(
      Object.keys(kernelFields).map((name, number) => [number, name]),
    );
  });

  it("the fields of the job and of a task are those of the AssemblyScript classes, in order", () => {
    expect([...jobFields]).toEqual(fieldsOf("Job").map(([name]) => name));
    expect([...taskFields]).toEqual(fieldsOf("Task").map(([name]) => name));
  });

  it("every kernel has at most 24 fields, which is the space of a task", () => {
    for (const fields of Object.values(kernelFields)) expect(Object.keys(fields).length).toBeLessThanOrEqual(24);
  });

  it("a missing or unknown field does not compile", () => {
    const calls = (runtime: WasmRuntime): void => {
      // @ts-expect-error: `tiles` is missing
      runtime.run("peak", { items: 1, cost: 1, fields: { depth: 1 } });
      // @ts-expect-error: `peak` has no field `rows`
      runtime.run("peak", { items: 1, cost: 1, fields: { depth: 1, tiles: 1, rows: 1 } });
      // @ts-expect-error: there is no such kernel
      runtime.run("peaks", { items: 1, cost: 1, fields: { depth: 1, tiles: 1 } });
    };
    expect(calls).toBeTypeOf("function"); // The type checker tests the calls.
  });
});
