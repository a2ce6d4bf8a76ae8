// Value and gradient of every operation with axes of length 0, and the messages for shapes that do not fit.
import { describe, expect, it } from "vitest";
import * as a from "../../src/autograd/index.ts";
import { ReferenceBackend, type Shape, ShapeError, sameShape, scope, tensor, zeros } from "../../src/tensor/index.ts";
import { valuesOf } from "./examples.ts";

type Inputs = readonly a.Variable[];

interface Case {
  readonly name: string;
  readonly inputs: readonly Shape[];
  readonly run: (inputs: Inputs) => a.Variable;
  readonly output: Shape;
}

const none: Shape = [2, 0, 3];
const ids = (shape: Shape): a.Variable => new a.Variable(zeros(shape, "int32"), null, false);

/** Whether an operation takes `count` inputs of one shape and returns that shape, without attributes. */
function isElementwise(operation: a.Operation, count: number): boolean {
  const { inputs, attributes } = operation.domain({ integer: (min) => min, oneOf: ([first]) => first! });
  if (attributes !== undefined || inputs.length !== count || inputs.some(({ kind }) => kind === "index")) return false;
  try {
    return sameShape(operation.shape(new Array(count).fill(none), undefined), none);
  } catch (error) {
    if (error instanceof ShapeError) return false;
    throw error;
  }
}

const oneInput = a
  .allOperations()
  .filter((operation) => isElementwise(operation, 1))
  .map((operation): Case => {
    return { name: operation.name, inputs: [none], run: (x) => a.apply(operation, x, undefined), output: none };
  });

const twoInputs = a
  .allOperations()
  .filter((operation) => isElementwise(operation, 2))
  .flatMap((operation): Case[] => {
    const run = (inputs: Inputs): a.Variable => a.apply(operation, inputs, undefined);
    const stretched = [
      [1, 3],
      [0, 1],
    ];
    return [
      { name: `${operation.name} with a row`, inputs: [none, [3]], run, output: none },
      { name: `${operation.name} of a scalar`, inputs: [[], none], run, output: none },
      { name: `${operation.name}, 1 stretched to 0`, inputs: stretched, run, output: [0, 3] },
    ];
  });

const cases: readonly Case[] = [
  ...oneInput,
  ...twoInputs,
  { name: "affine", inputs: [none], run: ([x]) => a.affine(x!, 2, 1), output: none },
  { name: "cast", inputs: [none], run: ([x]) => a.cast(x!, "float64"), output: none },
  { name: "select", inputs: [none, [3]], run: ([x, y]) => a.select(ids([2, 1, 1]), x!, y!), output: none },
  { name: "reshape", inputs: [none], run: ([x]) => a.reshape(x!, [6, -1]), output: [6, 0] },
  { name: "permute", inputs: [none], run: ([x]) => a.permute(x!, [2, 0, 1]), output: [3, 2, 0] },
  { name: "broadcastTo an empty shape", inputs: [[1, 3]], run: ([x]) => a.broadcastTo(x!, [0, 3]), output: [0, 3] },
  { name: "slice of an empty axis", inputs: [none], run: ([x]) => a.slice(x!, 1, 0, 0), output: none },
  { name: "slice of length 0", inputs: [[2, 3]], run: ([x]) => a.slice(x!, 1, 3, 3), output: [2, 0] },
  { name: "concat with an empty part", inputs: [none, [2, 4, 3]], run: (x) => a.concat(x, 1), output: [2, 4, 3] },
  { name: "pad of an empty axis", inputs: [none], run: ([x]) => a.pad(x!, 1, 1, 2), output: [2, 3, 3] },
  { name: "sum over an empty axis", inputs: [none], run: ([x]) => a.sum(x!, [1]), output: [2, 3] },
  {
    name: "sum over an axis beside an empty one",
    inputs: [none],
    run: ([x]) => a.sum(x!, [2], true),
    output: [2, 0, 1],
  },
  { name: "mean over an axis beside an empty one", inputs: [none], run: ([x]) => a.mean(x!, [2]), output: [2, 0] },
  { name: "max over axes beside an empty one", inputs: [none], run: ([x]) => a.max(x!, [0, 2]), output: [0] },
  { name: "gatherRows without ids", inputs: [[4, 3]], run: ([x]) => a.gatherRows(x!, ids([2, 0])), output: [2, 0, 3] },
  { name: "gatherRows of width 0", inputs: [[4, 0]], run: ([x]) => a.gatherRows(x!, ids([2])), output: [2, 0] },
  {
    name: "matmul, no depth",
    inputs: [
      [2, 0],
      [0, 3],
    ],
    run: ([x, y]) => a.matmul(x!, y!),
    output: [2, 3],
  },
  {
    name: "matmul, no rows",
    inputs: [
      [0, 2],
      [2, 3],
    ],
    run: ([x, y]) => a.matmul(x!, y!),
    output: [0, 3],
  },
  {
    name: "matmul, no columns",
    inputs: [
      [4, 2, 3],
      [3, 0],
    ],
    run: ([x, y]) => a.matmul(x!, y!),
    output: [4, 2, 0],
  },
  {
    name: "matmul, no batch",
    inputs: [
      [0, 2, 3],
      [3, 2],
    ],
    run: ([x, y]) => a.matmul(x!, y!),
    output: [0, 2, 2],
  },
  {
    name: "linear, no rows",
    inputs: [
      [2, 0, 3],
      [4, 3],
    ],
    run: ([x, w]) => a.linear(x!, w!),
    output: [2, 0, 4],
  },
  {
    name: "linear, no depth",
    inputs: [
      [2, 0],
      [4, 0],
    ],
    run: ([x, w]) => a.linear(x!, w!),
    output: [2, 4],
  },
  {
    name: "linear, no columns",
    inputs: [
      [2, 3],
      [0, 3],
    ],
    run: ([x, w]) => a.linear(x!, w!),
    output: [2, 0],
  },
  { name: "siluGate of an empty axis", inputs: [[2, 0]], run: ([x]) => a.siluGate(x!), output: [2, 0] },
  { name: "siluGate beside an empty axis", inputs: [[2, 4, 0]], run: ([x]) => a.siluGate(x!, -2), output: [2, 2, 0] },
  { name: "rmsNorm beside an empty axis", inputs: [none], run: ([x]) => a.rmsNorm(x!), output: none },
  { name: "rmsNorm over an empty axis", inputs: [none], run: ([x]) => a.rmsNorm(x!, -2), output: none },
  { name: "addRmsNorm", inputs: [none, none], run: ([h, r]) => a.addRmsNorm(h!, r!), output: none },
  {
    name: "swigluBlock, no batch",
    inputs: [
      [0, 2, 3],
      [8, 3],
      [3, 4],
    ],
    run: ([h, gateUp, down]) => a.swigluBlock(h!, { gateUp: gateUp!, down: down! }),
    output: [0, 2, 3],
  },
  {
    name: "swigluBlock, no positions",
    inputs: [
      [2, 0, 3],
      [8, 3],
      [3, 4],
    ],
    run: ([h, gateUp, down]) => a.swigluBlock(h!, { gateUp: gateUp!, down: down! }),
    output: [2, 0, 3],
  },
  {
    name: "swigluBlock over the sequence, no width",
    inputs: [
      [2, 3, 0],
      [8, 3],
      [3, 4],
    ],
    run: ([h, gateUp, down]) => a.swigluBlock(h!, { gateUp: gateUp!, down: down! }, -2),
    output: [2, 3, 0],
  },
  { name: "selfAttention, no batch", inputs: [[0, 2, 12]], run: ([x]) => a.selfAttention(x!, 2), output: [0, 2, 4] },
  {
    name: "selfAttention, no positions",
    inputs: [[2, 0, 12]],
    run: ([x]) => a.selfAttention(x!, 2),
    output: [2, 0, 4],
  },
  {
    name: "selfAttention, no positions, rotary",
    inputs: [[2, 0, 12]],
    run: ([x]) => {
      const table = new a.Variable(zeros([0, 2], "float64"), null, false);
      return a.selfAttention(x!, 2, { cos: table, sin: table });
    },
    output: [2, 0, 4],
  },
  { name: "crossEntropy without rows", inputs: [[0, 4]], run: ([x]) => a.crossEntropy(x!, ids([0])), output: [0] },
  {
    name: "softmax cross-entropy without rows",
    inputs: [[2, 0, 4]],
    run: ([x]) => a.crossEntropy(x!, ids([2, 0]), "softmax"),
    output: [2, 0],
  },
  { name: "softmax without rows", inputs: [[0, 3]], run: ([x]) => a.softmax(x!), output: [0, 3] },
  { name: "softmax of an empty axis", inputs: [[0, 0]], run: ([x]) => a.softmax(x!), output: [0, 0] },
  {
    name: "attention without positions",
    inputs: [
      [2, 0, 4],
      [2, 0, 4],
      [2, 0, 4],
    ],
    run: ([q, k, v]) => a.attention(q!, k!, v!),
    output: [2, 0, 4],
  },
  { name: "bceWithLogits", inputs: [none, none], run: ([x, y]) => a.bceWithLogits(x!, y!), output: none },
];

describe.each([true, false])("axes of length 0, fused: %s", (fused) => {
  it.each(cases.map((one) => [one.name, one] as const))(
    "value and gradients have the right shapes and are finite: %s",
    (_, { inputs, run, output }) => {
      scope(
        () => {
          const variables = inputs.map((shape) => {
            const ones = tensor(new Float64Array(shape.reduce((x, y) => x * y, 1)).fill(1), { shape });
            return new a.Variable(ones, null, true);
          });
          const result = run(variables);
          expect(result.shape).toEqual(output);
          expect(valuesOf(result.value).every(Number.isFinite)).toBe(true);
          const gradients = a.gradients(a.sum(result), variables);
          expect(gradients.map(({ shape }) => shape)).toEqual(inputs);
          for (const gradient of gradients) expect(valuesOf(gradient).every(Number.isFinite)).toBe(true);
        },
        { fused, backend: new ReferenceBackend() },
      );
    },
  );

  it("the cases cover every operation", () => {
    const ran = new Set<string>();
    scope(
      () => {
        for (const { inputs, run } of cases) {
          const variables = inputs.map((shape) => new a.Variable(zeros(shape, "float64"), null, true));
          for (const { operation } of a.tapeOf(run(variables))) ran.add(operation);
        }
      },
      { fused: true },
    );
    expect([...ran].toSorted()).toEqual(
      a
        .allOperations()
        .map(({ name }) => name)
        .toSorted(),
    );
  });
});

describe("shapes that do not fit", () => {
  const of = (...shape: number[]): a.Variable => new a.Variable(zeros(shape), null, true);
  const refusals: readonly (readonly [() => a.Variable, string])[] = [
    [() => a.add(of(2, 3), of(4)), "add: cannot broadcast [2, 3] with [4] (last axis: 3 against 4)"],
    [() => a.multiply(of(2, 1), of(3, 1)), "multiply: cannot broadcast [2, 1] with [3, 1] (axis -2: 2 against 3)"],
    [
      () => a.matmul(of(2, 3), of(4, 5)),
      "matmul: cannot multiply [2, 3] by [4, 5] (axis -1 of the first is 3, axis -2 of the second is 4)",
    ],
    [
      () => a.linear(of(2, 5, 3), of(6, 4)),
      "linear: cannot multiply x [2, 5, 3] and weight [6, 4] (last axis: 3 against 4)",
    ],
    [() => a.linear(of(3), of(2, 3)), "linear: got x [3] and weight [2, 3], expected x [.., in] and weight [out, in]"],
    [
      () => a.linear(of(2, 3), of(1, 2, 3)),
      "linear: got x [2, 3] and weight [1, 2, 3], expected x [.., in] and weight [out, in]",
    ],
    [() => a.reshape(of(2, 3), [4, -1]), "reshape: cannot view [2, 3] (6 elements) as [4, -1]"],
    [() => a.reshape(of(2, 3), [-1, -1]), "reshape: got [-1, -1], expected -1 at most once"],
    [() => a.permute(of(2, 3), [0, 2]), "permute: no axis 2 in shape [2, 3]"],
    [() => a.broadcastTo(of(2, 3), [2, 4]), "broadcastTo: cannot repeat [2, 3] to fill [2, 4]"],
    [() => a.slice(of(2, 3), 1, 2, 4), "slice: got 2..4 along axis 1 of [2, 3], expected within 0..3"],
    [
      () => a.concat([of(2, 3), of(3, 3)], 1),
      "concat: got [2, 3] and [3, 3], expected equal lengths except along axis 1",
    ],
    [() => a.concat([], 0), "concat: got no tensors, expected at least one"],
    [() => a.pad(of(2), 0, -1, 0), "pad: got -1 before and 0 after, expected whole numbers of 0 or more"],
    [() => a.sum(of(2, 3), [2]), "sum: no axis 2 in shape [2, 3]"],
    [() => a.max(of(2, 0), [1]), "max: got [2, 0], expected at least one element along axis 1"],
    [() => a.gatherRows(of(3), ids([1])), "gatherRows: got table [3], expected [rows, width]"],
    [() => a.siluGate(of(2, 3)), "siluGate: got [2, 3], expected an even length along axis -1 (gate and up)"],
    [() => a.siluGate(of(4), -2), "siluGate: got [4], expected at least 2 axes"],
    [() => a.rmsNorm(of(4), -2), "rmsNorm: got [4], expected at least 2 axes"],
    [() => a.rmsNorm(of()), "rmsNorm: got [], expected at least 1 axes"],
    [() => a.addRmsNorm(of(2, 3), of(2, 4)), "rmsNorm: got [2, 3] and [2, 4], expected equal shapes"],
    [
      () => a.swigluBlock(of(1, 2, 3), { gateUp: of(8, 3), down: of(3, 5) }),
      "swigluBlock: got h [1, 2, 3], gateUp [8, 3], down [3, 5], expected h [B, L, D], gateUp [2I, 3], down [3, I] along axis -1",
    ],
    [() => a.selfAttention(of(1, 2, 10), 2), "selfAttention: got [1, 2, 10], expected [B, L, 3 · 2 heads · headSize]"],
    [() => a.selfAttention(of(1, 2, 12), -1), "selfAttention: got -1 heads, expected a whole number of at least 1"],
    [() => a.selfAttention(of(1, 2, 12), 0.5), "selfAttention: got 0.5 heads, expected a whole number of at least 1"],
    [
      () => a.selfAttention(of(1, 2, 12), 2, { cos: of(2, 2), sin: of(3, 2) }),
      "selfAttention: got rotary tables [2, 2] and [3, 2], expected [2, 2] each",
    ],
    [
      () => a.selfAttention(of(1, 2, 9), 1, { cos: of(2, 3), sin: of(2, 3) }),
      "selfAttention: got a head size of 3, expected an even one for rotary positions",
    ],
    [
      () => a.crossEntropy(of(2, 3), ids([3])),
      "crossEntropy: got logits [2, 3] and labels [3], expected [..., V] and [...]",
    ],
  ];

  it.each(refusals.map(([run, message]) => [message, run] as const))(
    "are refused with the message: %s",
    (message, run) => {
      for (const fused of [true, false]) {
        scope(() => expect(run).toThrow(new ShapeError(message)), { fused, backend: new ReferenceBackend() });
      }
    },
  );
});
