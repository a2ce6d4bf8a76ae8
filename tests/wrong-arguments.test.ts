// Plain JavaScript callers: every public function and constructor, called with wrong arguments, either works or throws one of our
// errors: one line that names the function, and says what was given and what was expected.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as autograd from "../src/autograd/index.ts";
import * as formats from "../src/formats/index.ts";
import * as trm from "../src/index.ts";
import * as nn from "../src/nn/index.ts";
import * as node from "../src/node.ts";
import * as tensor from "../src/tensor/index.ts";
import * as testing from "../src/testing.ts";

const wrong: readonly unknown[] = [undefined, null, 3, "x", {}, [], [1, 2], () => 1];
const calls: readonly unknown[][] = [
  [],
  ...wrong.map((value) => [value]),
  ...wrong.flatMap((first) => wrong.map((second) => [first, second])),
  ...wrong.map((value) => [value, value, value]),
];

/** Functions that are not called here, each group with its reason. */
const trusting: Readonly<Record<string, readonly string[]>> = {
  tensor: [
    // These create tensors, or run several times for every operation. Their callers have checked the shape (expectShape).
    ...["Tensor", "sameShape", "showShape", "sizeOf", "stridesOf"],
    // These check arguments for other functions, whose name they put into the message in place of their own.
    ...[
      "expectAlike",
      "expectArray",
      "expectDType",
      "expectFunction",
      "expectInstance",
      "expectObject",
      "expectString",
    ],
    ...["expectOneBackend", "expectTensors", "expectTokens", "expectTypeName", "expectNumber", "expectWhole"],
    ...["broadcastShapes", "matmulShape"],
    // Every call with valid arguments starts threads. The test at the end of this file calls it with wrong ones.
    "WasmBackend",
  ],
  // The path of every operation: the functions that defineOperation returns have checked the inputs.
  autograd: ["apply"],
  nn: [],
  // recursion.ts is the paper's pseudocode, printed in the README as it is, without checks.
  trm: ["deepRecursion", "latentRecursion"],
  node: [],
  formats: [
    // These take what the parsers above them return, or a part of a message.
    ...["npyNumbers", "npyToInt32", "toFloat32", "toInt32", "shortened", "DatasetError"],
    // The header of an array whose dtype and shape the caller has written already.
    "npyHeader",
    // The bits of numbers that the caller has converted to float32.
    "float16Bits",
  ],
  testing: [],
};

const builtIn = ["Error", "TypeError", "RangeError", "ReferenceError", "SyntaxError"];
/** Errors about settings and about the contents of a file name these instead of the function. */
const aboutContents = ["BackendError", "ConfigError", "DatasetError", "CheckpointError", "FileError"];

/** The error in one line, if it is not one of ours. */
function faultOf(error: unknown, name: string): string | undefined {
  const { message, name: kind } = error as Error;
  const isNamed = new RegExp(`\\b${name}\\b`).test(message) && / got |: .*expected /.test(message);
  const isOurs = builtIn.includes(kind) ? message.startsWith(`${name}: `) : isNamed || aboutContents.includes(kind);
  return isOurs && !message.includes("\n") ? undefined : `${error}`;
}

async function faults(name: string, f: unknown): Promise<string[]> {
  const found = new Set<string>();
  const isClass = /^class\b/.test(Function.prototype.toString.call(f));
  for (const given of calls) {
    try {
      const result: unknown = isClass
        ? Reflect.construct(f as never, given)
        : (f as (...a: unknown[]) => unknown)(...given);
      if (result instanceof Promise) await result;
      else if (result instanceof fc.Arbitrary) fc.sample(result, 2);
      else if (typeof (result as { next?: unknown } | null)?.next === "function") {
        await (result as { next(): unknown }).next();
      }
    } catch (error) {
      const fault = faultOf(error, name);
      if (fault !== undefined) found.add(fault);
    }
  }
  return [...found];
}

describe.each(Object.entries({ tensor, autograd, nn, trm, node, formats, testing }))(
  "wrong arguments of the functions of %s",
  (entry, members) => {
    const functions = Object.entries(members).filter(
      ([name, f]) => typeof f === "function" && !trusting[entry]!.includes(name),
    );
    it.each(functions)("%s names itself, what was given and what was expected", async (name, f) => {
      expect(await faults(name, f)).toEqual([]);
    });
  },
);

const notOptions = [null, 3, "x", [], () => 1].map((given) => [tensor.showValue(given), given] as const);
it.each(notOptions)("new WasmBackend refuses %s as its options", (shown, given) => {
  expect(() => Reflect.construct(tensor.WasmBackend, [given])).toThrow(
    new tensor.ArgumentError(`WasmBackend: got ${shown} as the options, expected an object`),
  );
});

const x = autograd.constant([
  [1, 2],
  [3, 4],
]);
const h = autograd.constant([
  [
    [1, 2],
    [3, 4],
  ],
]);
const weights = { gateUp: x, down: autograd.constant([[1], [2]]) };
const labels = autograd.constant([0, 1], "int32");
const { zeros } = tensor;
const reference = new tensor.ReferenceBackend();
const examples: trm.Examples = {
  count: 2,
  length: 2,
  inputs: Int32Array.of(1, 2, 3, 4),
  labels: Int32Array.of(1, 2, 3, 4),
};
const sizes = { vocabularySize: 5, sequenceLength: 4 };

/** Calls whose first arguments are right, so that only the named one can be refused. */
const laterArguments: readonly (readonly [call: () => unknown, message: string])[] = [
  [() => autograd.reshape(x, 4 as never), "reshape: got 4 as the shape, expected an array"],
  [() => autograd.permute(x, 1 as never), "permute: got 1 as the axes, expected an array"],
  [() => autograd.siluGate(x, 1 as never), "siluGate: got axis 1, expected -1 or -2"],
  [() => autograd.rmsNorm(x, 0 as never), "rmsNorm: got axis 0, expected -1 or -2"],
  [() => autograd.addRmsNorm(x, x, 2 as never), "rmsNorm: got axis 2, expected -1 or -2"],
  [() => autograd.swiglu(h, weights, 1 as never), "swiglu: got axis 1, expected -1 or -2"],
  [() => autograd.swigluBlock(h, weights, 2 as never), "swigluBlock: got axis 2, expected -1 or -2"],
  [
    () => autograd.crossEntropy(x, labels, "mse" as never),
    'crossEntropy: got the string "mse" as the normalization, expected stablemax or softmax',
  ],
  [
    () => autograd.checkGradient("f", autograd.exp, [{ shape: [1], values: [1] }], { directions: 0 }),
    "checkGradient: got 0 as directions, expected a whole number from 1",
  ],
  [
    () => tensor.add(zeros([1], "float32", reference), zeros([1], "float32", new tensor.ReferenceBackend())),
    "add: got tensors on two reference backends, expected one backend",
  ],
  [
    () => tensor.sumTo(zeros([2, 3]), [5]),
    "sumTo: got [2, 3] and [5], expected a shape that can be repeated to [2, 3]",
  ],
  [() => tensor.sumTo(zeros([3]), [2, 3]), "sumTo: got [3] and [2, 3], expected a shape that can be repeated to [3]"],
  [
    () => tensor.signSgdUpdate(zeros([3]), zeros([1], "int32"), zeros([1]), 0.1, 0),
    "signSgdUpdate: got table [3], expected [rows, width]",
  ],
  [
    () => tensor.signSgdUpdate(zeros([3, 2]), zeros([1]), zeros([1, 2]), 0.1, 0),
    "signSgdUpdate: got float32, expected int32",
  ],
  [
    () => tensor.signSgdUpdate(zeros([3, 2]), zeros([1], "int32"), zeros([1, 2], "float64"), 0.1, 0),
    "signSgdUpdate: got float32 and float64, expected one element type (see cast)",
  ],
  [
    () =>
      new nn.Adam("adamw" as never, { beta1: 0.9, beta2: 0.95, weightDecay: 0 }, new Map([["x", x]])).update(
        [zeros([2, 2])],
        0.1,
      ),
    'adamUpdate: got the string "adamw" as the rule, expected adamAtan2 or adamW',
  ],
  [
    () => new tensor.Random(1).sample(10, 2.5),
    "Random.sample: 2.5 of 10 without replacement, expected a whole number from 0 to 10",
  ],
  [
    () => trm.parseConfig({ ...sizes, hiddenSize: 64n as never }),
    "config: hiddenSize: Invalid input: expected number, received bigint, got the BigInt 64n",
  ],
  [
    () => trm.parseConfig({ ...sizes, learningRate: Number.NaN }),
    "config: learningRate: Invalid input: expected number, received NaN, got NaN",
  ],
  [() => trm.parseConfig({ ...sizes, toString: 1 } as never), 'config: unknown key "toString", did you mean'],
  [
    () => new trm.ShuffledExamples(trm.packExamples([], 2), 0).next(1),
    "ShuffledExamples: got no examples, expected at least one",
  ],
  [
    () => new trm.ShuffledExamples({ ...examples, puzzleIds: new Int32Array(1) }, 0),
    "ShuffledExamples: got 1 numbers as puzzleIds, expected 2",
  ],
  [() => trm.sliceExamples(examples, -1, 1), "sliceExamples: got -1 as the start, expected a whole number from 0"],
];

it.each(laterArguments.map(([call, message]) => [message, call] as const))(
  "a wrong later argument is refused: %s",
  (message, call) => {
    expect(call).toThrow(message);
  },
);

it("a slice of examples that begins after the last one is empty", () => {
  expect(trm.sliceExamples(examples, 3, 9)).toEqual(trm.packExamples([], 2));
});
