// The settings of a new run: preset < configuration file < --set.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseHalt } from "../../src/cli/halt-option.ts";
import { decimal, positiveNumber } from "../../src/cli/options.ts";
import { mergeSettings, parseSet, readConfigFile } from "../../src/cli/settings.ts";
import { sudokuTask } from "../../src/puzzles/index.ts";
import { taskNames, taskOf } from "../../src/puzzles/named-task.ts";
import { presetFor, presetNames } from "../../src/runs/presets.ts";
import { parseConfig } from "../../src/trm/index.ts";

const folder = mkdtempSync(join(tmpdir(), "trm-settings-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const task = sudokuTask(4);

describe("the order of sources", () => {
  const preset = { where: "preset", settings: { n: 2, T: 2, hiddenSize: 64 } };
  it("is preset, file, --set from weakest to strongest, with our names and official ones", () => {
    const yaml = readConfigFile(file("a.yaml", "L_cycles: 3\nhidden_size: 32\nlr: 0.001\n"));
    const config = mergeSettings([preset, yaml, parseSet(["hiddenSize=16", "lr=1e-2"])], task);
    expect(config.model).toMatchObject({ T: 2, n: 3, hiddenSize: 16, vocabularySize: 6, sequenceLength: 16 });
    expect(config.training.learningRate).toBe(0.01);
  });
  it("prefers a later --set to an earlier one", () => {
    expect(mergeSettings([preset, parseSet(["n=3", "n=4"])], task).model.n).toBe(4);
  });
});

describe("a configuration file", () => {
  it("is JSON, YAML, nested like the official ones, or empty", () => {
    expect(readConfigFile(file("b.json", '{"n": 4}')).settings).toEqual({ n: 4 });
    const official = `
arch:
  name: recursive_reasoning.hrm@HierarchicalReasoningModel_ACTV1
  loss: {name: x, loss_type: softmax_cross_entropy}
  H_cycles: 3
  hidden_size: 64
lr: 1e-4
`;
    expect(readConfigFile(file("c.yaml", official)).settings).toMatchObject({
      T: 3,
      loss: "softmax",
      learningRate: 1e-4,
      separateNets: true,
      oneStepGradient: true,
    });
    expect(readConfigFile(file("d.yaml", "# nothing\n")).settings).toEqual({});
  });
  it.each([
    ["e.json", '{"n": 4', /e\.json: /],
    ["i.json", '{"n": 4, "T": 2, "n": 3}', /i\.json: contains "n" twice$/],
    ["j.json", '{"n": 4, "T": 2, "n\\n": 3, "n\\n": 4}', /j\.json: contains "n\\n" twice$/],
    ["k.yaml", "n: 4\nT: 2\nn: 3\n", /k\.yaml: Map keys must be unique at line 3, column 1/],
    ["f.yaml", "n: [1\n", /f\.yaml: /],
    ["m.yaml", "n: 1\n---\nn: 2\n", /m\.yaml: contains several YAML documents, expected one$/],
    ["g.yaml", "- 1\n", /g\.yaml: expected keys and values/],
    ["h.yaml", "arch: {name: some@Class}\n", /h\.yaml: arch\.name "some@Class", expected one of /],
  ])("is rejected in one line: %s", (name, text, message) => {
    expect(() => readConfigFile(file(name, text))).toThrow(message);
    expect(() => readConfigFile(file(name, text))).not.toThrow(/\n/);
  });
});

describe("--set", () => {
  it("reads numbers, booleans and words", () => {
    const { settings } = parseSet(["n=3", "separateNets=true", "mixer=attention", "lr=1e-3", "x=a=b"]);
    expect(settings).toEqual({ n: 3, separateNets: true, mixer: "attention", lr: 1e-3, x: "a=b" });
  });
  it.each(["n", "=3"])("rejects %s, which is not an assignment", (text) => {
    expect(() => parseSet([text])).toThrow(`--set ${text}: expected key=value`);
  });
});

it("positions by row and column get the columns of the board", () => {
  const merged = (columns?: string) =>
    mergeSettings([parseSet(["mixer=attention", "positions=rotary2d", ...(columns ? [columns] : [])])], task);
  expect(merged().model.columns).toBe(4);
  expect(merged("columns=4").model.columns).toBe(4);
  expect(() => merged("columns=8")).toThrow("--set: columns: got 8, sudoku4 has 4");
  const row = taskOf({ name: "tokens", cells: 40, vocabulary: 3 });
  expect(() => mergeSettings([parseSet(["mixer=attention", "positions=rotary2d"])], row)).toThrow(
    `--set: positions: got "rotary2d", ${row.name} has a single row of cells`,
  );
});

describe("an error in the settings", () => {
  const yaml = () => readConfigFile(file("h.yaml", "hiddenSize: 30\n"));
  it.each([
    [["lerningRate=1"], '--set: unknown key "lerningRate", did you mean "learningRate"?'],
    [["n=0"], "--set: n: "],
    [["n=abc"], "--set: n: "],
    [["sequenceLength=81"], "--set: sequenceLength: got 81, sudoku4 has 16"],
    [["mixer=attention", "heads=4"], "h.yaml: hiddenSize: expected a multiple of heads, got 30"],
  ])("names its source: %j", (assignments, message) => {
    expect(() => mergeSettings([yaml(), parseSet(assignments)], task)).toThrow(message);
  });
});

it.each(taskNames.flatMap((name) => presetNames.map((preset) => [name, preset] as const)))(
  "the configuration of task %s and preset %s is valid",
  (name, preset) => {
    const { settings, data } = presetFor(preset, name);
    const { clues } = data;
    const config = mergeSettings(
      [{ where: preset, settings }],
      taskOf(clues === undefined ? { name } : { name, clues }),
    );
    expect(config.model.mixer).toBe(name === "maze" && preset !== "small" ? "attention" : "mlp");
    if (preset === "official") expect(config.training.haltingLossWeight).toBe(0.5);
    if (preset === "paper") {
      expect(config.training).toMatchObject({ haltingLossWeight: 1, optimizer: "adamW", refill: "batch" });
      expect(config.model.n).toBe(6);
    }
  },
);

describe("a setting with the name of a property that every object has", () => {
  it.each(["__proto__", "constructor", "toString"])("is unknown: %s", (key) => {
    const sources = [parseSet([`${key}={"hiddenSize":16}`])];
    expect(() => mergeSettings(sources, task)).toThrow(`--set: unknown key "${key}"`);
  });
});

it("an error of a setting shows a value that JSON does not have", () => {
  expect(() => mergeSettings([parseSet(["learningRate=1e999"])], task)).toThrow("--set: learningRate: ");
  expect(() => mergeSettings([parseSet(["learningRate=1e999"])], task)).toThrow(/got Infinity$/);
  const settings = { n: 3n, vocabularySize: 6, sequenceLength: 16 } as Record<string, unknown>;
  expect(() => parseConfig(settings, "settings")).toThrow(/^settings: n: .*, got the BigInt 3n$/);
});

it("an option that is a number takes decimal numbers only", () => {
  expect([".5", "1e2", "-3", "+1."].map(decimal)).toEqual([0.5, 100, -3, 1]);
  for (const text of ["", " ", "0x10", "0b1", "1_000", "1e999", "NaN", "Infinity", "1,5"])
    expect(decimal(text)).toBeNaN();
  expect(() => parseHalt("q=0x10")).toThrow("Expected q, fixed");
  expect(() => parseHalt("steps=0x10")).toThrow("Expected q, fixed");
  expect(() => positiveNumber("0x10")).toThrow("Expected a number above 0.");
});
