// The operation count, on sizes small enough to count by hand.
import { describe, expect, it } from "vitest";
import { parseConfig, trainingFlops } from "../../src/trm/index.ts";

const sizes = {
  vocabularySize: 3,
  sequenceLength: 5,
  hiddenSize: 4,
  heads: 1,
  widthMultiple: 4, // 2/3 · 4 · 4 = 10.7, rounded up: 12
  layers: 1,
  T: 2,
  n: 3,
  batchSize: 2,
};
const flops = (settings: Record<string, unknown> = {}): number => trainingFlops(parseConfig({ ...sizes, ...settings }));

/** SwiGLU on the 4 numbers of a position: three products of 4 x 12 numbers, at 5 positions. */
const channelMlp = 5 * 3 * 2 * 4 * 12;
/** q, k, v and out: 4 x 4 numbers each at 5 positions; scores and their use: 5 x 5 x 4 each. */
const attention = 4 * 2 * 5 * 4 * 4 + 2 * 2 * 5 * 5 * 4;
/** SwiGLU on the 5 positions of a channel (2/3 · 4 · 5 = 13.3, rounded up: 16), for 4 channels. */
const sequenceMlp = 4 * 3 * 2 * 5 * 16;
/** The answer's head, forward and backward: 5 positions, 4 x 3 numbers. */
const head = 3 * 2 * 5 * 4 * 3;

describe("the operations of a training step", () => {
  it("count a recursion forward T times, and backward once at twice the cost", () => {
    const blocks = 3 + 1; // n updates of z and one of y
    const step = (block: number) => 2 * ((2 * blocks + 2 * blocks) * block + head);
    expect(flops({ mixer: "attention" })).toBe(step(attention + channelMlp));
    expect(flops()).toBe(step(sequenceMlp + channelMlp));
  });

  it("count the last two updates alone backward with the one-step gradient", () => {
    expect(flops({ oneStepGradient: true })).toBe(2 * ((8 + 2 * 2) * (sequenceMlp + channelMlp) + head));
  });

  it("count one more forward pass for the continue loss", () => {
    expect(flops({ continueLoss: true }) - flops()).toBe(2 * 8 * (sequenceMlp + channelMlp));
  });

  it("count one pass of the network for direct prediction", () => {
    expect(flops({ recursion: "direct" })).toBe(2 * (3 * (sequenceMlp + channelMlp) + head));
  });
});
