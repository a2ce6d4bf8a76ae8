// Scopes: when memory is released, and which settings apply.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  add,
  defaultBackend,
  isRecording,
  keep,
  MemoryError,
  matmul,
  multiply,
  ReferenceBackend,
  releaseOnError,
  scope,
  type Tensor,
  tensor,
  usesFusedOperations,
  zeros,
} from "../../src/tensor/index.ts";
import { valuesOf } from "./naive.ts";

const onBackend = <T>(body: (backend: ReferenceBackend) => T): T => {
  const backend = new ReferenceBackend();
  return scope(() => body(backend), { backend });
};
const bytes = (backend: ReferenceBackend): number => backend.memory().liveBytes;

describe("memory of a scope", () => {
  it("a scope releases everything except its result", () => {
    onBackend((backend) => {
      let inner: Tensor | undefined;
      const result = scope(() => {
        inner = tensor([1, 2]);
        return add(inner, inner);
      });
      expect(inner!.isDisposed).toBe(true);
      expect(valuesOf(result)).toEqual([2, 4]);
      expect(bytes(backend)).toBe(64);
    });
  });

  it("a scope finds results in arrays, plain objects, maps and sets", () => {
    onBackend(() => {
      const result = scope(() => ({
        list: [tensor(1), [tensor(2)]],
        map: new Map([["x", tensor(3)]]),
        set: new Set([tensor(4)]),
        nothing: null,
        text: "x",
        deep: { deeper: { t: tensor(5) } },
      }));
      const all = [
        result.list[0],
        (result.list[1] as Tensor[])[0],
        result.map.get("x"),
        [...result.set][0],
      ] as Tensor[];
      expect([...all, result.deep.deeper.t].map((t) => valuesOf(t)[0])).toEqual([1, 2, 3, 4, 5]);
    });
  });

  it("a result passes to the enclosing scope, which releases it at its end", () => {
    onBackend((backend) => {
      let escaped: Tensor | undefined;
      scope(() => {
        escaped = scope(() => scope(() => tensor([1])));
        expect(escaped.isDisposed).toBe(false);
      });
      expect(escaped!.isDisposed).toBe(true);
      expect(bytes(backend)).toBe(0);
    });
  });

  it("outside any scope a tensor lives until it is disposed", () => {
    const t = scope(() => tensor([1]));
    expect(t.isDisposed).toBe(false);
    t.dispose();
  });

  it("a tensor from outside survives the scope, also when it is returned", () => {
    onBackend(() => {
      const outside = tensor([1]);
      expect(scope(() => outside)).toBe(outside);
      scope(() => scope(() => outside));
      expect(outside.isDisposed).toBe(false);
    });
  });

  it("a kept tensor survives all scopes", () => {
    const backend = new ReferenceBackend();
    const kept = scope(() => scope(() => [keep(tensor([1]))]).map((t) => t), { backend })[0]!;
    expect(valuesOf(kept)).toEqual([1]);
    kept.dispose();
    expect(bytes(backend)).toBe(0);
  });

  it("keep works in an inner scope on a tensor of an outer scope", () => {
    let kept: Tensor | undefined;
    scope(() => {
      kept = tensor([1]);
      scope(() => keep(kept!));
    });
    expect(kept!.isDisposed).toBe(false);
    kept!.dispose();
  });

  it("releaseOnError releases what was kept inside when its body throws, and nothing otherwise", () => {
    onBackend((backend) => {
      const outside = keep(tensor([1]));
      const made = releaseOnError(() => ({ kept: keep(tensor([2])), own: tensor([3]) }));
      const before = bytes(backend);
      const build = (): void => {
        keep(tensor([4]));
        scope(() => keep(tensor([5])));
        throw new Error("too large");
      };
      expect(() => releaseOnError(build)).toThrow("too large");
      expect(bytes(backend)).toBe(before);
      for (const [t, value] of [
        [outside, 1],
        [made.kept, 2],
        [made.own, 3],
      ] as const)
        expect(valuesOf(t)).toEqual([value]);
    });
  });

  it("a scope releases everything when its body throws, in all nested scopes", () => {
    onBackend((backend) => {
      const made: Tensor[] = [];
      const make = (): void => void made.push(tensor([1, 2, 3]));
      expect(() =>
        scope(() => {
          make();
          scope(() => {
            make();
            matmul(made[0]!, made[1]!);
          });
        }),
      ).toThrow("matmul: got [3] by [3], expected at least two axes each");
      expect(made.map((t) => t.isDisposed)).toEqual([true, true]);
      expect(bytes(backend)).toBe(0);
      expect(scope(() => tensor([1])).isDisposed).toBe(false); // The outer scope is the current one again.
    });
  });

  it("after any nesting only returned tensors live", () => {
    type Tree = { children: Tree[]; returns: boolean };
    const trees = fc.letrec<{ tree: Tree; leaf: Tree; node: Tree }>((tie) => ({
      tree: fc.oneof({ depthSize: "small" }, tie("leaf"), tie("node")),
      leaf: fc.record({ children: fc.constant([]), returns: fc.boolean() }),
      node: fc.record({ children: fc.array(tie("tree"), { maxLength: 3 }), returns: fc.boolean() }),
    })).tree;
    const run = ({ children, returns }: Tree): Tensor[] =>
      scope(() => {
        const own = tensor([1]);
        const below = children.flatMap(run);
        for (const t of below) expect(t.isDisposed).toBe(false);
        return returns ? [own, ...below] : [];
      });
    fc.assert(
      fc.property(trees, (tree) => {
        onBackend((backend) => {
          expect(bytes(backend)).toBe(0);
          expect(run(tree).length * 64).toBe(bytes(backend));
        });
      }),
    );
  });
});

describe("dispose", () => {
  it("disposing twice has no effect, in a scope or before its end", () => {
    onBackend((backend) => {
      scope(() => {
        const t = tensor([1]);
        t.dispose();
        t.dispose();
      });
      expect(bytes(backend)).toBe(0);
    });
  });

  it("use after dispose is refused with advice", () => {
    let t: Tensor | undefined;
    scope(() => {
      t = zeros([2, 3]);
    });
    expect(() => add(t!, t!)).toThrow(
      new MemoryError("tensor [2, 3] was used after its memory was released (return it from its scope, or keep() it)"),
    );
    expect(() => t!.view([6])).toThrow(MemoryError);
  });

  it("memory cannot be released more often than it was retained", () => {
    const t = tensor([1]);
    const { storage } = t;
    t.dispose();
    expect(() => storage.release()).toThrow(new MemoryError("release: this memory was already released"));
  });
});

describe("asynchronous bodies", () => {
  it("an asynchronous body is refused, and its tensors are released", () => {
    onBackend((backend) => {
      const body = async (): Promise<void> => void tensor([1]);
      expect(() => scope(body)).toThrow(
        "scope: the body returned a Promise, expected a synchronous body (read results back outside)",
      );
      expect(bytes(backend)).toBe(0);
    });
  });

  it("a refused body that fails later causes no unhandled rejection", async () => {
    const failsLater = async (): Promise<void> => {
      const t = tensor([1]);
      await null;
      add(t, t); // Its memory is released by now.
    };
    expect(() => scope(failsLater)).toThrow("expected a synchronous body");
    await new Promise((resolve) => setTimeout(resolve)); // An unhandled rejection would fail this file.
  });
});

describe("settings", () => {
  it("settings apply inside the scope only", () => {
    const backend = new ReferenceBackend();
    const before = defaultBackend();
    scope(
      () => {
        expect([defaultBackend(), isRecording(), usesFusedOperations()]).toEqual([backend, false, true]);
        scope(() => expect([isRecording(), usesFusedOperations()]).toEqual([false, false]), { fused: false });
        scope(() => expect(isRecording()).toBe(true), { recording: true });
        expect([isRecording(), usesFusedOperations()]).toEqual([false, true]);
      },
      { backend, recording: false },
    );
    expect([defaultBackend(), isRecording(), usesFusedOperations()]).toEqual([before, true, true]);
  });

  it("settings end when the body throws", () => {
    expect(() =>
      scope(
        () => {
          throw new Error("stop");
        },
        { recording: false },
      ),
    ).toThrow("stop");
    expect(isRecording()).toBe(true);
  });

  it("tensors of two backends do not mix", () => {
    const [a, b] = [new ReferenceBackend(), new ReferenceBackend()];
    scope(() => {
      expect(() => add(tensor([1], { backend: a }), tensor([1], { backend: b }))).toThrow("expected one backend");
    });
  });
});

describe("free lists", () => {
  const step = (size: number): void =>
    scope(() => {
      const x = zeros([size, size]);
      scope(() => matmul(multiply(x, x), x));
    });

  it("live and reserved bytes are constant in a loop", () => {
    onBackend((backend) => {
      for (let i = 0; i < 3; i++) step(7);
      const steady = backend.memory();
      for (let i = 0; i < 100; i++) step(7);
      expect(backend.memory()).toEqual(steady);
      expect(steady.liveBytes).toBe(0);
      expect(steady.reservedBytes).toBe(3 * 256); // x, x · x and the product: 49 numbers each, in blocks of 256 bytes.
    });
  });

  it("live bytes are those of the live tensors, and never exceed the reserved bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(200), fc.nat(5)), { maxLength: 40 }), (steps) => {
        const backend = new ReferenceBackend();
        const live: Tensor[] = [];
        for (const [length, disposals] of steps) {
          live.push(keep(zeros([length], "float64", backend)));
          for (let i = 0; i < disposals && live.length > 0; i++) live.splice(length % live.length, 1)[0]!.dispose();
          const needed = live.reduce((sum, t) => sum + t.storage.byteLength, 0);
          const { liveBytes, reservedBytes } = backend.memory();
          expect(liveBytes).toBeGreaterThanOrEqual(needed);
          expect(liveBytes).toBeLessThanOrEqual(2 * needed + 64 * live.length);
          expect(reservedBytes).toBeGreaterThanOrEqual(liveBytes);
        }
        for (const t of live) t.dispose();
        expect(backend.memory().liveBytes).toBe(0);
      }),
    );
  });

  it("reused memory does not expose numbers of another type or size", () => {
    onBackend(() => {
      scope(() => tensor([1.5, 2.5, 3.5], { dtype: "float64" }));
      const whole = tensor([1, 2], { dtype: "int32" });
      expect([valuesOf(whole), whole.size]).toEqual([[1, 2], 2]);
    });
  });

  it("dispose() of the backend releases the free blocks", () => {
    onBackend((backend) => {
      step(7);
      backend.dispose();
      expect(backend.memory()).toEqual({ liveBytes: 0, reservedBytes: 0 });
    });
  });
});
