// Tensor: numbers with a shape. Gradients belong to src/autograd.
import type { Backend } from "./backend.ts";
import { type DType, expectTypeName, type NumberArray } from "./dtype.ts";
import { ArgumentError, MemoryError, ShapeError, showValue } from "./errors.ts";
import { disown, own, tensorsHeld } from "./scope.ts";
import { expectShape, type Shape, showShape, sizeOf } from "./shape.ts";
import { type Storage, VisibleStorage } from "./storage.ts";

/** An array of numbers with a shape. */
export class Tensor {
  readonly shape: Shape;
  private disposed = false;

  /** Created by the functions of this folder. The tensor takes one reference to `storage` and belongs to the current scope. */
  constructor(
    private readonly block: Storage,
    shape: Shape,
  ) {
    this.shape = [...shape]; // A copy, because the caller may change its array later.
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
        `tensor ${showShape(this.shape)} was used after its memory was released (return it from its scope, or keep() it)`,
      );
    }
    return this.block;
  }

  /** A second handle on the same numbers under another shape of the same size. Nothing is copied. */
  view(shape: Shape): Tensor {
    expectShape("view", shape); // the size alone would admit [-2, -3] for six elements
    if (sizeOf(shape) !== this.size) {
      throw new ShapeError(`view: cannot view ${showShape(this.shape)} (${this.size} elements) as ${showShape(shape)}`);
    }
    return new Tensor(this.storage, shape);
  }

  /** Releases this handle; the memory is freed with the last handle. A second call has no effect. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    disown(this);
    this.block.release();
  }

  /** A copy of the numbers in row-major order. Asynchronous, because reading from a GPU is. */
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

  /** Shape, element type, backend, and the first numbers where reading them does not wait for a device. */
  toString(): string {
    return `Tensor ${showShape(this.shape)} ${this.dtype} on ${this.backend.name}${this.#preview()}`;
  }

  /** What console.log prints in Node, Bun and Deno. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  #preview(): string {
    if (this.disposed) return ", released";
    if (!(this.block instanceof VisibleStorage)) return "";
    const short = (value: number): number => (this.dtype === "int32" ? value : Number(value.toPrecision(4)));
    const shown = Array.from(this.block.array.subarray(0, 6), short);
    return `: ${shown.join(", ")}${this.size > shown.length ? ", ..." : ""}`;
  }
}

/** A tensor with undefined contents on the backend of `x`, with its shape and element type unless others are given. */
export function emptyLike(x: Tensor, shape: Shape = x?.shape, dtype: DType = x?.dtype): Tensor {
  if (!(x instanceof Tensor)) {
    throw new ArgumentError(`emptyLike: got ${showValue(x)} as operand 1, expected a Tensor (see tensor)`);
  }
  expectShape("emptyLike", shape);
  expectTypeName("emptyLike", dtype);
  return new Tensor(x.backend.allocate(sizeOf(shape), dtype), shape);
}
