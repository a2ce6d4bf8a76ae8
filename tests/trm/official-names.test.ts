// The official names of parameters and latents.
import { describe, expect, it } from "vitest";
import { fromOfficialSystem, officialStateName } from "../../src/trm/official-names.ts";

describe("the official names of latents", () => {
  it("are z_H for y, z_L for z, and z_L1, z_L2, ... for several latents", () => {
    expect(officialStateName("y")).toEqual({ initial: "inner.H_init", carry: "z_H" });
    expect(officialStateName("z")).toEqual({ initial: "inner.L_init", carry: "z_L" });
    expect(officialStateName("z12")).toEqual({ initial: "inner.L12_init", carry: "z_L12" });
  });

  it("do not exist for other latents, which keep their own names", () => {
    expect(officialStateName("memory")).toEqual({ initial: "initial.memory", carry: "memory" });
    expect(officialStateName("zone")).toEqual({ initial: "initial.zone", carry: "zone" });
  });
});

describe("the official systems", () => {
  const official = { hidden_size: 512, puzzle_emb_ndim: 600, num_heads: 8, L_layers: 4, H_layers: 3 };

  it("give direct prediction the layers of H, halting against q_continue, and as many slots as its embedding needs", () => {
    const own = fromOfficialSystem("transformers_baseline", official, "arch.yaml");
    const expected = { recursion: "direct", layers: 3, haltAgainstContinue: true, puzzleSlots: 2, mixer: "attention" };
    expect(own).toMatchObject(expected);
    expect(own).not.toHaveProperty("layersY");
  });

  it("are refused by name if they are unknown", () => {
    const parse = () => fromOfficialSystem("gpt", official, "arch.yaml");
    expect(parse).toThrow('arch.yaml: unknown system "gpt", expected one of ');
  });
});
