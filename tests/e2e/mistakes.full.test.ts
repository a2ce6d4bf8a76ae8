// Mistakes of a user: one clear line on stderr, exit code 1 (2 for usage), nothing lost or half-written.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newFolder, patience, smallModel, start, trm } from "./command.ts";

const folder = newFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const run = join(folder, "run");
const out = join(folder, "never");
const inFolder = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

beforeAll(async () => {
  const { code } = await trm(
    "train",
    "--task",
    "sudoku4",
    "--puzzles",
    "100",
    "--steps",
    "2",
    "--out",
    run,
    "--set",
    ...smallModel,
  );
  expect(code).toBe(0);
}, patience);

async function expectMistake(code: number, message: RegExp | string, ...arguments_: string[]): Promise<void> {
  const finished = await trm(...arguments_);
  expect([finished.code, finished.stdout]).toEqual([code, ""]);
  const line = finished.stderr;
  expect(line).toMatch(/^trm: [^\n]+\n$/);
  if (typeof message === "string") expect(line).toContain(message);
  else expect(line).toMatch(message);
  expect(line).not.toMatch(/internal error|\bat .*:\d+:\d+\)/);
}

const train = (...more: string[]): string[] => [
  "train",
  "--task",
  "sudoku4",
  "--puzzles",
  "50",
  "--out",
  out,
  "--steps",
  "1",
  ...more,
];

describe("a puzzle", () => {
  it.each([
    ["123", "3 characters, expected 16"],
    ["1..............x", 'character 16 (row 4, column 4) is "x"'],
    ["11..............", "two 1s in row 1 (columns 1 and 2)"],
  ])("is rejected if it is malformed: %s", (puzzle, message) => expectMistake(1, message, "solve", run, puzzle));
});

describe("a CSV", () => {
  const header = "source,question,answer,rating\n";
  const good = "x,1...............,1234341221434321,0\n";
  it.each([
    ["fields", `${header}${good}x,1...,1234\n`, /fields\.csv:3:\d+: 3 fields, expected 4/],
    ["length", `${header}${good}x,1...,1234,0\n`, /length\.csv:3:3: question: sudoku4: 4 characters, expected 16/],
    ["answer", `${header}x,1...............,1234341221434322,0\n`, /answer\.csv:2:20: answer: sudoku4: two 2s/],
    ["header", good, /header\.csv:1:1: header .* expected source,question,answer,rating/],
    ["empty", header, /empty\.csv: no puzzles/],
  ])("is rejected with file, line and column: %s", (name, text, message) =>
    expectMistake(1, message, "eval", run, "--csv", inFolder(`${name}.csv`, text)),
  );
  it("is rejected if there is no such file", () =>
    expectMistake(
      1,
      "no.csv: cannot read: no such file or folder",
      "eval",
      run,
      "--json",
      "--csv",
      join(folder, "no.csv"),
    ));
});

describe("a checkpoint", () => {
  const broken = join(folder, "broken");
  const ema = join(broken, "checkpoint-0000002/ema.safetensors");
  const withHeader = (json: string, data = 0): Uint8Array => {
    const bytes = Buffer.alloc(8 + json.length + data);
    bytes.writeBigUInt64LE(BigInt(json.length));
    bytes.write(json, 8);
    return bytes;
  };
  const hostile: [name: string, spoil: () => void, message: RegExp][] = [
    ["truncated", () => truncateSync(ema, 500), /ema\.safetensors: .*truncated/],
    ["oversized header", () => writeFileSync(ema, Buffer.alloc(16, 0xff)), /ema\.safetensors: header of \d+ bytes/],
    [
      "overlapping offsets",
      () =>
        writeFileSync(
          ema,
          withHeader(
            '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
            4,
          ),
        ),
      /ema\.safetensors: tensor "b" .*overlaps/,
    ],
    [
      "offsets out of range",
      () => writeFileSync(ema, withHeader('{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}', 4)),
      /ema\.safetensors: tensor "a": data_offsets/,
    ],
    [
      "wrong dtype",
      () => writeFileSync(ema, withHeader('{"a":{"dtype":"Q4","shape":[1],"data_offsets":[0,4]}}', 4)),
      /ema\.safetensors: tensor "a": dtype "Q4"/,
    ],
    ["no weights file", () => rmSync(ema), /no ema\.safetensors/],
    [
      "JSON cut off",
      () => truncateSync(join(broken, "checkpoint-0000002/checkpoint.json"), 40),
      /checkpoint\.json: not JSON/,
    ],
  ];
  it.each(hostile)("is rejected by eval and train --resume if it is broken: %s", async (_, spoil, message) => {
    rmSync(broken, { recursive: true, force: true });
    cpSync(run, broken, { recursive: true });
    // Without checksums, as in checkpoints of earlier versions, the parser has to find the error.
    const side = join(broken, "checkpoint-0000002/checkpoint.json");
    writeFileSync(side, JSON.stringify({ ...JSON.parse(readFileSync(side, "utf8")), checksums: undefined }));
    spoil();
    await expectMistake(1, message, "eval", broken, "--json");
    const before = readdirSync(broken);
    await expectMistake(1, message, "train", "--resume", broken, "--steps", "3");
    expect(readdirSync(broken)).toEqual(before);
  });
  it.each([
    ["eval", ["eval", join(folder, "none")]],
    ["solve", ["solve", join(folder, "none"), "1..............."]],
    ["info", ["info", join(folder, "none")]],
    ["train --resume", ["train", "--resume", join(folder, "none")]],
  ])("is rejected by %s if there is no such folder", (_, arguments_) =>
    expectMistake(1, "none: no such folder", ...arguments_),
  );
  it("is rejected if the folder holds none", () => expectMistake(1, /contains no checkpoint/, "info", folder));
});

describe("settings", () => {
  it.each([
    [["--set", "lerningRate=1"], '--set: unknown key "lerningRate", did you mean "learningRate"?'],
    [["--set", "hiddenSize=-4"], "--set: hiddenSize: "],
    [["--set", "n=many"], "--set: n: "],
    [["--set", "hiddenSize=1000000000"], "memory is full, could not add"],
    [["--set", "sequenceLength=81"], "sudoku4 has 16"],
    [["--config", join(folder, "no.yaml")], "no.yaml: cannot read: no such file or folder"],
    [["--puzzles", "1000000"], "expected at most 85632"],
    [["--side", "9"], "got a side, expected none"],
    [["--longer-than", "9"], "got a length of paths, expected none"],
  ])("are checked before the run folder is created: %j", async (more, message) => {
    await expectMistake(1, message, ...train(...more));
    expect(existsSync(out)).toBe(false);
  });
  it("are rejected with the name of the file for an unknown key", () =>
    expectMistake(
      1,
      'c.yaml: unknown key "H_cicles", did you mean',
      ...train("--config", inFolder("c.yaml", "H_cicles: 3\n")),
    ));
  it("are rejected with the name of the file if it is not YAML", () =>
    expectMistake(1, "d.yaml: ", ...train("--config", inFolder("d.yaml", "a: [1\n"))));
});

describe("wrong usage", () => {
  it.each([
    [[], ""],
    [["frobnicate"], "unknown command 'frobnicate'"],
    [["eval", "x", "--frob"], "unknown option '--frob'"],
    [["solve", "sudoku4"], "solve: missing required argument 'puzzle' after sudoku4"],
    [["solve", "-", "--all"], "solve: --all needs a single puzzle, but - reads many puzzles from standard input"],
    [train("--lr", "1e-3"), "train: unknown option '--lr', expected --set learningRate=VALUE"],
    [train("--batch-size", "8"), "train: unknown option '--batch-size', expected --set batchSize=VALUE"],
    [["train"], "is missing (tasks: sudoku4, sudoku6, sudoku9, maze)"],
    [
      ["train", "--task", "sudoku5"],
      "train --task sudoku5: expected one of sudoku4, sudoku6, sudoku9, maze, or a module such as ./gravity.mjs",
    ],
    [train("--preset", "big"), "Allowed choices are small, official, paper"],
    [train("--backend", "cuda"), "Allowed choices are reference, wasm, gpu, auto"],
    [train("--set", "n"), "--set n: expected key=value"],
    [train("--minutes", "soon"), "Expected a number above 0"],
    [train("--minutes", "-1"), "Expected a number above 0"],
    [train("--steps", "1.5"), "Expected a whole number"],
    [train("--threads", "0"), "Expected auto or a whole number from 1 to 256"],
    [train("--threads", "100000"), "option '--threads <n>' argument '100000' is invalid"],
    [train("--seed", "x"), "Expected a whole number"],
    [train("--seed", "9007199254740992"), "Expected a whole number of at most 9007199254740991"],
    [["train", "--resume", ""], "train: --resume <dir> is empty"],
    [["eval", "sudoku4", "--data", ""], "eval: --data <dir> is empty"],
    [["info", ""], "info: dir is empty"],
    [["eval", run, "--halt", "steps=3,steps=5"], "Expected q or fixed and steps=N once each"],
    [["train", "--resume", run, "--seed", "1"], "cannot be used with option '--seed <n>'"],
    [["ablate", "--resume", "--minutes", "1"], "cannot be used with option '--minutes <m>'"],
    [["eval", run, "--k", "1"], "--k requires --arc"],
    [["eval", run, "--out", "x"], "--out requires --arc"],
    [["eval", run, "--arc", "--svg", "x.svg"], "cannot be used with option '--svg <file>'"],
  ])("is explained in one line: %j", async (arguments_, message) => {
    if (message !== "") return expectMistake(2, message, ...arguments_);
    const { code, stderr } = await trm(...arguments_); // no command at all: the help
    expect([code, stderr.startsWith("Usage: trm")]).toEqual([2, true]);
  });
  it.each([
    [["eval"], "eval: missing required argument 'dir'", "npx trm eval [options] <dir>"],
    [["solve"], "solve: missing required argument 'puzzle'", "npx trm solve [options] [model] <puzzle...>"],
    [["data", "maze"], "data maze: required option '--from <dir>' not specified", "npx trm data maze [options]"],
  ])("is followed by the usage line if an argument is missing: %j", async (arguments_, message, usage) => {
    const { code, stdout, stderr } = await trm(...arguments_);
    expect([code, stdout, stderr]).toEqual([2, "", `trm: ${message}\nusage: ${usage}\n`]);
  });
  it("covers the backend in the environment", async () => {
    const { code, stderr } = await start(["eval", run], { TRM_BACKEND: "cuda" }).finished;
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^trm: .*"cuda", expected one of reference, wasm, gpu, auto\n$/),
    ]);
  });
});

describe("an output folder", () => {
  it("is rejected if it holds a run", async () => {
    const before = readFileSync(join(run, "metrics.jsonl"));
    await expectMistake(
      1,
      /holds a run already: train --resume .* continues it, --force moves it to .*\.previous/,
      "train",
      "--task",
      "sudoku4",
      "--out",
      run,
    );
    expect(readFileSync(join(run, "metrics.jsonl"))).toEqual(before);
  });
  it("is rejected if it holds other files, also with --force", async () => {
    const thesis = join(folder, "thesis");
    mkdirSync(thesis);
    writeFileSync(join(thesis, "chapter1.txt"), "");
    for (const more of [[], ["--force"]]) {
      await expectMistake(1, "exists and is not a run of trm", "train", "--task", "sudoku4", "--out", thesis, ...more);
      expect(readdirSync(thesis)).toEqual(["chapter1.txt"]);
    }
  });
  it("is rejected if it cannot be created", async () => {
    const below = join(inFolder("file", ""), "run");
    await expectMistake(
      1,
      "a part of the path is a file",
      "train",
      "--task",
      "sudoku4",
      "--puzzles",
      "50",
      "--out",
      below,
    );
    if (process.platform === "linux") {
      await expectMistake(
        1,
        "/proc/run: cannot write: no such file or folder",
        "train",
        "--task",
        "sudoku4",
        "--puzzles",
        "50",
        "--out",
        "/proc/run",
      );
    }
  });
});

it("TRM_DEBUG=1 adds the stack to an error", async () => {
  const { code, stderr } = await start(["info", join(folder, "none")], { TRM_DEBUG: "1" }).finished;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^trm: .*\n.*CheckpointError: [\s\S]*at /);
});

describe("options", () => {
  const puzzle = "..1.3.....4.2...";
  it.each([
    [["solve", puzzle, "--sigma", "2"], "solve: --sigma requires --rollouts"],
    [["solve", puzzle, "--noise-seed", "4"], "solve: --noise-seed requires --rollouts"],
    [["solve", puzzle, "--rollouts", "2", "--all"], "solve: got --rollouts and --all, expected one of them"],
    [["solve", "-", "--checkpoint", "best"], "solve: --checkpoint requires a model before -"],
    [["solve", puzzle, "--rollouts", "2", "--sigma", "1e38"], "Expected a number from 0 to 1000"],
    [["metrics", run, "--csv", "--json"], "metrics: got --csv and --json, expected one of them"],
    [["import", "model.safetensors", "--out", out, "--longer-than", "5"], "import: --longer-than requires --task"],
    [["plot", run, "--out", join(folder, "a.html"), "--svg", `${folder}/./a.html`], "name the same file"],
    [["arc-score", "--data", "d", "--predictions", "p", "--out", out, "--attempts", "1000000000"], "from 1 to 1000"],
  ])("that have no effect or contradict each other are refused: %j", (words, message) =>
    expectMistake(2, message, ...words),
  );

  it("never let a picture replace the puzzles that it is about", async () => {
    const csv = inFolder("kept.csv", `source,question,answer,rating\nx,${puzzle},2413314213244231,0\n`);
    const before = readFileSync(csv);
    for (const command of ["eval", "probe"]) {
      await expectMistake(2, "name the same file", command, "sudoku4", "--csv", csv, "--svg", csv);
    }
    expect(readFileSync(csv)).toEqual(before);
  });
});

describe("a model folder", () => {
  it("is named with its path if a file of it is broken", async () => {
    const broken = join(folder, "broken");
    cpSync("weights/sudoku4", broken, { recursive: true });
    truncateSync(join(broken, "model.safetensors"), 80_000);
    await expectMistake(1, join(broken, "model.safetensors"), "eval", broken);
    writeFileSync(join(broken, "config.json"), "x");
    await expectMistake(1, join(broken, "config.json"), "info", broken);
  });
});

describe("a folder of metrics", () => {
  it("must exist", () => expectMistake(1, "none: no such folder", "metrics", join(folder, "none")));
});
