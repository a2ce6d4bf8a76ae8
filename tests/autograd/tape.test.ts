// The tape: what is recorded, which uses are refused, and which memory the tape keeps alive.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  add,
  addRmsNorm,
  affine,
  apply,
  broadcastTo,
  checkGradient,
  concat,
  constant,
  crossEntropy,
  exp,
  GradientError,
  gradients,
  linear,
  matmul,
  mean,
  multiply,
  noGrad,
  parameter,
  rmsNorm,
  square,
  sum,
  swigluBlock,
  tanh,
  tapeOf,
  Variable,
} from "../../src/autograd/index.ts";
import { add as addTensors, assign, MemoryError, ReferenceBackend, scope, tensor } from "../../src/tensor/index.ts";
import { valuesOf } from "./examples.ts";

const float64 = (values: Parameters<typeof parameter>[0]): Variable => parameter(values, "float64");
const gradientOf = (output: Variable, variable: Variable): number[] => valuesOf(gradients(output, [variable])[0]!);

/** Runs a body on a new backend, so that its bytes can be counted. */
function counted<T>(body: (backend: ReferenceBackend) => T): T {
  const backend = new ReferenceBackend();
  return scope(() => body(backend), { backend });
}

describe("chains", () => {
  it("differentiates a chain of 200,000 operations", () => {
    scope(() => {
      const x = float64([1, -2]);
      let y: Variable = x;
      for (let i = 0; i < 200_000; i++) y = i % 2 === 0 ? affine(y, 1.5, 0.1) : affine(y, 1 / 1.5);
      expect(gradientOf(sum(y), x)[0]).toBeCloseTo(1, 6);
      x.value.dispose();
    });
  }, 60_000);

  it("differentiates a product of up to 30 factors: d(x^n) = n x^(n-1)", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.double({ min: 0.5, max: 1.5, noNaN: true }), (n, value) => {
        scope(() => {
          const x = new Variable(tensor(value, { dtype: "float64" }), null, true);
          let y: Variable = x;
          for (let i = 1; i < n; i++) y = multiply(y, x);
          const expected = n * value ** (n - 1);
          expect(Math.abs(gradientOf(y, x)[0]! / expected - 1)).toBeLessThan(1e-12);
        });
      }),
    );
  });
});

describe("a value used several times", () => {
  it("a value used twice by one operation gets both gradients: d(x · x) = 2x", () => {
    scope(() => {
      const x = float64([3, -1]);
      expect(gradientOf(sum(multiply(x, x)), x)).toEqual([6, -2]);
    });
  });

  it("a value used at different depths gets the sum of the gradients: d(x + x² + x³)", () => {
    scope(() => {
      const x = float64(2);
      const squared = multiply(x, x);
      expect(gradientOf(add(add(x, squared), multiply(squared, x)), x)).toEqual([1 + 4 + 12]);
    });
  });

  it("the shared node of a diamond runs once, after both branches", () => {
    scope(() => {
      const x = float64(0.5);
      const shared = exp(x);
      const deep = affine(affine(affine(shared, 2), 3), 4);
      expect(gradientOf(add(shared, deep), x)[0]).toBeCloseTo(25 * Math.exp(0.5), 12);
    });
  });

  it("an unused variable gets zeros of its shape", () => {
    scope(() => {
      const [x, unused] = [float64([1, 2]), float64([[1], [2], [3]])];
      const [dx, dunused] = gradients(sum(square(x)), [x, unused]);
      expect(valuesOf(dx!)).toEqual([2, 4]);
      expect([dunused!.shape, dunused!.dtype, valuesOf(dunused!)]).toEqual([[3, 1], "float64", [0, 0, 0]]);
    });
  });

  it("an operation on no path to the output contributes nothing", () => {
    scope(() => {
      const x = float64([1, 2]);
      const other = exp(x);
      expect(gradientOf(sum(square(x)), x)).toEqual([2, 4]);
      expect(gradientOf(sum(other), x)[0]).toBeCloseTo(Math.E, 12);
    });
  });

  it("the gradient of a broadcast value is summed over the repetitions", () => {
    scope(() => {
      const [row, column] = [float64([[1, 2, 3]]), float64([[10], [20]])];
      const [drow, dcolumn] = gradients(sum(multiply(row, column)), [row, column]);
      expect([drow!.shape, valuesOf(drow!)]).toEqual([
        [1, 3],
        [30, 30, 30],
      ]);
      expect([dcolumn!.shape, valuesOf(dcolumn!)]).toEqual([
        [2, 1],
        [6, 6],
      ]);
    });
  });

  it("the gradient of a scalar is summed over all elements, also if there are none", () => {
    scope(() => {
      const [s, x, none] = [
        float64(3),
        float64([
          [1, 2],
          [3, 4],
        ]),
        float64(tensor([], { shape: [0, 2], dtype: "float64" })),
      ];
      expect(gradientOf(sum(multiply(s, x)), s)).toEqual([10]);
      expect(gradientOf(sum(multiply(s, none)), s)).toEqual([0]);
      expect(gradientOf(sum(broadcastTo(s, [2, 5])), s)).toEqual([10]);
    });
  });
});

describe("the variables of gradients()", () => {
  it("gradients exist for intermediate variables, alone or together with their inputs", () => {
    scope(() => {
      const x = float64(2);
      const hidden = square(x);
      const output = affine(square(hidden), 0.5);
      const [dhidden, dx, doutput] = gradients(output, [hidden, x, output]);
      expect(valuesOf(dhidden!)).toEqual([4]);
      expect(valuesOf(dx!)).toEqual([16]);
      expect(valuesOf(doutput!)).toEqual([1]);
    });
  });

  it("a variable given twice gets its gradient twice", () => {
    scope(() => {
      const x = float64(2);
      expect(gradients(square(x), [x, x]).map(valuesOf)).toEqual([[4], [4]]);
    });
  });

  it("an output that is a leaf has the seed as its gradient", () => {
    scope(() => {
      const x = float64([1, 2]);
      const seed = tensor([5, 6], { dtype: "float64" });
      expect(valuesOf(gradients(x, [x], seed)[0]!)).toEqual([5, 6]);
    });
  });

  it("the output must be a scalar or come with a seed of its shape", () => {
    scope(() => {
      const x = float64([1, 2]);
      expect(() => gradients(square(x), [x])).toThrow(
        new GradientError("gradients: got an output of shape [2], expected a scalar or a seed"),
      );
      expect(() => gradients(square(x), [x], tensor([1], { dtype: "float64" }))).toThrow(
        new GradientError("gradients: got a seed of shape [1], expected [2]"),
      );
    });
  });

  it("a constant is refused, because its gradient would silently be zero", () => {
    scope(() => {
      const [x, c] = [float64([1, 2]), constant([3, 4], "float64")];
      expect(() => gradients(sum(multiply(x, c)), [x, c])).toThrow(
        new GradientError(
          "gradients: variable 1 of shape [2] is a constant, expected a parameter or something computed from one",
        ),
      );
    });
  });
});

describe("rules that return dy itself", () => {
  const passOn = {
    name: "passOn",
    equation: "y = a + b,  da = dy, db = dy",
    domain: () => ({ inputs: [] }),
    shape: ([a]: readonly (readonly number[])[]) => a!,
    saves: { inputs: [], output: false },
  };

  it("dy may be the gradient of every input", () => {
    scope(() => {
      const sumOf = (a: Variable, b: Variable): Variable =>
        apply({ ...passOn, forward: ([p, q]) => addTensors(p!, q!), backward: (dy) => [dy, dy] }, [a, b], undefined);
      const [x, z] = [float64([1, 2]), float64([3, 4])];
      const inner = sumOf(square(x), z);
      const [dx, dz, dinner] = gradients(sum(multiply(sumOf(inner, inner), inner)), [x, z, inner]);
      expect(valuesOf(dinner!)).toEqual([16, 32]); // d(2 s²) = 4 s, s = x² + z = [4, 8]
      expect(valuesOf(dx!)).toEqual([32, 128]);
      expect(valuesOf(dz!)).toEqual([16, 32]);
    });
  });
});

describe("misuse of a tape", () => {
  it("a second backward pass over the same tape is refused", () => {
    scope(() => {
      const x = float64(2);
      const y = square(x);
      gradients(y, [x]);
      expect(() => gradients(y, [x])).toThrow(
        new GradientError("square: its tape was used already, expected one backward pass per forward pass"),
      );
    });
  });

  it("a second backward pass is refused even if the tapes share only a part", () => {
    scope(() => {
      const x = float64(2);
      const shared = exp(x);
      gradients(square(shared), [x]);
      expect(() => gradients(affine(shared, 2), [x])).toThrow("exp: its tape was used already");
    });
  });

  it("an input that was changed in place before the backward pass is refused", () => {
    scope(() => {
      const x = float64([1, 2]);
      const y = sum(square(x));
      assign(x.value, [5, 6]);
      expect(() => gradients(y, [x])).toThrow(
        new GradientError("square: a tensor that its backward rule reads was changed in place (version 2, expected 1)"),
      );
    });
  });

  it("an output that was changed in place is refused if the rule reads it", () => {
    scope(() => {
      const x = float64([1, 2]);
      const y = tanh(x);
      const z = sum(y);
      assign(y.value, [0, 0]);
      expect(() => gradients(z, [x])).toThrow("tanh: a tensor that its backward rule reads was changed in place");
    });
  });

  it("an input that the rule does not read may be changed in place", () => {
    scope(() => {
      const x = float64([1, 2]);
      const y = sum(affine(x, 3));
      assign(x.value, [5, 6]);
      expect(gradientOf(y, x)).toEqual([3, 3]);
    });
  });

  it("an input may be disposed before the backward pass", () => {
    scope(() => {
      const x = float64([1, 2]);
      const y = sum(square(x));
      x.value.dispose();
      expect(valuesOf(gradients(y, [y])[0]!)).toEqual([1]);
    });
  });
});

describe("off the tape", () => {
  it("noGrad records nothing", () => {
    scope(() => {
      const x = float64([1, 2]);
      const y = noGrad(() => square(x));
      expect([y.node, y.requiresGradient, valuesOf(y.value)]).toEqual([null, false, [1, 4]]);
      expect(square(x).requiresGradient).toBe(true);
    });
  });

  it("recording resumes after the body of noGrad throws", () => {
    scope(() => {
      const x = float64(1);
      expect(() =>
        noGrad(() => {
          throw new Error("stop");
        }),
      ).toThrow("stop");
      expect(square(x).requiresGradient).toBe(true);
    });
  });

  it("noGrad refuses an asynchronous body", () => {
    expect(() => noGrad(async () => 1)).toThrow("expected a synchronous body");
  });

  it("detach passes the value on and stops the gradient", () => {
    scope(() => {
      const x = float64([2, 3]);
      const y = sum(multiply(square(x).detach(), x)); // x² taken as a constant
      expect(gradientOf(y, x)).toEqual([4, 9]);
    });
  });

  it("operations on constants leave no tape", () => {
    scope(() => expect(multiply(constant([1, 2]), constant([3, 4])).node).toBeNull());
  });
});

describe("tapeOf", () => {
  it("lists the operations in the order in which they ran, as plain data", () => {
    scope(() => {
      const [w, x] = [float64([[1, 2]]), constant([[3], [4]], "float64")];
      const y = sum(tanh(matmul(w, x)));
      const tape = tapeOf(y);
      expect(JSON.parse(JSON.stringify(tape))).toEqual([
        {
          index: 0,
          operation: "matmul",
          name: null,
          shape: [1, 1],
          inputs: ["leaf", null],
          inputNames: [null, null],
          attributes: { transposeA: false, transposeB: false },
          inputShapes: [
            [1, 2],
            [2, 1],
          ],
        },
        {
          index: 1,
          operation: "tanh",
          name: null,
          shape: [1, 1],
          inputs: [0],
          inputNames: [null],
          inputShapes: [[1, 1]],
        },
        {
          index: 2,
          attributes: { axes: [0, 1], keepAxes: false },
          operation: "sum",
          name: null,
          shape: [],
          inputs: [1],
          inputNames: [null],
          inputShapes: [[1, 1]],
        },
      ]);
    });
  });

  it("lists a shared operation once, and merges the tapes of several variables", () => {
    scope(() => {
      const x = float64([1, 2]);
      const shared = exp(x);
      const [a, b] = [square(shared), concat([shared, shared], 0)];
      expect(tapeOf(a, b).map((entry) => [entry.operation, entry.inputs])).toEqual([
        ["exp", ["leaf"]],
        ...[
          ["square", [0]],
          ["concat", [0, 0]],
        ].sort(),
      ]);
      expect(tapeOf(x)).toEqual([]);
    });
  });

  it("lists inputs before the operations that use them", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 40 }), (picks) => {
        scope(() => {
          const made: Variable[] = [new Variable(tensor([1], { dtype: "float64" }), null, true)];
          for (const [i, j] of picks) made.push(add(made[i % made.length]!, made[j % made.length]!));
          for (const { index, inputs } of tapeOf(made.at(-1)!)) {
            for (const input of inputs) if (typeof input === "number") expect(input).toBeLessThan(index);
          }
        });
      }),
    );
  });
});

describe("memory", () => {
  /** Saves every kind of tensor: inputs, outputs, and tensors that a forward rule makes only for its backward rule. */
  const network = (x: Variable, w: Variable): Variable => {
    const h = addRmsNorm(x, tanh(linear(x, w)));
    const block = swigluBlock(h, { gateUp: concat([w, w], 0), down: w });
    return sum(multiply(rmsNorm(block), block));
  };
  const parameters = (): [Variable, Variable] => {
    const numbers = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i));
    return [parameter(tensor(numbers(12), { shape: [1, 3, 4] })), parameter(tensor(numbers(16), { shape: [4, 4] }))];
  };

  it("a backward pass releases everything", () => {
    counted((backend) => {
      const [x, w] = parameters();
      const before = backend.memory().liveBytes;
      for (let i = 0; i < 3; i++) {
        scope(() => {
          for (const gradient of gradients(network(x, w), [x, w])) gradient.dispose();
        });
        expect(backend.memory().liveBytes).toBe(before);
      }
    });
  });

  it("a tape without a backward pass leaks nothing", () => {
    counted((backend) => {
      const [x, w] = parameters();
      const before = backend.memory().liveBytes;
      scope(() => void network(x, w));
      expect(backend.memory().liveBytes).toBe(before);
    });
  });

  it("noGrad leaks nothing", () => {
    counted((backend) => {
      const [x, w] = parameters();
      const before = backend.memory().liveBytes;
      scope(() => noGrad(() => void network(x, w)));
      expect(backend.memory().liveBytes).toBe(before);
    });
  });

  it("a backward pass releases the memory of the tape at once, before the scope ends", () => {
    counted((backend) => {
      const [x, w] = parameters();
      scope(() => {
        const output = scope(() => network(x, w));
        const withTape = backend.memory().liveBytes;
        gradients(output, [x, w]);
        expect(backend.memory().liveBytes).toBeLessThan(withTape);
      });
    });
  });

  it("a tape whose backward rule fails is released when the scope ends", () => {
    counted((backend) => {
      const [x, w] = parameters();
      const before = backend.memory().liveBytes;
      expect(() =>
        scope(() => {
          const y = network(x, w);
          assign(w.value, new Array(16).fill(1));
          gradients(y, [x, w]);
        }),
      ).toThrow(GradientError);
      expect(backend.memory().liveBytes).toBe(before);
    });
  });

  it("a Variable that is returned through several scopes keeps its tape", () => {
    counted((backend) => {
      const [x, w] = parameters();
      const before = backend.memory().liveBytes;
      const direct = scope(() => gradients(network(x, w), [x, w]).map(valuesOf));
      const nested = scope(() => {
        const { loss } = scope(() => ({ loss: scope(() => scope(() => [network(x, w)])[0]!) }));
        return gradients(loss, [x, w]).map(valuesOf);
      });
      expect(nested).toEqual(direct);
      expect(backend.memory().liveBytes).toBe(before);
    });
  });

  it("gradients belong to the enclosing scope", () => {
    const [x, w] = counted(parameters);
    const escaped = scope(() => gradients(network(x, w), [w])[0]!);
    scope(() => {
      const [own] = gradients(network(x, w), [w]);
      return own!.shape;
    });
    expect(escaped.isDisposed).toBe(false);
    escaped.dispose();
    expect(() => escaped.storage).toThrow(MemoryError);
  });

  it("live and reserved bytes are steady over many steps", () => {
    counted((backend) => {
      const [x, w] = parameters();
      const step = (): void => scope(() => void gradients(network(x, w), [x, w]));
      for (let i = 0; i < 3; i++) step();
      const steady = backend.memory();
      for (let i = 0; i < 50; i++) step();
      expect(backend.memory()).toEqual(steady);
    });
  });
});

describe("checkGradient on functions of several operations", () => {
  const reals = (shape: number[]) => ({
    shape,
    values: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1 + 2.3 * i)),
  });

  it("the check accepts a small network", () => {
    checkGradient(
      "network",
      (x, w, labels) => mean(crossEntropy(linear(tanh(addRmsNorm(x, linear(x, w))), w), labels)),
      [reals([2, 3, 4]), reals([4, 4]), { shape: [2, 3], values: [0, 1, 2, 3, -1, 0], dtype: "int32" }],
    );
  });

  it("the error names the function, the input, what was received and what was expected", () => {
    const wrong = (x: Variable): Variable => sum(multiply(x, square(x).detach())); // the tape misses x²
    expect(() => checkGradient("cube", wrong, [{ shape: [1], values: [2] }])).toThrow(
      "cube: gradient of input 0 [1] at [0], where x = 2: got 4, expected 12; it is 0.3333 times the expected gradient everywhere (relative error 6.7e-1, tolerance 0.000001); inputs: [2]; dy: [1]",
    );
  });

  it("the check refuses inputs that are all fixed", () => {
    expect(() => checkGradient("nothing", (x) => x, [{ shape: [2], values: [1, 2], fixed: true }])).toThrow(
      new GradientError("nothing: got no input to differentiate, expected at least one"),
    );
  });
});

describe("the gradients of a sweep", () => {
  it("share no memory with each other or with the seed", () => {
    scope(() => {
      const [a, b] = [float64([1, 2]), float64([3, 4])];
      const seed = tensor([5, 6], { dtype: "float64" });
      const results = gradients(add(a, add(a, b)), [a, b], seed);
      for (const [i, result] of results.entries()) assign(result, [i, i]);
      expect(results.map(valuesOf)).toEqual([
        [0, 0],
        [1, 1],
      ]);
      expect(valuesOf(seed)).toEqual([5, 6]);
    });
  });

  it("are independent tensors even if the rule passes dy on to several inputs", () => {
    scope(() => {
      const [a, b] = [float64([1, 2]), float64([3, 4])];
      const seed = tensor([5, 6], { dtype: "float64" });
      const [da, db] = gradients(add(a, b), [a, b], seed);
      assign(da!, [0, 0]);
      expect(valuesOf(db!)).toEqual([5, 6]);
      assign(db!, [1, 1]);
      expect(valuesOf(seed)).toEqual([5, 6]);
    });
  });
});
