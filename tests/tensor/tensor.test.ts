// Making tensors, reading them back, and what is refused.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  DTypeError,
  empty,
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
  it("nested arrays give shape and numbers", () => {
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

  it("a flat list takes a shape", () => {
    scope(() => {
      const made = tensor([1, 2, 3, 4, 5, 6], { shape: [2, 3] });
      expect(at({ shape: made.shape, values: valuesOf(made) }, [1, 0])).toBe(4);
      expect(tensor(3).shape).toEqual([]);
      expect(tensor([]).shape).toEqual([0]);
      expect(tensor([[], []]).shape).toEqual([2, 0]);
      expect(tensor([], { shape: [0, 4] }).shape).toEqual([0, 4]);
    });
  });

  it("the type of typed arrays carries over, unless another is asked for", () => {
    scope(() => {
      expect(tensor(new Float64Array([1])).dtype).toBe("float64");
      expect(tensor(new Int32Array([1])).dtype).toBe("int32");
      expect(tensor(new Float32Array([1])).dtype).toBe("float32");
      expect(tensor(new Uint8Array([1])).dtype).toBe("float32");
      expect(valuesOf(tensor(new Float64Array([1.7, -1.7]), { dtype: "int32" }))).toEqual([1, -1]);
    });
  });

  it.each([
    [[[1, 2], [3]], "tensor: uneven nesting, got rows of shape [2] and [1]"],
    [[[1, 2], 3], "tensor: uneven nesting, got rows of shape [2] and []"],
    [[1, [2]], "tensor: uneven nesting, got rows of shape [] and [1]"],
    [[[[1]], [[1, 2]]], "tensor: uneven nesting, got rows of shape [1, 1] and [1, 2]"],
  ] as [Nested, string][])("%j: %s", (values, message) => {
    expect(() => tensor(values)).toThrow(new ShapeError(message));
    expect(() => tensor(values, { shape: [3] })).toThrow(new ShapeError(message));
  });

  it("refuses a wrong count and impossible shapes", () => {
    expect(() => tensor([1, 2, 3], { shape: [2, 2] })).toThrow(
      new ShapeError("tensor: got 3 values, expected 4 for shape [2, 2]"),
    );
    expect(() => zeros([2, -1])).toThrow(
      new ShapeError("tensor: got shape [2, -1], expected whole lengths of 0 or more"),
    );
    expect(() => zeros([1.5])).toThrow("tensor: got shape [1.5]");
    expect(() => full([Number.NaN], 1)).toThrow("tensor: got shape [NaN]");
  });

  it("refuses more memory than there is, with the number of bytes", () => {
    expect(() => empty([2 ** 40, 4])).toThrow(MemoryError);
    expect(() => empty([2 ** 40, 4])).toThrow("reference: cannot allocate 17592186044416 bytes");
  });

  it("full and zeros", () => {
    scope(() => {
      expect(valuesOf(full([2, 2], 1.5, "float64"))).toEqual([1.5, 1.5, 1.5, 1.5]);
      expect(valuesOf(zeros([3], "int32"))).toEqual([0, 0, 0]);
      expect(valuesOf(full([], 7))).toEqual([7]);
      expect(valuesOf(zeros([0, 3]))).toEqual([]);
    });
  });

  it("zeros are zeros in memory that was used before", () => {
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
  it("data() is a copy", async () => {
    const t = tensor([[1, 2]]);
    const data = await t.data();
    data[0] = 9;
    expect(await t.data()).toEqual(new Float32Array([1, 2]));
    t.dispose();
  });

  it("item() is the number of a tensor of one element", async () => {
    const [one, two] = [tensor([[4]]), tensor([1, 2])];
    expect(await one.item()).toBe(4);
    await expect(two.item()).rejects.toThrow(new ShapeError("item: got shape [2], expected one element"));
    one.dispose();
    two.dispose();
  });

  it("says what it is", () => {
    scope(() => expect(`${tensor([[1, 2]])}`).toBe("Tensor [1, 2] float32 on reference"));
  });
});

describe("views", () => {
  it("share numbers and memory, and need the same size", () => {
    scope(() => {
      const t = tensor([1, 2, 3, 4, 5, 6]);
      const view = t.view([2, 3]);
      t.storage.write([6, 5, 4, 3, 2, 1]);
      expect(valuesOf(view)).toEqual([6, 5, 4, 3, 2, 1]);
      expect(() => t.view([2, 2])).toThrow(new ShapeError("view: cannot view [6] (6 elements) as [2, 2]"));
    });
  });

  it("live until the last handle is given up", () => {
    const t = tensor([1, 2]);
    const view = t.view([2, 1]);
    t.dispose();
    expect(valuesOf(view)).toEqual([1, 2]);
    view.dispose();
    expect(() => view.storage).toThrow(MemoryError);
  });
});

describe("errors are classes of their own", () => {
  it("with names", () => {
    expect([ShapeError, DTypeError, MemoryError].map((E) => new E("x").name)).toEqual([
      "ShapeError",
      "DTypeError",
      "MemoryError",
    ]);
    expect(new ShapeError("x")).toBeInstanceOf(Error);
    expect(build([2], ([i]) => i!).values).toEqual([0, 1]);
  });
});
