// Reading a trace: places and frames correspond, boards show the latest update of their latent, and exactly the changed cells are marked.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  changedCells,
  frameCount,
  haltMargin,
  haltStep,
  indexOf,
  latestOf,
  nearest,
  placeAt,
  readTrace,
  type Shape,
  wrongCells,
} from "../../explorer/shared/frames.ts";
import * as trm from "../../src/index.ts";
import { projectRoot } from "../source.ts";

const trace = JSON.parse(readFileSync(`${projectRoot}tests/fixtures/trace/sudoku4.json`, "utf8")) as trm.Trace;
const steps = trace.frames.at(-1)!.step;
const shapeOfTrace: Shape = { T: trace.T, updates: trace.updates, steps };

describe("the file of a recorded trace", () => {
  it("is read as it was written", () => {
    expect(readTrace(JSON.stringify(trace), "trace.json")).toEqual(trace);
  });

  it("is refused with its path if it is something else", () => {
    const error = (text: string): RegExp =>
      new RegExp(`^models/a/trace.json: got ${text}.*, expected a trace of version 1$`);
    const { frames: _, ...headerAlone } = trace;
    const others = { "<!doctype html>": "<!doctype html>", "": "an empty file", null: "null", "[]": "\\[\\]" };
    for (const [text, got] of Object.entries(others)) {
      expect(() => readTrace(text, "models/a/trace.json")).toThrow(error(got));
    }
    for (const other of [headerAlone, { ...trace, version: 2 }, { ...trace, question: null }]) {
      expect(() => readTrace(JSON.stringify(other), "models/a/trace.json")).toThrow(error('\\{"format":'));
    }
  });
});

const shapes: fc.Arbitrary<Shape> = fc
  .record({
    T: fc.integer({ min: 1, max: 4 }),
    n: fc.integer({ min: 0, max: 6 }),
    steps: fc.integer({ min: 1, max: 16 }),
  })
  .map(({ T, n, steps: count }) => ({ T, updates: [...new Array<string>(n).fill("z"), "y"], steps: count }));

describe("the place of a frame", () => {
  it("is that of the recorded frame, in the order in which the model computed", () => {
    expect(trace.frames).toHaveLength(frameCount(shapeOfTrace));
    trace.frames.forEach(({ step, cycle, update }, index) => {
      expect(placeAt(index, shapeOfTrace)).toEqual({ step, cycle, update });
      expect(indexOf({ step, cycle, update }, shapeOfTrace)).toBe(index);
    });
  });

  it("leads back to the same frame", () => {
    fc.assert(
      fc.property(shapes, fc.nat(1000), (shape, some) => {
        const index = (some % (frameCount(shape) + 1)) - 1;
        const place = placeAt(index, shape);
        expect(indexOf(place, shape)).toBe(index);
        expect(nearest(place, shape)).toEqual(place);
      }),
    );
  });

  it("rises with the frame: first the update, then the cycle, then the step", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const keys = Array.from({ length: frameCount(shape) }, (_, index) => {
          const { step, cycle, update } = placeAt(index, shape);
          return step * 1e6 + cycle * 1e3 + update;
        });
        expect(keys).toEqual(keys.toSorted((a, b) => a - b));
      }),
    );
  });

  it("of a link to another model becomes the nearest one", () => {
    const shape = { T: 2, updates: ["z", "z", "y"], steps: 4 };
    expect(nearest({ step: 9, cycle: 3, update: 7 }, shape)).toEqual({ step: 4, cycle: 2, update: 3 });
  });
});

describe("the changed cells", () => {
  it("are those whose token differs from the update of the same latent before, on a recorded trace", () => {
    const before = new Map<string, readonly number[]>();
    trace.frames.forEach((frame, index) => {
      const old = before.get(frame.latent) ?? trace.question;
      const expected = frame.tokens.flatMap((token, cell) => (token === old[cell] ? [] : [cell]));
      expect([...changedCells(trace.frames, frame.latent, index, trace.question)]).toEqual(expected);
      before.set(frame.latent, frame.tokens);
    });
  });

  it("are none for a latent that the update left alone", () => {
    trace.frames.forEach((frame, index) => {
      const other = frame.latent === "y" ? "z" : "y";
      expect(changedCells(trace.frames, other, index, trace.question).size).toBe(0);
    });
  });

  it("of the first update are the cells that differ from the question", () => {
    const frame = { ...trace.frames[0]!, latent: "z", tokens: [2, 3, 4] };
    expect([...changedCells([frame], "z", 0, [2, 1, 1])]).toEqual([1, 2]);
  });
});

describe("a board", () => {
  it("shows the latest update of its latent, never a later one", () => {
    trace.frames.forEach((_, index) => {
      for (const latent of ["y", "z"]) {
        const shown = latestOf(trace.frames, latent, index);
        const own = trace.frames.slice(0, index + 1).filter((frame) => frame.latent === latent);
        expect(shown).toBe(own.at(-1) ?? null);
      }
    });
  });

  it("counts the cells that differ from the answer", () => expect(wrongCells([1, 2, 3], [1, 3, 2])).toBe(2));
});

describe("the halting step", () => {
  const frame = (step: number, cycle: number, update: number, halt: number, other = 0) => ({
    ...trace.frames[0]!,
    step,
    cycle,
    update,
    q: { halt, continue: other },
  });
  const shape = { T: 2, updates: ["y"], steps: 3 };
  const [alone, compared] = [{ comparesContinue: false }, { comparesContinue: true }];

  it("is the first step at whose end q is above 0; within a step q does not count", () => {
    const frames = [frame(1, 1, 1, 5), frame(1, 2, 1, -1), frame(2, 1, 1, 2), frame(2, 2, 1, 0.1), frame(3, 2, 1, 3)];
    expect(haltStep(frames, shape, alone)).toBe(2);
    expect(haltStep(frames.slice(0, 3), shape, alone)).toBeNull();
  });

  it("of a model that compares q_halt with q_continue is the first step at whose end q_halt is larger", () => {
    const frames = [frame(1, 2, 1, 1, 2), frame(2, 2, 1, -2, -3), frame(3, 2, 1, 3, 1)];
    expect(haltStep(frames, shape, alone)).toBe(1);
    expect(haltStep(frames, shape, compared)).toBe(2);
  });

  it("follows the margin with which the library halts", () => {
    const logit = fc.double({ min: -50, max: 50, noNaN: true });
    const ofModel = fc.record({ continueLoss: fc.boolean(), haltAgainstContinue: fc.boolean() });
    fc.assert(
      fc.property(logit, logit, ofModel, (halt, other, own) => {
        const training = { nSup: 3, refill: "slot" as const, ...own };
        const rule = { comparesContinue: own.continueLoss || own.haltAgainstContinue };
        expect(haltMargin({ halt, continue: other }, rule)).toBe(trm.haltMargin(halt, other, training));
        const isHalting = trm.saysHalt(halt, other, training);
        expect(haltStep([frame(1, 2, 1, halt, other)], shape, rule)).toBe(isHalting ? 1 : null);
      }),
    );
  });
});
