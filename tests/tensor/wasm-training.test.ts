// Training steps on the WebAssembly backend: loss and gradients agree with the reference, the bits do not depend on the number of
// threads, memory is constant, and a lack of memory is a clear error.
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { WasmBackend } from "../../src/tensor/backends/wasm/backend.ts";
import { canJoinVectors } from "../../src/tensor/backends/wasm/platform.node.ts";
import * as t from "../../src/tensor/index.ts";
import { ShuffledExamples, Training } from "../../src/trm/index.ts";
import { checkClose } from "../gpu/suite/case.ts";
import { task, tinyConfig, tinySets } from "../runs/tiny-run.ts";
import { valuesOf } from "./naive.ts";
import { builds, one, reference, three, two } from "./wasm-backends.ts";

/** Nine puzzles at a time, so that the gradients of the weights are computed in groups. */
const mlp = { T: 2, n: 2, layers: 2, hiddenSize: 32, batchSize: 9 };
const models = [
  ["mlp", mlp],
  ["attention", { ...mlp, mixer: "attention", heads: 4, positions: "rotary" }],
] as const;

const root = t.scope(() => t.zeros([]).backend);
afterEach(() => t.setRootBackend(root));

interface Trace {
  readonly losses: number[];
  readonly gradients: Map<string, number[]>;
  readonly weights: Map<string, number[]>;
}

/** A few steps on a backend: the losses, the gradients of the first step, and the weights after the last step. */
async function train(
  backend: t.Backend,
  settings: Record<string, unknown>,
  steps: number,
  beforeStep: (step: number) => void = () => {},
): Promise<Trace> {
  t.setRootBackend(backend);
  let gradients: Map<string, number[]> | null = null;
  const training = new Training(tinyConfig(settings), new ShuffledExamples(tinySets().train, 5, task), {
    observe: (observed) => {
      gradients ??= new Map([...observed.gradients].map(([name, gradient]) => [name, valuesOf(gradient)]));
    },
  });
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    beforeStep(i);
    losses.push((await training.supervisionStep()).loss);
  }
  const weights = new Map([...training.model.namedParameters()].map(([name, { value }]) => [name, valuesOf(value)]));
  return { losses, gradients: gradients!, weights };
}

describe.each(models)("a small model with %s", (_, settings) => {
  it.each(builds.map((b) => [b.build, b] as const))(
    "the loss and the gradients agree with the reference: %s",
    async (_, backend) => {
      const [got, wanted] = [await train(backend, settings, 1), await train(reference, settings, 1)];
      checkClose("loss", got.losses, wanted.losses, { tolerance: 1e-5 });
      expect([...got.gradients.keys()]).toEqual([...wanted.gradients.keys()]);
      for (const [name, gradient] of wanted.gradients) {
        checkClose(`gradient of ${name}`, got.gradients.get(name)!, gradient, { tolerance: 1e-4, floor: 1e-3 });
      }
    },
  );

  it("the bits are equal after steps on one, two and three threads", async () => {
    const [wanted, ...others] = [
      await train(one, settings, 4),
      await train(two, settings, 4),
      await train(three, settings, 4),
    ];
    for (const other of others) expect(other).toEqual(wanted);
  });

  it("the bits are equal if training switches between the main thread alone and all threads from step to step", async () => {
    const { runtime } = three;
    await expect.poll(() => runtime.readyHelpers, { timeout: 10_000 }).toBe(runtime.threads - 1);
    const wanted = await train(one, settings, 4);
    const switching = async (usesHelpers: readonly boolean[]): Promise<Trace> => {
      try {
        return await train(three, settings, usesHelpers.length, (step) => {
          runtime.usesHelpers = usesHelpers[step]!;
        });
      } finally {
        runtime.usesHelpers = true;
      }
    };
    expect(await switching([true, false, true, false])).toEqual(wanted);
    const choices = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 });
    const sameBits = fc.asyncProperty(choices, async (usesHelpers) => {
      expect(await switching(usesHelpers)).toEqual(wanted);
    });
    await fc.assert(sameBits, { numRuns: 8 });
  });

  it.skipIf(!canJoinVectors())("the wide build has the same bits, also after V8 has optimized it", async () => {
    const [relaxed, wide] = ["relaxed SIMD, 2 threads", "wide SIMD, 2 threads"].map((build) =>
      builds.find((backend) => backend.build === build),
    );
    expect(await train(wide!, settings, 60)).toEqual(await train(relaxed!, settings, 60));
  });

  it("as many bytes are live after step 100 as after step 3", async () => {
    t.setRootBackend(two);
    const training = new Training(tinyConfig(settings), new ShuffledExamples(tinySets().train, 5, task));
    for (let i = 0; i < 3; i++) await training.supervisionStep();
    const before = two.memory();
    for (let i = 3; i < 100; i++) await training.supervisionStep();
    expect(two.memory()).toEqual(before);
  });
});

it("a model that does not fit into memory is refused with that reason", async () => {
  const small = new WasmBackend({ threads: 2, memoryLimit: 2 ** 22 });
  t.setRootBackend(small);
  const large = { ...mlp, hiddenSize: 256 };
  await expect(async () => {
    const training = new Training(tinyConfig(large), new ShuffledExamples(tinySets().train, 5, task));
    await training.supervisionStep();
  }).rejects.toThrow(/^wasm backend: memory is full, could not add [\d.]+ MB to [\d.]+ MB \([\d.]+ MB in use\)$/);
  small.dispose();
});
