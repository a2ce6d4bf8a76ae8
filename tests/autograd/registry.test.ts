// The registry: what it refuses, and that there is no backward rule outside of it.
import { describe, expect, it } from "vitest";
import {
  allOperations,
  constant,
  defineOperation,
  domains,
  GradientError,
  gradients,
  operationNamed,
  parameter,
  sum,
  swigluBlock,
  type Variable,
} from "../../src/autograd/index.ts";
import * as t from "../../src/tensor/index.ts";
import { placeOf, type SourceFile, type SyntaxNode, sourceFiles, walkSyntax } from "../source.ts";
import { valuesOf } from "./examples.ts";

const registered = allOperations().length; // before this file adds operations

const literal = {
  equation: "y = x,  dx = dy",
  domain: () => ({ inputs: [domains.real([2])] as const }),
  shape: ([x]: readonly [t.Shape]) => x,
  forward: ([x]: readonly [t.Tensor]) => t.affine(x, 1),
  backward: (dy: t.Tensor): readonly [t.Tensor | null] => [t.affine(dy, 1)],
};

describe("defineOperation", () => {
  it("refuses an operation without a domain, and does not register it", () => {
    const { domain: _, ...untestable } = literal;
    expect(() => defineOperation({ name: "untested", ...untestable } as never)).toThrow(
      new GradientError('defineOperation: "untested" has no domain, expected one to test its gradient on'),
    );
    expect(allOperations().map(({ name }) => name)).not.toContain("untested");
  });

  it("refuses a name that is taken", () => {
    const tanh = operationNamed("tanh");
    expect(() => defineOperation({ name: "tanh", ...literal })).toThrow(
      new GradientError('defineOperation: the name "tanh" is taken'),
    );
    expect(operationNamed("tanh")).toBe(tanh);
  });

  it("registers the operation under its name, so that the tests of this folder find it", () => {
    defineOperation({ name: "identity", ...literal });
    expect(allOperations().at(-1)).toBe(operationNamed("identity"));
    expect(() => operationNamed("identitty")).toThrow(
      /^operationNamed: got "identitty", expected one of .*negate, exp, .*identity$/,
    );
  });

  it("returns a function of the inputs and the attributes that carries the operation and its name", () => {
    const weighted = defineOperation({
      name: "weighted",
      equation: "y = weight · (a + b),  da = db = weight · dy",
      domain: (draw) => ({
        inputs: [domains.real([2]), domains.real([2])],
        attributes: { weight: draw.oneOf([2, 3]) },
      }),
      shape: ([a]) => a,
      forward: ([a, b], { weight }) => t.scope(() => t.affine(t.add(a, b), weight)),
      backward: (dy, { attributes: { weight } }) => [t.affine(dy, weight), t.affine(dy, weight)],
    });
    expect(weighted.operation).toBe(operationNamed("weighted"));
    expect(weighted.name).toBe("weighted");
    t.scope(() => {
      const [a, b] = [parameter([1, 2]), parameter([3, 5])];
      const y = weighted(a, b, { weight: 3 });
      expect(valuesOf(y.value)).toEqual([12, 21]);
      expect(gradients(sum(y), [a, b]).map(valuesOf)).toEqual([
        [3, 3],
        [3, 3],
      ]);
      // @ts-expect-error The attributes are missing.
      expect(() => weighted(a, b)).toThrow(TypeError);
      // @ts-expect-error One input is missing.
      expect(() => weighted(a, { weight: 3 })).toThrow(TypeError);
      // @ts-expect-error The operation has no attribute of this name.
      weighted(a, b, { weight: 3, height: 4 });
    });
  });

  it("the call path from swigluBlock to its kernel has no frame that only forwards", () => {
    const backend = new t.ReferenceBackend();
    let frames: (string | undefined)[] = [];
    Object.assign(backend.fused, {
      swigluBlock: (out: t.Tensor) => {
        frames = new Error().stack!.split("\n").map((line) => /^ *at (?:Object\.)?(\S+) /.exec(line)?.[1]);
        backend.kernels.fill(out, 0);
      },
    });
    t.scope(
      () => {
        const [h, gateUp, down] = [
          constant([[[1, 2]]]),
          constant([
            [1, 2],
            [3, 4],
          ]),
          constant([[1], [2]]),
        ];
        swigluBlock(h, { gateUp, down });
      },
      { backend },
    );
    expect(frames.slice(2, 5)).toEqual(["forward", "apply", "swigluBlock"]);
  });

  it("every operation carries its equation", () => {
    for (const { name, equation } of allOperations()) expect(equation, name).toMatch(/y(\[.*?\])? = .+ {2}/s);
  });
});

describe("a rule that contradicts its operation", () => {
  let made = 0;
  const define = (own: Partial<typeof literal> & { readonly name?: string }) =>
    defineOperation({ ...literal, name: `wrong${made++}`, ...own });
  const gradientOf = (f: (x: Variable) => Variable) =>
    t.scope(() => {
      const x = parameter([[1, 2, 3]]);
      gradients(sum(f(x)), [x]);
    });

  it("a gradient of the wrong shape is refused, naming operation, input and both shapes", () => {
    expect(() => gradientOf(define({ name: "summed", backward: (dy) => [t.sum(dy)] }))).toThrow(
      new GradientError("summed: its backward rule gave shape [] for input 0, expected [1, 3]"),
    );
    // The right number of elements is not enough.
    expect(() => gradientOf(define({ name: "flat", backward: (dy) => [t.reshape(dy, [3])] }))).toThrow(
      new GradientError("flat: its backward rule gave shape [3] for input 0, expected [1, 3]"),
    );
  });

  it("a missing gradient is refused, naming operation and input", () => {
    expect(() => gradientOf(define({ name: "silent", backward: () => [null] }))).toThrow(
      new GradientError("silent: its backward rule gave no gradient for input 0"),
    );
    const product = defineOperation({
      name: "forgetful",
      equation: "y = a · b,  da = dy · b, db forgotten",
      domain: () => ({ inputs: [domains.real([2]), domains.real([2])] }),
      shape: ([a]) => a,
      forward: ([a, b]) => t.multiply(a, b),
      backward: ((dy: t.Tensor, { inputs: [, b] }: { inputs: readonly t.Tensor[] }) => [t.multiply(dy, b!)]) as never,
    });
    t.scope(() => {
      const [a, b] = [parameter([1, 2]), parameter([3, 4])];
      expect(() => gradients(sum(product(a, b)), [a])).toThrow(
        new GradientError("forgetful: its backward rule gave no gradient for input 1"),
      );
      // A constant needs no gradient.
      const [da] = gradients(sum(product(a, constant([3, 4]))), [a]);
      expect(da!.shape).toEqual([2]);
    });
  });

  it("an output that differs from the shape rule is refused", () => {
    expect(() => gradientOf(define({ name: "surprising", forward: ([x]) => t.sum(x) }))).toThrow(
      new t.ShapeError("surprising: forward gave [], its shape rule says [1, 3]"),
    );
  });
});

// --- No backward rule outside the registry -----------------------------------------------------------------------------

interface Scan {
  /** Number of backward rules that are part of a literal given to defineOperation. */
  readonly rules: number;
  /** Places of all other backward rules, and of tape nodes that are not made in `apply`. */
  readonly strays: readonly string[];
}

const nameOf = (node: unknown): unknown => (node as SyntaxNode | null)?.name;

function scan(files: readonly SourceFile[]): Scan {
  let rules = 0;
  const strays: string[] = [];
  for (const file of files) {
    walkSyntax(file.text, (node, around) => {
      const [parent, grandparent] = around;
      if (node.type === "NewExpression" && nameOf(node.callee) === "TapeNode") {
        const inApply = around.some(({ type, id }) => type === "FunctionDeclaration" && nameOf(id) === "apply");
        if (file.path !== "src/autograd/operation.ts" || !inApply) strays.push(placeOf(file, node));
      } else if (node.type === "AssignmentExpression") {
        const { property } = node.left as SyntaxNode;
        if (nameOf(property) === "backward") strays.push(placeOf(file, node));
      } else {
        const isMember = /^(MethodDefinition|PropertyDefinition)$/.test(node.type);
        const isProperty = node.type === "Property" && parent?.type === "ObjectExpression";
        const key = node.key as SyntaxNode | undefined;
        if (!(isMember || isProperty) || (key?.name ?? key?.value) !== "backward") return;
        const isRegistered =
          isProperty && grandparent?.type === "CallExpression" && nameOf(grandparent.callee) === "defineOperation";
        if (isRegistered) rules++;
        else strays.push(placeOf(file, node));
      }
    });
  }
  return { rules, strays };
}

describe("the search for backward rules outside the registry", () => {
  it("finds none in the source, and as many rules in literals of defineOperation as there are operations", () => {
    expect(scan(sourceFiles())).toEqual({ rules: registered, strays: [] });
  });

  const scanText = (text: string, path = "src/nn/layers.ts"): Scan => scan([{ path, text }]);

  it("finds a rule in any form that bypasses defineOperation", () => {
    const registeredHere = 'export const f = defineOperation({ name: "f", backward: (dy) => [dy] });';
    expect(scanText(registeredHere)).toEqual({ rules: 1, strays: [] });
    const strays = [
      "const op = { backward: (dy) => [dy] };",
      "const op = { 'backward'(dy) { return [dy]; } };",
      "apply({ ...operation, backward: (dy) => [dy] }, inputs, undefined);",
      "class Op { backward(dy: Tensor) { return [dy]; } }",
      "class Op { backward = (dy: Tensor) => [dy]; }",
      "operation.backward = (dy) => [dy];",
      "const y = new Variable(value, new TapeNode(operation), true);",
      'const pretend = (literal) => literal; pretend({ name: "f", backward: (dy) => [dy] });',
    ];
    for (const text of strays) {
      expect(scanText(`${registeredHere}\n${text}`), text).toEqual({ rules: 1, strays: ["src/nn/layers.ts:2"] });
    }
  });

  it("counts a rule in a literal that is never registered", () => {
    const files = [
      ...sourceFiles(),
      { path: "src/nn/own.ts", text: "const never = () => defineOperation({ backward });" },
    ];
    expect(scan(files).rules).toBe(registered + 1);
  });

  it("ignores types, patterns, comments, strings and other names", () => {
    const text = `
      // { backward: (dy) => [dy] }
      interface Operation { backward(dy: Tensor): Tensor[]; }
      type Rule = { backward: () => void };
      const { backward } = operation;
      const text = "backward: (dy) => [dy]";
      const kernels = { siluGateBackward: 1 };
      node.runBackward(dy); operation.backward(dy, context);`;
    expect(scanText(text)).toEqual({ rules: 0, strays: [] });
  });
});
