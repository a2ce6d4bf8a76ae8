// Names, values, gradients and drawings of a tape, and what console.log shows of tensors and variables.
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import {
  add,
  affine,
  constant,
  definitionOf,
  type InspectedTape,
  inspectTape,
  parameter,
  square,
  sum,
  swigluBlock,
  type TapeEntry,
  tanh,
  tapeOf,
  tapeToDot,
  tapeToSvg,
} from "../../src/autograd/index.ts";
import { defaultBackend, scope, tensor } from "../../src/tensor/index.ts";

describe("a tape with names", () => {
  it("has the names of leaves and of intermediate variables, and the attributes of its operations", () => {
    scope(() => {
      const w = parameter([1, 2]);
      const h = affine(w, 3, 1);
      const y = sum(add(h, constant([5, 6])));
      const tape = tapeOf(y, {
        names: [
          ["weights", w],
          ["hidden", h],
        ],
      });
      expect(tape.map(({ name }) => name)).toEqual(["hidden", null, null]);
      expect(tape[0]).toMatchObject({
        operation: "affine",
        inputNames: ["weights"],
        attributes: { scale: 3, shift: 1 },
      });
      expect(tape[1]).toMatchObject({ operation: "add", inputNames: ["hidden", null], inputs: [0, null] });
      w.value.dispose();
    });
  });

  it("is drawn as DOT and as SVG, with a box per operation and named leaf and an edge per input", () => {
    scope(() => {
      const w = parameter([1, 2]);
      const tape = tapeOf(sum(square(w)), { names: [['w "a" <b>', w]] });
      expect(tapeToDot(tape)).toBe(
        [
          "digraph tape {",
          '  leaf0 [label="w \\"a\\" <b>\\n[2]", shape=ellipse];',
          '  n0 [label="square\\n[2]", shape=box];',
          '  n1 [label="sum\\n[]", shape=box];',
          "  leaf0 -> n0;",
          "  n0 -> n1;",
          "}",
          "",
        ].join("\n"),
      );
      const svg = tapeToSvg(tape);
      expect(svg.match(/<rect /g)).toHaveLength(3);
      expect(svg.match(/<path /g)).toHaveLength(2);
      expect(svg).toContain('w "a" &lt;b>');
      w.value.dispose();
    });
  });

  it("draws a wider tape without two boxes at one place", () => {
    scope(() => {
      const w = parameter([1, 2]);
      const svg = tapeToSvg(tapeOf(sum(add(square(w), tanh(w)))));
      const places = [...svg.matchAll(/<rect x="(\d+)" y="(\d+)"/g)].map(([, x, y]) => `${x} ${y}`);
      expect(new Set(places).size).toBe(4);
      w.value.dispose();
    });
  });
});

describe("inspectTape", () => {
  it("gives the value and the gradient of every entry and leaf as numbers, and releases all memory", async () => {
    const w = parameter([1, 2]);
    const live = defaultBackend().memory().liveBytes;
    const { entries, leaves } = await inspectTape(() => {
      const h = square(w); // affine saves nothing, so its input is kept only because the tape is inspected
      return {
        output: sum(affine(h, 3)),
        names: [
          ["w", w],
          ["h", h],
        ],
      };
    });
    expect(entries.map(({ operation, name, value, gradient }) => [operation, name, [...value], [...gradient]])).toEqual(
      [
        ["square", "h", [1, 4], [3, 3]],
        ["affine", null, [3, 12], [1, 1]],
        ["sum", null, [15], [1]],
      ],
    );
    expect(leaves.map(({ name, shape, value, gradient }) => [name, shape, [...value], [...gradient]])).toEqual([
      ["w", [2], [1, 2], [6, 12]],
    ]);
    expect(defaultBackend().memory().liveBytes).toBe(live);
    w.value.dispose();
  });

  it("has the values of operations that ran in a scope inside the body", async () => {
    const live = defaultBackend().memory().liveBytes;
    const w = parameter([1, 2]);
    const { entries } = await inspectTape(() => ({
      output: scope(() =>
        sum(
          affine(
            scope(() => square(w)),
            3,
          ),
        ),
      ),
    }));
    expect(entries.map(({ operation, value }) => [operation, [...value]])).toEqual([
      ["square", [1, 4]],
      ["affine", [3, 12]],
      ["sum", [15]],
    ]);
    w.value.dispose();
    expect(defaultBackend().memory().liveBytes).toBe(live);
  });

  it("refuses a result without a tape", async () => {
    await expect(inspectTape(() => ({ output: sum(constant([1])) }))).rejects.toThrow(
      "inspectTape: got a constant, expected a result with a tape",
    );
  });

  it("refuses operations from before the call, whose outputs the tape has not kept", async () => {
    const w = parameter([1, 2]);
    const earlier = square(w);
    await expect(inspectTape(() => ({ output: sum(earlier) }))).rejects.toThrow(
      "inspectTape: got an operation from before the call, expected a body that records the whole tape",
    );
  });

  it("unfolds a fused operation to its definition", async () => {
    const numbers = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i));
    const [h, gateUp, down] = [
      parameter(tensor(numbers(12), { shape: [1, 3, 4] })),
      parameter(tensor(numbers(32), { shape: [8, 4] })),
      parameter(tensor(numbers(16), { shape: [4, 4] })),
    ];
    const names = Object.entries({ h, gateUp, down });
    const body = () => ({ output: sum(swigluBlock(h, { gateUp, down })), names });
    const fused = await inspectTape(body);
    expect(fused.entries.map(({ operation }) => operation)).toEqual(["swigluBlock", "sum"]);
    const unfused = await inspectTape(body, { fused: false });
    const unfolded = (entry: TapeEntry): string[] => {
      const parts = definitionOf(entry);
      return parts.length === 0 ? [entry.operation] : parts.flatMap(unfolded);
    };
    expect(fused.entries.flatMap(unfolded).toSorted()).toEqual(
      unfused.entries.map(({ operation }) => operation).toSorted(),
    );
    const inputNamesSeen = definitionOf(fused.entries[0]!).flatMap(({ inputNames }) => inputNames);
    expect(new Set(inputNamesSeen)).toEqual(new Set([null, "input 0", "input 1", "input 2"]));
    const gradientsOf = ({ leaves }: InspectedTape): Record<string, number[]> =>
      Object.fromEntries(leaves.map(({ name, gradient }) => [name, Array.from(gradient, (g) => Number(g.toFixed(3)))]));
    expect(gradientsOf(fused)).toEqual(gradientsOf(unfused));
    expect(Object.keys(gradientsOf(fused)).toSorted()).toEqual(["down", "gateUp", "h"]);
    expect(definitionOf(fused.entries[1]!)).toEqual([]);
    for (const { value } of [h, gateUp, down]) value.dispose();
  });
});

describe("console.log", () => {
  it("shows the shape, the element type and the first numbers of a tensor", () => {
    scope(() => {
      const { name } = defaultBackend();
      expect(
        inspect(
          tensor([
            [1, 2.5],
            [3, 4],
          ]),
        ),
      ).toBe(`Tensor [2, 2] float32 on ${name}: 1, 2.5, 3, 4`);
      expect(inspect(tensor(new Int32Array(100)))).toBe(`Tensor [100] int32 on ${name}: 0, 0, 0, 0, 0, 0, ...`);
      const released = tensor([1]);
      released.dispose();
      expect(`${released}`).toBe(`Tensor [1] float32 on ${name}, released`);
    });
  });

  it("shows where a variable came from", () => {
    scope(() => {
      const w = parameter([2]);
      const { name } = defaultBackend();
      expect(inspect(w)).toBe(`Variable (parameter) of Tensor [1] float32 on ${name}: 2`);
      expect(inspect(square(w))).toBe(`Variable (from square) of Tensor [1] float32 on ${name}: 4`);
      expect(inspect(w.detach())).toBe(`Variable (constant) of Tensor [1] float32 on ${name}: 2`);
      w.value.dispose();
    });
  });
});
