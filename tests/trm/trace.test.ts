// The trace: one frame per update, with the numbers of predictions(), on every variant; its file format; cancelling; memory.
import { readFileSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { assign, defaultBackend, Random, ReferenceBackend, setRootBackend } from "../../src/tensor/index.ts";
import {
  Model,
  parseConfig,
  predictions,
  recordTrace,
  type Trace,
  type TraceFrame,
  trace,
  traceBasis,
  traceHeader,
  traceTensors,
} from "../../src/trm/index.ts";
import { principalPlane } from "../../src/trm/trace-basis.ts";
import { projectRoot } from "../source.ts";
import { withRandomQ } from "./random-q.ts";

const task = sudokuTask(4);
const { test } = task.generate({ train: 1, test: 4, seed: 1 });
const small = {
  vocabularySize: task.vocabularySize,
  sequenceLength: task.sequenceLength,
  hiddenSize: 8,
  heads: 2,
  widthMultiple: 4,
  layers: 1,
  T: 2,
  n: 2,
};
const variants: Record<string, Record<string, unknown>> = {
  trm: {},
  hrm: { separateNets: true, oneStepGradient: true },
  singleZ: { recursion: "singleZ" },
  multiZ: { recursion: "multiZ", n: 3 },
  direct: { recursion: "direct" },
  puzzleSlots: { puzzleEmbeddingSize: 8, puzzleSlots: 2, puzzleIds: 3, mixer: "attention", positions: "rotary" },
};
const modelOf = (settings: Record<string, unknown> = {}, seed = 3): Model =>
  new Model(parseConfig({ ...small, ...settings }).model, new Random(seed));

const questionOf = (puzzles: number) => ({ inputs: test.inputs.slice(0, puzzles * test.length) });
const framesOf = async (frames: AsyncIterable<TraceFrame>): Promise<TraceFrame[]> => {
  const all: TraceFrame[] = [];
  for await (const frame of frames) all.push(frame);
  return all;
};

describe("the frames of a trace", () => {
  it("have the tokens and the q of predictions() bit for bit after every supervision step, on every variant", async () => {
    const cases = fc.record({
      name: fc.constantFrom(...Object.keys(variants)),
      T: fc.integer({ min: 1, max: 3 }),
      puzzles: fc.integer({ min: 1, max: 3 }),
      steps: fc.integer({ min: 1, max: 3 }),
      seed: fc.nat(100),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ name, T, puzzles, steps, seed }) => {
        const model = withRandomQ(modelOf({ ...variants[name], T }, seed), seed);
        const question = questionOf(puzzles);
        const frames = await framesOf(trace(model, question, { steps }));
        const perStep = model.T * model.recursion.updates.length * puzzles;
        expect(frames).toHaveLength(steps * perStep);
        for await (const { step, tokens, qHalt, qContinue } of predictions(model, question, steps)) {
          const last = frames.slice(step * perStep - puzzles, step * perStep);
          expect(last.flatMap((frame) => frame.tokens)).toEqual([...tokens]);
          expect(last.map((frame) => frame.q)).toEqual(
            [...qHalt.keys()].map((i) => ({ halt: qHalt[i], continue: qContinue[i] })),
          );
        }
        model.dispose();
      }),
      { numRuns: 25 },
    );
  });

  it("name step, cycle, update and latent in the order in which they are computed", async () => {
    const model = modelOf();
    const frames = await framesOf(trace(model, questionOf(1), { steps: 2 }));
    expect(frames.map(({ step, cycle, update, latent }) => `${step}.${cycle}.${update}${latent}`)).toEqual(
      ["1.1.1z 1.1.2z 1.1.3y 1.2.1z 1.2.2z 1.2.3y", "2.1.1z 2.1.2z 2.1.3y 2.2.1z 2.2.2z 2.2.3y"].join(" ").split(" "),
    );
    expect(frames.map(({ q }) => q !== null)).toEqual(frames.map(({ latent }) => latent === "y"));
    model.dispose();
  });

  it("say which updates a training records: those of the last cycle, of HRM only the last ones of z and y", async () => {
    const recorded = async (name: string): Promise<string> => {
      const model = modelOf(variants[name]);
      const frames = await framesOf(trace(model, questionOf(1), { steps: 1 }));
      model.dispose();
      return frames.map(({ latent, onTape }) => (onTape ? latent.toUpperCase() : latent)).join(" ");
    };
    expect(await recorded("trm")).toBe("z z y Z Z Y");
    expect(await recorded("hrm")).toBe("z z y z Z Y");
    expect(await recorded("singleZ")).toBe("z z z Z Z Z");
    expect(await recorded("multiZ")).toBe("z1 z2 z3 y Z1 Z2 Z3 Y");
    expect(await recorded("direct")).toBe("Y");
  });

  it("name the line of the source that makes the update", async () => {
    const calls: Record<string, string[]> = {
      trm: ["z = net(x, y, z);", "z = net(x, y, z);", "y = net(y, z);"],
      hrm: ["z = isOffTape ?", "z = isOffTape ?", "y = netY(y, z);"],
      singleZ: ["z = net(x, z);", "z = net(x, z);", "z = net(z);"],
      multiZ: [
        ...new Array<string>(3).fill("next[name] = net(x, next.y!, ...all());"),
        "next.y = netY(next.y!, ...all());",
      ],
      direct: ["y: netY(latents.y!, x)"],
    };
    for (const [name, expected] of Object.entries(calls)) {
      const model = modelOf(variants[name]);
      const { source } = await traceHeader(model, questionOf(1));
      expect(source).toBe(name === "trm" ? "src/trm/recursion.ts" : "src/trm/variants.ts");
      const lines = readFileSync(projectRoot + source, "utf8").split("\n");
      const frames = await framesOf(trace(model, questionOf(1), { steps: 1 }));
      frames.slice(0, expected.length).forEach(({ line }, i) => {
        expect(lines[line! - 1], `${name}, update ${i + 1}`).toContain(expected[i]);
      });
      model.dispose();
    }
  });

  it("have a norm, a distance to the same latent before, probabilities and entropies that follow from the tensors", async () => {
    const model = modelOf();
    const question = questionOf(1);
    const frames = await framesOf(trace(model, question, { steps: 2, loss: "softmax" }));
    const initial = await model.initial.get("z")!.data();
    let previous = Array.from({ length: 16 * 8 }, (_, i) => initial[i % 8]!);
    for (const frame of frames.filter(({ latent }) => latent === "z")) {
      const { latents, logits, shape } = await traceTensors(model, question, frame);
      expect(shape).toEqual([1, 16, 8]);
      const values = [...latents.z!];
      const lengthOf = (numbers: ArrayLike<number>): number => Math.hypot(...Array.from(numbers));
      expect(frame.norm).toBeCloseTo(lengthOf(values), 5);
      expect(frame.move).toBeCloseTo(lengthOf(values.map((value, i) => value - previous[i]!)), 5);
      previous = values;
      frame.tokens.forEach((token, cell) => {
        const own = Array.from(logits.subarray(cell * task.vocabularySize, (cell + 1) * task.vocabularySize));
        const total = own.reduce((sum, logit) => sum + Math.exp(logit), 0);
        const shares = own.map((logit) => Math.exp(logit) / total);
        expect(token).toBe(own.indexOf(Math.max(...own)));
        expect(frame.confidence[cell]).toBeCloseTo(shares[token]!, 5);
        expect(frame.entropy[cell]).toBeCloseTo(-shares.reduce((sum, p) => sum + p * Math.log(p), 0), 5);
      });
    }
    model.dispose();
  });

  it("of several puzzles are those of each puzzle alone, up to rounding", async () => {
    const model = modelOf();
    const together = await framesOf(trace(model, questionOf(3), { steps: 2 }));
    for (let puzzle = 0; puzzle < 3; puzzle++) {
      const inputs = test.inputs.slice(puzzle * 16, (puzzle + 1) * 16);
      const alone = await framesOf(trace(model, { inputs }, { steps: 2 }));
      const own = together.filter((frame) => frame.puzzle === puzzle);
      expect(own.map(({ tokens }) => tokens)).toEqual(alone.map(({ tokens }) => tokens));
      for (const [i, { move }] of own.entries()) expect(move).toBeCloseTo(alone[i]!.move, 4);
    }
    model.dispose();
  });
});

describe("a trace", () => {
  it("ends with the reason of its signal, also if the signal is aborted by an event between two steps", async () => {
    const model = modelOf();
    const controller = new AbortController();
    let frames = 0;
    setTimeout(() => controller.abort(new Error("enough")), 5);
    const run = async (): Promise<void> => {
      for await (const _ of trace(model, questionOf(1), { steps: 100_000, signal: controller.signal })) frames++;
    };
    await expect(run()).rejects.toThrow("enough");
    expect(frames).toBeLessThan(600_000);
    const aborted = trace(model, questionOf(1), { steps: 1, signal: AbortSignal.abort() });
    await expect(aborted.next()).rejects.toMatchObject({ name: "AbortError" });
    model.dispose();
  });

  it("releases all of its memory, also if it is cancelled or not read to its end", async () => {
    const model = modelOf();
    await framesOf(trace(model, questionOf(2), { steps: 3 })); // the backend packs the weights on first use
    const before = defaultBackend().memory().liveBytes;
    await framesOf(trace(model, questionOf(2), { steps: 3 }));
    for await (const frame of trace(model, questionOf(2), { steps: 3 })) if (frame.step === 2) break;
    const controller = new AbortController();
    const cancelled = async (): Promise<void> => {
      for await (const { step } of trace(model, questionOf(2), { steps: 3, signal: controller.signal })) {
        if (step === 2) controller.abort();
      }
    };
    await expect(cancelled()).rejects.toMatchObject({ name: "AbortError" });
    await traceTensors(model, questionOf(1), { step: 1, cycle: 2, update: 1 });
    expect(defaultBackend().memory().liveBytes).toBe(before);
    model.dispose();
  });

  it("refuses a question of another length, a truth of another length, and a frame that does not exist", async () => {
    const model = modelOf();
    await expect(trace(model, { inputs: new Int32Array(10) }, { steps: 1 }).next()).rejects.toThrow(
      "question: got 10 tokens, expected a positive multiple of 16",
    );
    await expect(traceHeader(model, questionOf(1), { truth: [1] })).rejects.toThrow(
      "trace: got a truth of 1 tokens, expected 16",
    );
    await expect(traceTensors(model, questionOf(1), { step: 1, cycle: 3, update: 1 })).rejects.toThrow(
      "trace: got step 1, cycle 3, update 1, expected a frame of the trace",
    );
    model.dispose();
  });

  it("is the recorded file, up to the rounding of other engines", async () => {
    const path = `${projectRoot}tests/fixtures/trace/sudoku4.json`;
    const backend = defaultBackend();
    setRootBackend(new ReferenceBackend());
    try {
      const model = modelOf();
      const truth = test.labels.slice(0, 16);
      const basis = await traceBasis(model, questionOf(4), { steps: 2 });
      const about = { task: task.name, name: "golden", truth, basis };
      const recorded = await recordTrace(model, questionOf(1), { steps: 2, ...about });
      if (process.env.TRM_RECORD) writeFileSync(path, `${JSON.stringify(recorded)}\n`);
      const golden = JSON.parse(readFileSync(path, "utf8")) as Trace;
      const rounded = (value: unknown): unknown =>
        JSON.parse(JSON.stringify(value), (_, each) => (typeof each === "number" ? Number(each.toPrecision(5)) : each));
      const { model: own, ...rest } = recorded;
      const { model: expected, ...expectedRest } = golden;
      expect(rounded(rest)).toEqual(rounded(expectedRest));
      expect(own).toEqual(expected);
    } finally {
      setRootBackend(backend);
    }
  });

  it("identifies the weights by a hash that changes with a single weight, initial latent or puzzle row", async () => {
    const model = modelOf(variants.puzzleSlots);
    const hash = async (): Promise<string> => (await traceHeader(model, questionOf(1))).model.hash;
    const tensors = [...model.parameters().map(({ value }) => value), ...model.initial.values()];
    tensors.push(model.puzzleEmbedding!.table);
    const original = await hash();
    expect(original).toMatch(/^[0-9a-f]{16}$/);
    const at = fc.record({ tensor: fc.nat(tensors.length - 1), share: fc.double({ min: 0, max: 0.999, noNaN: true }) });
    await fc.assert(
      fc.asyncProperty(at, async ({ tensor: index, share }) => {
        const tensor = tensors[index]!;
        const values = Float32Array.from(await tensor.data());
        const changed = values.with(Math.floor(share * values.length), 0.123);
        assign(tensor, changed);
        expect(await hash()).not.toBe(original);
        assign(tensor, values);
        expect(await hash()).toBe(original);
      }),
      { numRuns: 30, examples: [[{ tensor: tensors.length - 1, share: 0.9 }]] }, // a row of the puzzle embedding
    );
    model.dispose();
  });
});

describe("the basis of the positions", () => {
  it("explains all of the variance of points in a plane, and finds its axes", () => {
    const points = [
      [5, 0, 1, 0],
      [-5, 0, 1, 0],
      [0, 0, 1, 2],
      [0, 0, 1, -2],
    ].map((point) => Float64Array.from(point));
    const { mean, axes, explained } = principalPlane(points);
    expect(mean).toEqual([0, 0, 1, 0]);
    expect(axes[0][0]).toBeCloseTo(1, 12);
    expect(axes[1][3]).toBeCloseTo(1, 12);

    expect(explained).toBeCloseTo(1, 12);
  });

  it("is a pair of orthogonal unit vectors that explains at most everything, also for points on a line", () => {
    const coordinate = fc.integer({ min: -3, max: 3 });
    const pointsOf = (width: number) =>
      fc.array(fc.array(coordinate, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 });
    const few = fc.integer({ min: 2, max: 4 }).chain(pointsOf);
    fc.assert(
      fc.property(few, (points) => {
        const { axes, explained } = principalPlane(points.map((point) => Float64Array.from(point)));
        const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
        expect(dot(axes[0], axes[0])).toBeCloseTo(1, 9);
        expect(dot(axes[1], axes[1])).toBeCloseTo(1, 9);
        expect(dot(axes[0], axes[1])).toBeCloseTo(0, 6);
        expect(explained).toBeLessThanOrEqual(1 + 1e-9);
        if (points[0]!.length === 2 || points.length <= 3) expect(explained).toBeGreaterThan(1 - 1e-9);
      }),
      {
        examples: [
          [
            [
              [0, 0],
              [2, 0],
            ],
          ],
          [
            [
              [1, -2],
              [-1, 2],
            ],
          ],
          [[[1, 1, 1]]],
        ],
      },
    );
  });

  it("is refused without a number of steps, as a trace is", async () => {
    const model = modelOf();
    // @ts-expect-error The number of steps is missing.
    await expect(traceBasis(model, questionOf(1), {})).rejects.toThrow("trace: got undefined as the number of steps");
    // @ts-expect-error Likewise.
    await expect(recordTrace(model, questionOf(1), {})).rejects.toThrow("trace: got undefined as the number of steps");
    model.dispose();
  });

  it("has orthogonal unit axes for every latent, and the positions of a trace on it have the explained variance", async () => {
    const model = modelOf();
    const basis = await traceBasis(model, questionOf(4), { steps: 3 });
    expect(Object.keys(basis).toSorted()).toEqual(["y", "z"]);
    const frames = await framesOf(trace(model, questionOf(4), { steps: 3, basis }));
    for (const [latent, { axes, explained }] of Object.entries(basis)) {
      const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
      expect([dot(axes[0], axes[0]), dot(axes[1], axes[1])].map((v) => Math.round(v * 1e9) / 1e9)).toEqual([1, 1]);
      expect(Math.abs(dot(axes[0], axes[1]))).toBeLessThan(1e-9);
      expect(explained).toBeGreaterThan(0.3);
      expect(explained).toBeLessThanOrEqual(1 + 1e-12);
      const positions = frames.filter((frame) => frame.latent === latent).map(({ position }) => position!);
      for (const axis of [0, 1]) {
        const mean = positions.reduce((sum, position) => sum + position[axis]!, 0) / positions.length;
        expect(Math.abs(mean)).toBeLessThan(1e-6);
      }
    }
    await expect(trace(model, questionOf(1), { steps: 1, basis: { y: basis.y! } }).next()).rejects.toThrow(
      "trace: got a basis for y, expected one for z too",
    );
    model.dispose();
  });

  it("is refused by a model of another hiddenSize, also if that is a multiple of its own", async () => {
    const basisOf = async (hiddenSize: number) => {
      const model = modelOf({ hiddenSize });
      const basis = await traceBasis(model, questionOf(4), { steps: 1 });
      model.dispose();
      return basis;
    };
    const model = modelOf();
    for (const hiddenSize of [4, 8, 12, 16]) {
      const basis = await basisOf(hiddenSize);
      const frames = framesOf(trace(model, questionOf(1), { steps: 1, basis }));
      if (hiddenSize === 8) await expect(frames).resolves.toHaveLength(6);
      else {
        await expect(frames).rejects.toThrow(
          `trace: got a basis of ${hiddenSize} dimensions, expected 8, the model's hiddenSize`,
        );
      }
    }
    model.dispose();
  });
});
