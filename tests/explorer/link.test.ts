// The link: reading what was written gives the same state, and what is out of range is refused with a message.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  backends,
  evaluations,
  initialLink,
  type Link,
  parts,
  readLink,
  rivals,
  themes,
  trainTasks,
  views,
  writeLink,
} from "../../explorer/shared/link.ts";

const real = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map((value) => value + 0); // no -0
const place = fc.oneof(
  fc.constant({ step: 0, cycle: 0, update: 0 }),
  fc.record({
    step: fc.integer({ min: 1, max: 99 }),
    cycle: fc.integer({ min: 1, max: 99 }),
    update: fc.integer({ min: 1, max: 99 }),
  }),
);
const puzzle = fc.string({ unit: fc.constantFrom(...".0123456789# SGo"), minLength: 4, maxLength: 81 });

const links: fc.Arbitrary<Link> = fc.record({
  view: fc.constantFrom(...views),
  model: fc.constantFrom("", "sudoku6", "maze9", "my-model_2"),
  sample: fc.integer({ min: 1, max: 200 }),
  puzzle: fc.oneof(fc.constant(""), puzzle),
  at: place,
  steps: fc.integer({ min: 0, max: 64 }),
  cell: fc.integer({ min: 0, max: 900 }),
  backend: fc.constantFrom(...backends),
  threads: fc.integer({ min: 1, max: 64 }),
  theme: fc.constantFrom(...themes),
  hide: fc.uniqueArray(fc.constantFrom(...parts)),
  lesson: fc.constantFrom("", "first"),
  part: fc.integer({ min: 1, max: 40 }),
  embed: fc.boolean(),
  task: fc.constantFrom(...trainTasks),
  T: fc.integer({ min: 1, max: 6 }),
  n: fc.integer({ min: 1, max: 8 }),
  nSup: fc.integer({ min: 1, max: 16 }),
  width: fc.integer({ min: 8, max: 128 }),
  rate: real(1e-5, 0.1),
  ema: real(0, 0.9999),
  data: fc.integer({ min: 100, max: 20_000 }),
  seed: fc.integer({ min: 0, max: 1_000_000 }),
  rival: fc.constantFrom(...rivals),
  evaluation: fc.constantFrom(...evaluations),
  sigma: real(0, 4),
  rollouts: fc.integer({ min: 1, max: 64 }),
});

describe("a link", () => {
  it("gives the same state when it is read again", () => {
    fc.assert(
      fc.property(links, (link) => {
        expect(readLink(writeLink(link))).toEqual({ link, refused: [] });
        expect(readLink(`#${writeLink(link)}`).link).toEqual(link);
      }),
    );
  });

  it("survives the address bar of a browser", () => {
    fc.assert(
      fc.property(links, (link) => {
        const { hash } = new URL(`https://example.org/folder/#${writeLink(link)}`);
        expect(readLink(hash).link).toEqual(link);
      }),
    );
  });

  it("says only what differs from the defaults", () => {
    expect(writeLink(initialLink)).toBe("v=1");
    expect(writeLink({ ...initialLink, view: "inside", at: { step: 2, cycle: 1, update: 3 } })).toBe(
      "v=1&view=inside&at=2.1.3",
    );
    expect(readLink("")).toEqual({ link: initialLink, refused: [] });
  });

  it("ignores unknown keys", () =>
    expect(readLink("v=1&colour=red&T=3")).toMatchObject({ link: { T: 3 }, refused: [] }));

  it("refuses values out of range with a message each, and keeps the others", () => {
    const { link, refused } = readLink("v=1&T=99&n=0&view=nowhere&at=0.1.2&hide=board&sigma=-1&seed=7&rate=abc");
    expect(link).toEqual({ ...initialLink, seed: 7 });
    expect(refused).toEqual([
      "view: got nowhere, expected one of solve, inside, class, failures, train, gradients.",
      "at: got 0.1.2, expected step.cycle.update, such as 2.1.3, or 0.0.0 for the puzzle.",
      "hide: got board, expected a list of guide, nav, model, puzzle, z, q, code, detail, scrubber, notes.",
      "T: got 99, expected an integer from 1 to 6.",
      "n: got 0, expected an integer from 1 to 8.",
      "rate: got abc, expected a number from 0.00001 to 0.1.",
      "sigma: got -1, expected a number from 0 to 4.",
    ]);
  });

  it("names a lesson that exists", () => {
    expect(readLink("v=1&lesson=constructor").refused).toEqual(["lesson: got constructor, expected first."]);
  });

  it("of another version is refused as a whole", () => {
    const { link, refused } = readLink("v=2&T=3");
    expect(link).toEqual(initialLink);
    expect(refused).toEqual(["The link has version 2; this page reads version 1."]);
  });

  it("never makes the page fail, whatever it holds", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { link } = readLink(text);
        expect(readLink(writeLink(link)).link).toEqual(link);
      }),
    );
  });
});
