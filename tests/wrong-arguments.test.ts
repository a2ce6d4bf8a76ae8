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
    ...["expectOneBackend", "expectTensors", "expectTokens", "expectTypeName", "expectWhole"],
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
