// Tensor: numbers with a shape. It knows nothing of gradients; those belong to src/autograd.
import type { Backend } from "./backend.ts";
import { defaultBackend } from "./default-backend.ts";
import { DTypeError, MemoryError, ShapeError } from "./errors.ts";
import { disown, own, tensorsHeld } from "./scope.ts";
import { type Shape, sameShape, showShape, sizeOf } from "./shape.ts";
import type { DType, NumberArray, Storage } from "./storage.ts";

export class Tensor {
  private disposed = false;

  /** Made by the functions of this folder; takes one reference to `storage` and belongs to the current scope. */
  constructor(
    private readonly block: Storage,
    readonly shape: Shape,
  ) {
    block.retain();
    own(this);
  }

  get dtype(): DType {
    return this.block.dtype;
  }

  get size(): number {
    return this.block.length;
  }

  get backend(): Backend {
    return this.block.backend;
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  /** The memory behind the numbers. @throws MemoryError after dispose() */
  get storage(): Storage {
    if (this.disposed) {
      throw new MemoryError(
        `tensor ${showShape(this.shape)} was used after its memory was given back (return it from its scope, or keep() it)`,
      );
    }
    return this.block;
  }

  /** A second handle on the same numbers under another shape of the same size. Costs nothing. */
  view(shape: Shape): Tensor {
    if (sizeOf(shape) !== this.size) {
      throw new ShapeError(`view: cannot view ${showShape(this.shape)} (${this.size} elements) as ${showShape(shape)}`);
    }
    return new Tensor(this.storage, shape);
  }

  /** Gives up this handle; the memory is freed when no handle is left. Doing it twice is harmless. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    disown(this);
    this.block.release();
  }

  /** A copy of the numbers in row-major order. Awaited, because a GPU answers late. */
  data(): Promise<NumberArray> {
    return this.storage.read();
  }

  /** The number in a tensor of one element. */
  async item(): Promise<number> {
    if (this.size !== 1) throw new ShapeError(`item: got shape ${showShape(this.shape)}, expected one element`);
    return (await this.data())[0]!;
  }

  [tensorsHeld](): Iterable<Tensor> {
    return [this];
  }

  toString(): string {
    return `Tensor ${showShape(this.shape)} ${this.dtype} on ${this.backend.name}`;
  }
}

/** A tensor with undefined contents, to be written by a kernel. */
export function empty(shape: Shape, dtype: DType = "float32", backend: Backend = defaultBackend()): Tensor {
  for (const length of shape) {
    if (!Number.isInteger(length) || length < 0) {
      throw new ShapeError(`tensor: got shape ${showShape(shape)}, expected whole lengths of 0 or more`);
    }
  }
  return new Tensor(backend.allocate(sizeOf(shape), dtype), shape);
}

/** A tensor with undefined contents on the backend of `x`, and of its element type unless another is given. */
export const emptyLike = (x: Tensor, shape: Shape = x.shape, dtype: DType = x.dtype): Tensor =>
  empty(shape, dtype, x.backend);

/** Nested arrays of numbers, as deep as the tensor has axes. */
export type Nested = number | readonly Nested[];

/**
 * A tensor from numbers.
 *
 * @param values  nested arrays whose depth gives the shape, or a flat (typed) array together with `options.shape`
 * @throws ShapeError if the values do not fill the shape, or the nesting is uneven
 */
export function tensor(
  values: Nested | ArrayLike<number>,
  options: { shape?: Shape; dtype?: DType; backend?: Backend } = {},
): Tensor {
  const dtype = options.dtype ?? dtypeOf(values);
  const nested = Array.isArray(values) || typeof values === "number";
  const own = nested ? nestedShape(values as Nested) : [(values as ArrayLike<number>).length];
  const shape = options.shape ?? own;
  const flat: ArrayLike<number> = nested
    ? ([values].flat(Number.POSITIVE_INFINITY) as number[])
    : (values as ArrayLike<number>);
  if (flat.length !== sizeOf(shape)) {
    throw new ShapeError(`tensor: got ${flat.length} values, expected ${sizeOf(shape)} for shape ${showShape(shape)}`);
  }
  const out = empty(shape, dtype, options.backend);
  out.storage.write(flat);
  return out;
}

function dtypeOf(values: unknown): DType {
  if (values instanceof Float64Array) return "float64";
  if (values instanceof Int32Array) return "int32";
  return "float32";
}

function nestedShape(values: Nested): number[] {
  if (typeof values === "number") return [];
  const inner = values.map((value) => nestedShape(value as Nested));
  for (const shape of inner) {
    if (!sameShape(shape, inner[0]!)) {
      throw new ShapeError(`tensor: uneven nesting, got rows of shape ${showShape(inner[0]!)} and ${showShape(shape)}`);
    }
  }
  return [values.length, ...(inner[0] ?? [])];
}

/** A tensor of one repeated number. */
export function full(shape: Shape, value: number, dtype: DType = "float32", backend?: Backend): Tensor {
  const out = empty(shape, dtype, backend);
  out.backend.kernels.fill(out, value);
  return out;
}

export const zeros = (shape: Shape, dtype: DType = "float32", backend?: Backend): Tensor =>
  full(shape, 0, dtype, backend);

/** @throws DTypeError unless the tensor has the element type */
export function expectDType(operation: string, tensor: Tensor, dtype: DType): void {
  if (tensor.dtype !== dtype) throw new DTypeError(`${operation}: got ${tensor.dtype}, expected ${dtype}`);
}
