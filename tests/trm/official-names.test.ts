// The official names of parameters and latents.
import { describe, expect, it } from "vitest";
import { officialStateName } from "../../src/trm/official-names.ts";

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
