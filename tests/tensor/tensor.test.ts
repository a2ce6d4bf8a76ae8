// Creating tensors, reading them back, and the errors for wrong arguments.
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assign,
  BackendError,
  DTypeError,
  empty,
  emptyLike,
  full,
  MemoryError,
  type Nested,
  ReferenceBackend,
  ShapeError,
  scope,
  tensor,
  zeros,
} from "../../src/tensor/index.ts";
import { anyShapes, at, build, indicesOf, valuesOf } from "./naive.ts";

/** The nested arrays of a tensor. */
const nest = (shape: readonly number[], f: (index: number[]) => number, prefix: number[] = []): Nested =>
  prefix.length === shape.length
    ? f(prefix)
    : Array.from({ length: shape[prefix.length]! }, (_, i) => nest(shape, f, [...prefix, i]));

describe("tensor()", () => {
  it("nested arrays give the shape and the numbers", () => {
    fc.assert(
      fc.property(anyShapes(), (shape) => {
        // An axis after an empty one cannot be seen in nested arrays.
        const firstEmpty = shape.indexOf(0);
        const visible = firstEmpty < 0 ? shape : shape.slice(0, firstEmpty + 1);
        const value = (index: number[]): number => index.reduce((sum, i) => 10 * sum + i, 1);
        scope(() => {
          const made = tensor(nest(shape, value));
          expect([made.shape, made.dtype]).toEqual([visible, "float32"]);
          expect(valuesOf(made)).toEqual(indicesOf(visible).map(value));
        });
      }),
    );
  });

  it("a flat list can be given a shape", () => {
    scope(() => {
      const made = tensor([1, 2, 3, 4, 5, 6], { shape: [2, 3] });
      expect(at({ shape: made.shape, values: valuesOf(made) }, [1, 0])).toBe(4);
      expect(tensor(3).shape).toEqual([]);
      expect(tensor([]).shape).toEqual([0]);
      expect(tensor([[], []]).shape).toEqual([2, 0]);
      expect(tensor([], { shape: [0, 4] }).shape).toEqual([0, 4]);
    });
  });

  it("a typed array gives the element type, unless another is requested", () => {
    scope(() => {
      expect(tensor(new Float64Array([1])).dtype).toBe("float64");
      expect(tensor(new Int32Array([1])).dtype).toBe("int32");
      expect(tensor(runInNewContext("new Float64Array([1])")).dtype).toBe("float64"); // of another realm
      expect(tensor(runInNewContext("new Int32Array([1])")).dtype).toBe("int32");
      expect(tensor(new Float32Array([1])).dtype).toBe("float32");
      expect(tensor(new Uint8Array([1])).dtype).toBe("float32");
      expect(valuesOf(tensor(new Float64Array([1.7, -1.7]), { dtype: "int32" }))).toEqual([1, -1]);
    });
  });

  it.each([
    [[[1, 2], [3]], "got shape [2] at [0] and [1] at [1]"],
    [[[1, 2], 3], "got shape [2] at [0] and [] at [1]"],
    [[1, [2]], "got shape [] at [0] and [1] at [1]"],
    [[[[1]], [[1, 2]]], "got shape [1, 1] at [0] and [1, 2] at [1]"],
    [
      [
        [[1], [2]],
        [[1], [2, 3]],
      ],
      "got shape [1] at [1, 0] and [2] at [1, 1]",
    ],
  ] as [Nested, string][])("the ragged arrays %j are refused with their shapes and positions", (values, message) => {
    const error = new ShapeError(`tensor: uneven nesting, ${message}, expected equal shapes`);
    expect(() => tensor(values)).toThrow(error);
    expect(() => tensor(values, { shape: [3] })).toThrow(error);
  });

  it.each([
    [[1, undefined], "got undefined at [1], expected a number or an array"],
    [[1].concat(new Array(1), 3), "got undefined at [1], expected a number or an array"],
    [
      [
        [1, 2],
        [3, null],
      ],
      "got null at [1, 1], expected a number or an array",
    ],
    [["1", 2], 'got the string "1" at [0], expected a number or an array'],
    [[1n], "got the BigInt 1n at [0], expected a number or an array"],
    [[true], "got true at [0], expected a number or an array"],
    [[{}], "got an object of type Object at [0], expected a number or an array"],
    [[Float32Array.of(1)], "got an object of type Float32Array at [0], expected a number or an array"],
    ["12", 'got the string "12", expected a number, nested arrays of numbers or a typed array'],
    [undefined, "got undefined, expected a number, nested arrays of numbers or a typed array"],
    [7n, "got the BigInt 7n, expected a number, nested arrays of numbers or a typed array"],
    [BigInt64Array.of(1n), "got the BigInt 1n at position 0, expected a number"],
    [{ length: 2, 0: 1 }, "got undefined at position 1, expected a number"],
    [new Map(), "got an object of type Map, expected a number, nested arrays of numbers or a typed array"],
  ])("values that are not numbers are refused with their position: case %#", (values, message) => {
    expect(() => tensor(values as unknown as Nested)).toThrow(new DTypeError(`tensor: ${message}`));
  });

  it.each([2 ** 31, -(2 ** 31) - 1, 1e20, Number.NaN, Number.POSITIVE_INFINITY])(
    "int32 refuses %d instead of wrapping it",
    (value) => {
      const message = (operation: string, position: number): string =>
        `${operation}: got ${value} at position ${position}, expected -2147483648 to 2147483647 for int32`;
      expect(() => tensor([0, value], { dtype: "int32" })).toThrow(new DTypeError(message("tensor", 1)));
      expect(() => tensor([Float64Array.of(value)[0]!], { dtype: "int32" })).toThrow(DTypeError);
      expect(() => tensor(Float64Array.of(value), { dtype: "int32" })).toThrow(new DTypeError(message("tensor", 0)));
      expect(() => full([2], value, "int32")).toThrow(new DTypeError(message("full", 0)));
      scope(() => {
        const x = zeros([2], "int32");
        expect(() => assign(x, [0, value])).toThrow(new DTypeError(message("assign", 1)));
        expect(valuesOf(x)).toEqual([0, 0]);
      });
    },
  );

  it("int32 holds every number of its range, and cuts off fractions", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -2147483648, max: 2147483647, noNaN: true })), (values) => {
        scope(() => {
          const expected = values.map((value) => Math.trunc(value) + 0);
          expect(valuesOf(tensor(values, { dtype: "int32" }))).toEqual(expected);
        });
      }),
    );
    scope(() => {
      const ends = [-2147483648, -2147483648.9, 2147483647, 2147483647.9, 1.7, -1.7];
      const expected = [-2147483648, -2147483648, 2147483647, 2147483647, 1, -1];
      expect(valuesOf(tensor(ends, { dtype: "int32" }))).toEqual(expected);
    });
  });

  it("a wrong count is refused", () => {
    expect(() => tensor([1, 2, 3], { shape: [2, 2] })).toThrow(
      new ShapeError("tensor: got 3 values, expected 4 for shape [2, 2]"),
    );
  });

  it("an impossible shape is refused by every function that takes one", () => {
    expect(() => zeros([2, -1])).toThrow(
      new ShapeError("zeros: got shape [2, -1], expected whole lengths of 0 or more"),
    );
    expect(() => empty([1.5])).toThrow("empty: got shape [1.5]");
    expect(() => full([Number.NaN], 1)).toThrow("full: got shape [NaN]");
    expect(() => tensor([1], { shape: [-1] })).toThrow("tensor: got shape [-1]");
    expect(() => scope(() => zeros([6]).view([-2, -3]))).toThrow("view: got shape [-2, -3]");
    expect(() => zeros(3 as never)).toThrow(
      new ShapeError("zeros: got 3 as the shape, expected an array such as [2, 3]"),
    );
  });

  it("a wrong element type or backend is refused, also in each other's place", () => {
    const backend = new ReferenceBackend();
    const types = "expected one of float32, float64, int32";
    expect(() => zeros([], "float16" as never)).toThrow(
      new DTypeError(`zeros: got the string "float16" as the element type, ${types}`),
    );
    expect(() => zeros([2], backend as never)).toThrow(
      new DTypeError(`zeros: got an object of type ReferenceBackend as the element type, ${types}`),
    );
    expect(() => full([2], 1, null as never)).toThrow(new DTypeError(`full: got null as the element type, ${types}`));
    expect(() => tensor([1], { dtype: "toString" as never })).toThrow(DTypeError);
    expect(() => full([2], "1" as never)).toThrow(
      new DTypeError('full: got the string "1" at position 0, expected a number'),
    );
    expect(() => zeros([2], "float32", "wasm" as never)).toThrow(
      new BackendError('zeros: got the string "wasm" as the backend, expected a Backend object (see useBackend)'),
    );
    expect(() => tensor([1], { backend: {} as never })).toThrow(BackendError);
    expect(backend.memory().liveBytes).toBe(0);
  });

  it("more memory than exists is refused with the number of bytes", () => {
    expect(() => empty([2 ** 40, 4])).toThrow(MemoryError);
    expect(() => empty([2 ** 40, 4])).toThrow("reference: cannot allocate 17592186044416 bytes");
  });

  it("full and zeros repeat one number, in any shape and type", () => {
    scope(() => {
      expect(valuesOf(full([2, 2], 1.5, "float64"))).toEqual([1.5, 1.5, 1.5, 1.5]);
      expect(valuesOf(zeros([3], "int32"))).toEqual([0, 0, 0]);
      expect(valuesOf(full([], 7))).toEqual([7]);
      expect(valuesOf(zeros([0, 3]))).toEqual([]);
    });
  });

  it("zeros are zeros even in memory that was used before", () => {
    scope(
      () => {
        full([8], 3).dispose();
        expect(valuesOf(zeros([8]))).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
      },
      { backend: new ReferenceBackend() },
    );
  });
});

describe("reading back", () => {
  it("data() returns a copy", async () => {
    const t = tensor([[1, 2]]);
    const data = await t.data();
    data[0] = 9;
    expect(await t.data()).toEqual(new Float32Array([1, 2]));
    t.dispose();
  });

  it("item() returns the number of a tensor of one element", async () => {
    const [one, two] = [tensor([[4]]), tensor([1, 2])];
    expect(await one.item()).toBe(4);
    await expect(two.item()).rejects.toThrow(new ShapeError("item: got shape [2], expected one element"));
    one.dispose();
    two.dispose();
  });

  it("toString() gives shape, element type, backend and the first numbers", () => {
    scope(() => {
      expect(`${tensor([[1, 2]])}`).toBe("Tensor [1, 2] float32 on reference: 1, 2");
      expect(`${tensor([12345.678])}`).toBe("Tensor [1] float32 on reference: 12350");
      expect(`${tensor(Int32Array.of(12345))}`).toBe("Tensor [1] int32 on reference: 12345");
    });
  });
});

describe("views", () => {
  it("views share numbers and memory, and need the same size", () => {
    scope(() => {
      const t = tensor([1, 2, 3, 4, 5, 6]);
      const view = t.view([2, 3]);
      t.storage.write([6, 5, 4, 3, 2, 1]);
      expect(valuesOf(view)).toEqual([6, 5, 4, 3, 2, 1]);
      expect(() => t.view([2, 2])).toThrow(new ShapeError("view: cannot view [6] (6 elements) as [2, 2]"));
    });
  });

  it("a tensor keeps its shape when the caller changes the array that gave it", () => {
    scope(() => {
      const shape = [2, 3];
      const made = [zeros(shape), empty(shape), full(shape, 1), tensor([1, 2, 3, 4, 5, 6], { shape })];
      const view = made[0]!.view(shape);
      shape[0] = 7;
      for (const each of [...made, view]) expect(each.shape).toEqual([2, 3]);
    });
  });

  it("memory lives until its last handle is disposed", () => {
    const t = tensor([1, 2]);
    const view = t.view([2, 1]);
    t.dispose();
    expect(valuesOf(view)).toEqual([1, 2]);
    view.dispose();
    expect(() => view.storage).toThrow(MemoryError);
  });
});

describe("errors", () => {
  it("each kind of error has its own class and name", () => {
    expect([ShapeError, DTypeError, MemoryError].map((E) => new E("x").name)).toEqual([
      "ShapeError",
      "DTypeError",
      "MemoryError",
    ]);
    expect(new ShapeError("x")).toBeInstanceOf(Error);
    expect(build([2], ([i]) => i!).values).toEqual([0, 1]);
  });
});

it("emptyLike refuses an unknown element type before it takes memory", () => {
  const backend = new ReferenceBackend();
  scope(
    () => {
      const x = tensor([1, 2]);
      const before = backend.memory();
      expect(() => emptyLike(x, [2], "bfloat16" as "float32")).toThrow(DTypeError);
      expect(backend.memory()).toEqual(before);
    },
    { backend },
  );
});
