// The registry: what it refuses, and that no backward rule exists outside it.
import { describe, expect, it } from "vitest";
import {
  allOperations,
  constant,
  defineOperation,
  GradientError,
  gradients,
  operationNamed,
  parameter,
  real,
  sum,
  type Variable,
} from "../../src/autograd/index.ts";
import * as t from "../../src/tensor/index.ts";
import { placeOf, type SourceFile, type SyntaxNode, sourceFiles, walkSyntax } from "../source.ts";

const registered = allOperations().length; // before this file adds operations of its own

const literal = {
  equation: "y = x,  dx = dy",
  domain: () => ({ inputs: [real([2])], attributes: undefined }),
  shape: ([x]: readonly [t.Shape]) => x,
  forward: ([x]: readonly [t.Tensor]) => t.affine(x, 1),
  backward: (dy: t.Tensor) => [t.affine(dy, 1)] as const,
};

describe("defineOperation", () => {
  it("refuses an operation without a domain, and registers nothing", () => {
    const { domain: _, ...untestable } = literal;
    expect(() => defineOperation<1, undefined>({ name: "untested", ...untestable } as never)).toThrow(
      new GradientError('defineOperation: "untested" has no domain, expected one to test its gradient on'),
    );
    expect(allOperations().map(({ name }) => name)).not.toContain("untested");
  });

  it("refuses a name that is taken", () => {
    const tanh = operationNamed("tanh");
    expect(() => defineOperation<1, undefined>({ name: "tanh", ...literal })).toThrow(
      new GradientError('defineOperation: the name "tanh" is taken'),
    );
    expect(operationNamed("tanh")).toBe(tanh);
  });

  it("registers under its name, so that the tests of this folder find it", () => {
    defineOperation<1, undefined>({ name: "identity", ...literal });
    expect(allOperations().at(-1)).toBe(operationNamed("identity"));
    expect(() => operationNamed("identitty")).toThrow(
      /^operation: got "identitty", expected one of negate, exp, .*identity$/,
    );
  });

  it("every operation carries its equation", () => {
    for (const { name, equation } of allOperations()) expect(equation, name).toMatch(/y(\[.*?\])? = .+ {2}/s);
  });
});

describe("a rule that does not do what it says", () => {
  let made = 0;
  const define = (own: Partial<Parameters<typeof defineOperation<1, undefined>>[0]>) => {
    const operation = defineOperation<1, undefined>({ ...literal, name: `wrong${made++}`, ...own });
    return (x: Variable): Variable => operation([x], undefined);
  };
  const gradientOf = (f: (x: Variable) => Variable) =>
    t.scope(() => {
      const x = parameter([[1, 2, 3]]);
      gradients(sum(f(x)), [x]);
    });

  it("a gradient of the wrong shape is refused, naming operation, input and both shapes", () => {
    expect(() => gradientOf(define({ name: "summed", backward: (dy) => [t.sum(dy)] }))).toThrow(
      new GradientError("summed: its backward rule gave shape [] for input 0, expected [1, 3]"),
    );
    // Of the same size is not enough.
    expect(() => gradientOf(define({ name: "flat", backward: (dy) => [t.reshape(dy, [3])] }))).toThrow(
      new GradientError("flat: its backward rule gave shape [3] for input 0, expected [1, 3]"),
    );
  });

  it("a missing gradient is refused, naming operation and input", () => {
    expect(() => gradientOf(define({ name: "silent", backward: () => [null] }))).toThrow(
      new GradientError("silent: its backward rule gave no gradient for input 0"),
    );
    const product = defineOperation<2, undefined>({
      name: "forgetful",
      equation: "y = a · b,  da = dy · b, db forgotten",
      domain: () => ({ inputs: [real([2]), real([2])], attributes: undefined }),
      shape: ([a]) => a,
      forward: ([a, b]) => t.multiply(a, b),
      backward: ((dy: t.Tensor, { inputs: [, b] }: { inputs: readonly t.Tensor[] }) => [t.multiply(dy, b!)]) as never,
    });
    t.scope(() => {
      const [a, b] = [parameter([1, 2]), parameter([3, 4])];
      expect(() => gradients(sum(product([a, b], undefined)), [a])).toThrow(
        new GradientError("forgetful: its backward rule gave no gradient for input 1"),
      );
      // For a constant none is needed.
      const [da] = gradients(sum(product([a, constant([3, 4])], undefined)), [a]);
      expect(da!.shape).toEqual([2]);
    });
  });

  it("an output that the shape rule did not announce is refused", () => {
    expect(() => gradientOf(define({ name: "surprising", forward: ([x]) => t.sum(x) }))).toThrow(
      new t.ShapeError("surprising: forward gave [], its shape rule says [1, 3]"),
    );
  });
});

// --- No backward rule outside the registry -----------------------------------------------------------------------------

interface Scan {
  /** Backward rules that are part of a literal given to defineOperation. */
  readonly rules: number;
  /** Places of all others, and of tape nodes made elsewhere than in `apply`. */
  readonly strays: readonly string[];
}

const nameOf = (node: unknown): unknown => (node as SyntaxNode | null)?.name;

/** defineOperation, and functions of the file that hand their literal straight on to it. */
function registrars({ text }: SourceFile): Set<unknown> {
  const found = new Set<unknown>(["defineOperation"]);
  walkSyntax(text, (node, around) => {
    if (node.type !== "CallExpression" || nameOf(node.callee) !== "defineOperation") return;
    const given = nameOf((node.arguments as SyntaxNode[])[0]);
    const wrapper = around.find(({ type }) => type === "ArrowFunctionExpression" || type === "FunctionDeclaration");
    if (given !== undefined && (wrapper?.params as SyntaxNode[] | undefined)?.some((own) => nameOf(own) === given)) {
      found.add(nameOf(wrapper!.id ?? around[around.indexOf(wrapper!) + 1]!.id));
    }
  });
  return found;
}

function scan(files: readonly SourceFile[]): Scan {
  let rules = 0;
  const strays: string[] = [];
  for (const file of files) {
    const allowed = registrars(file);
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
          isProperty && grandparent?.type === "CallExpression" && allowed.has(nameOf(grandparent.callee));
        if (isRegistered) rules++;
        else strays.push(placeOf(file, node));
      }
    });
  }
  return { rules, strays };
}

describe("backward rules outside the registry", () => {
  it("do not exist: the source holds as many rules as the registry, all in literals given to defineOperation", () => {
    expect(scan(sourceFiles())).toEqual({ rules: registered, strays: [] });
  });

  const scanText = (text: string, path = "src/nn/layers.ts"): Scan => scan([{ path, text }]);

  it("would be found", () => {
    const registeredHere = 'export const f = defineOperation<1, undefined>({ name: "f", backward: (dy) => [dy] });';
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

  it("would be counted when it is in a literal that is never registered", () => {
    const files = [
      ...sourceFiles(),
      { path: "src/nn/own.ts", text: "const never = () => defineOperation({ backward });" },
    ];
    expect(scan(files).rules).toBe(registered + 1);
  });

  it("are not seen where there is none: types, patterns, comments, strings, other names", () => {
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

  it("knows functions that hand a literal on to defineOperation", () => {
    const text = `
      const one = (literal: Literal) => { const operation = defineOperation(literal); return (x) => operation([x]); };
      export const f = one({ backward: (dy) => [dy] });`;
    expect(scanText(text)).toEqual({ rules: 1, strays: [] });
  });
});
