// Which properties of a module are its parameters, and their names.
import { expect, it } from "vitest";
import { add, constant, gradients, multiply, parameter, sum, type Variable } from "../../src/autograd/index.ts";
import { Module } from "../../src/nn/index.ts";
import { full, scope } from "../../src/tensor/index.ts";
import { valuesOf } from "../values.ts";

class Part extends Module {
  readonly weight = parameter(full([2, 3], 1));
}

class Whole extends Module {
  readonly bias = parameter(full([4], 1));
  readonly fixed = constant(full([5], 1));
  readonly computed: Variable = multiply(this.bias, this.bias);
  readonly parts = [new Part(), new Part()];
  readonly net = Object.assign((x: Variable): Variable => x, { last: new Part() });
  readonly name = "no module";
}

it("a parameter that a module holds twice is one parameter, with the first of its paths", () => {
  class Shared extends Module {
    readonly first = new Part();
    readonly blocks = [this.first, this.first, new Part()];
    readonly tied = this.first.weight;
  }
  const shared = new Shared();
  expect([...shared.namedParameters()].map(([name]) => name)).toEqual(["first.weight", "blocks.2.weight"]);
  expect(shared.parameterCount()).toBe(2 * 6);
  scope(() => {
    const loss = sum(add(shared.first.weight, shared.tied));
    expect(gradients(loss, shared.parameters()).map(valuesOf)).toEqual([new Array(6).fill(2), new Array(6).fill(0)]);
  });
  shared.dispose();
});

it("the parameters of a module are also found in Maps and plain objects, but not in objects of other classes", () => {
  class Holder {
    readonly weight = parameter(full([2], 1));
  }
  class Grouped extends Module {
    readonly mlp = { up: parameter(full([2], 1)), inner: { down: new Part() } };
    readonly experts = new Map([["first", new Part()]]);
    readonly other = new Holder();
  }
  const grouped = new Grouped();
  expect([...grouped.namedParameters()].map(([name]) => name)).toEqual([
    "mlp.up",
    "mlp.inner.down.weight",
    "experts.first.weight",
  ]);
  grouped.dispose();
  grouped.other.weight.value.dispose();
});

it("parts of a module that refer back to the whole or to each other are searched once", () => {
  class Child extends Module {
    readonly weight = parameter(full([2], 1));
    constructor(readonly parent: { about?: unknown }) {
      super();
    }
  }
  class Parent extends Module {
    readonly about: { self?: unknown } = {};
    readonly child = new Child(this);
  }
  const parent = new Parent();
  parent.about.self = parent.about;
  expect([...parent.namedParameters()].map(([name]) => name)).toEqual(["child.weight"]);
  expect([...parent.child.namedParameters()].map(([name]) => name)).toEqual(["weight"]);
  parent.dispose();
});

it("a part that lists its parameters itself is asked for them", () => {
  class Frozen extends Module {
    readonly weight = parameter(full([2], 1));
    override *namedParameters(): Iterable<[string, Variable]> {}
  }
  class Renamed extends Module {
    constructor(readonly tied: Variable) {
      super();
    }
    override *namedParameters(prefix = ""): Iterable<[string, Variable]> {
      yield [`${prefix}other`, this.tied];
    }
  }
  class Whole extends Module {
    readonly frozen = new Frozen();
    readonly bias = parameter(full([2], 1));
    readonly renamed = new Renamed(this.bias); // a shared parameter is listed once
  }
  const whole = new Whole();
  expect([...whole.namedParameters()].map(([name]) => name)).toEqual(["bias"]);
  whole.frozen.weight.value.dispose();
  whole.dispose();
});

it("two parameters of a module with the same path are an error, because one of them would never be trained", () => {
  class Keyed extends Module {
    readonly parts = new Map<unknown, Part>([
      [1, new Part()],
      ["1", new Part()],
    ]);
  }
  const keyed = new Keyed();
  expect(() => keyed.parameters()).toThrow("Module: two parameters have the path parts.1.weight");
  for (const part of keyed.parts.values()) part.dispose();
});

it("the parameters of a module are its trainable leaves, also in nested modules, arrays and functions", () => {
  const whole = new Whole();
  expect(whole.computed.requiresGradient).toBe(true); // a gradient flows through it, but it is no parameter
  expect([...whole.namedParameters()].map(([name]) => name)).toEqual([
    "bias",
    "parts.0.weight",
    "parts.1.weight",
    "net.last.weight",
  ]);
  expect(whole.parameterCount()).toBe(4 + 3 * 6);
  expect(whole.parameters()).toEqual([...whole.namedParameters("net.")].map(([, parameter]) => parameter));
  expect([...whole.namedParameters("net.")][0]![0]).toBe("net.bias");
});
