// Presets and ablations with a wrong key or value. They must not compile: see wrong-arguments.ts.
import type { AblationRow } from "../../src/runs/ablation/rows.ts";
import type { Preset } from "../../src/runs/presets.ts";

const data = { train: 1, watch: 1, unseen: 1, augment: false };
const shared = { hiddenSize: 64 } satisfies Preset["settings"];

export const presets: readonly Preset[] = [
  { settings: { ...shared, mixer: "attention", learningRate: 1e-3 }, data },
  // @ts-expect-error a misspelled setting
  { settings: { ...shared, learningrate: 1e-3 }, data },
  // @ts-expect-error a mixer that does not exist
  { settings: { ...shared, mixer: "conv" }, data },
  // @ts-expect-error the sizes belong to the task
  { settings: { ...shared, vocabularySize: 11 }, data },
];

export const wide: AblationRow = {
  key: "wide",
  name: "wide",
  publishedPercent: 0,
  change: ({ hiddenSize }) => ({ hiddenSize: 2 * hiddenSize }),
};
export const misspelled: AblationRow = {
  key: "wide",
  name: "wide",
  publishedPercent: 0,
  // @ts-expect-error a misspelled setting
  change: () => ({ hidenSize: 64 }),
};
