// Data sets through the command line: built, trained on, evaluated, scored.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Finished, newFolder, patience, project, start, trm, until, words } from "./command.ts";

const fixtures = join(project, "tests/fixtures/parity/datasets");
const folder = newFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tiny = ["hiddenSize=16", "heads=2", "widthMultiple=8", "nSup=2", "batchSize=4"];
const json = ({ stdout, stderr }: Finished) => {
  expect(stdout.trim().split("\n"), stderr).toHaveLength(1);
  return JSON.parse(stdout);
};
const files = (dir: string) => readdirSync(dir, { recursive: true, encoding: "utf8" }).sort();
const sameBytes = (one: string, two: string) => readFileSync(one).equals(readFileSync(two));

describe("trm data", () => {
  it.each([
    ["sudoku", []],
    ["maze", ["--augment", "8"]],
  ])("%s writes the same files as the official builder", async (kind, more) => {
    const out = join(folder, `official-${kind}`);
    const report = json(
      await trm("data", kind, "--from", join(fixtures, kind, "csv"), "--out", out, "--json", ...more),
    );
    expect(report.splits.map(({ name }: { name: string }) => name)).toEqual(["train", "test"]);
    const official = join(fixtures, kind, "npy");
    expect(files(out)).toEqual(files(official));
    for (const name of files(official).filter((each) => each.includes("."))) {
      expect(sameBytes(join(out, name), join(official, name)), name).toBe(true);
    }
  });

  it("generates puzzles from which a data set can be built", async () => {
    const csv = join(folder, "csv");
    mkdirSync(csv);
    for (const [name, seed] of Object.entries({ train: "1", test: "2" })) {
      const out = join(csv, `${name}.csv`);
      const finished = json(
        await trm("data", "generate", "maze", "--side", "8", "--count", "12", "--seed", seed, "--out", out, "--json"),
      );
      expect(finished).toMatchObject({
        task: "maze8",
        count: 12,
        rating: { meaning: expect.stringContaining("steps") },
      });
    }
    const built = await trm("data", "maze", "--from", csv, "--out", join(folder, "maze"), "--subsample", "5");
    expect(built).toMatchObject({ code: 0, stderr: "" });
    expect(built.stdout).toBe(
      `${folder}/maze/train: 5 groups, 5 examples\n${folder}/maze/test: 12 groups, 12 examples\n`,
    );
  });

  it.each([
    [["sudoku", "--from", "/nowhere", "--out", "/tmp/x"], 1, "/nowhere/train.csv: cannot read: no such file or folder"],
    [["maze", "--from", join(fixtures, "maze/csv"), "--out", "/proc/x", "--augment", "8"], 1, "cannot write"],
    [
      ["maze", "--from", join(fixtures, "maze/csv"), "--out", "/tmp/x", "--augment", "3"],
      1,
      "augment 3, expected 0 or 8",
    ],
    [["sudoku", "--from", join(fixtures, "maze/csv"), "--out", "/tmp/x"], 1, "characters, expected 16, 36 or 81"],
    [
      ["arc", "--prefix", "/nowhere/arc", "--subsets", "a", "--test-set", "a", "--out", "/tmp/x"],
      1,
      "neither /nowhere/arc_a_challenges.json nor",
    ],
    [
      ["arc", "--prefix", "x", "--subsets", "a", "--test-set", "b", "--out", "/tmp/x"],
      1,
      "test set b, expected one of the subsets a",
    ],
    [["generate", "chess", "--count", "1", "--out", "/tmp/x"], 2, "data generate chess: expected one of sudoku4"],
    [["generate", "sudoku4", "--count", "90000", "--out", "/tmp/x"], 1, "expected at most 85632"],
    [["sudoku", "--out", "/tmp/x"], 2, "required option '--from <dir>'"],
  ])("rejects in one line, after which a missing option shows the usage: data %j", async (args, code, message) => {
    const finished = await trm("data", ...args);
    expect(finished.code).toBe(code);
    const [line, ...usage] = finished.stderr.trim().split("\n");
    expect(line).toContain(message);
    if (message.startsWith("required option")) expect(usage.join(" ")).toMatch(/^usage: npx trm data sudoku /);
    else expect(usage).toEqual([]);
  });
});

describe("trm train --data", () => {
  const set = join(fixtures, "sudoku/npy");
  const train = (out: string, ...more: string[]) =>
    trm("train", "--data", set, "--out", out, "--seed", "3", ...more, "--set", ...tiny);

  it("continues an interrupted run on an official set bit for bit", async () => {
    const [whole, parts] = [join(folder, "whole"), join(folder, "parts")];
    expect(await train(whole, "--steps", "6")).toMatchObject({ code: 0 });
    expect(await train(parts, "--steps", "3")).toMatchObject({ code: 0 });
    expect(await trm("train", "--resume", parts, "--steps", "6")).toMatchObject({ code: 0 });
    for (const name of ["weights", "ema", "training"]) {
      const file = `checkpoint-0000006/${name}.safetensors`;
      expect(sameBytes(join(whole, file), join(parts, file)), name).toBe(true);
    }
    expect(existsSync(join(whole, "data.safetensors"))).toBe(false);
    const info = json(await trm("info", whole, "--json"));
    expect(info.task).toEqual({ name: "sudoku9" });
    expect(info.config).toMatchObject({ vocabularySize: 11, sequenceLength: 81, puzzleIds: 1 });
  });

  it("trains a run that eval measures on the test split, but not on another set", async () => {
    const run = join(folder, "whole");
    const own = json(await trm("eval", run, "--json"));
    expect(Object.keys(own)).toEqual([
      "puzzles",
      "unlabelled",
      "exact",
      "cell",
      "interval95",
      "meanHaltStep",
      "haltCounts",
    ]);
    expect(own.puzzles).toBe(3);
    expect(json(await trm("eval", run, "--data", set, "--json"))).toEqual(own);
    expect(json(await trm("eval", run, "--csv", join(fixtures, "sudoku/csv/test.csv"), "--json"))).toEqual(own);
    const maze = await trm("eval", run, "--data", join(fixtures, "maze/npy"));
    expect(maze.code).toBe(1);
    expect(maze.stderr).toContain("puzzles of 49 cells and 6 tokens, expected 81 and 11 as in the model");
  });

  it("trains a run that eval --halt and --sweep measure with early stops", async () => {
    const [run, svg] = [join(folder, "whole"), join(folder, "sweep.svg")];
    const more = json(await trm("eval", run, "--halt", "steps=5", "--json"));
    expect(more.exact).toHaveLength(5);
    const halted = json(await trm("eval", run, "--halt", "q=-100,steps=5", "--sweep", "--svg", svg, "--json"));
    expect(halted).toMatchObject({ puzzles: 3, exitSteps: [1, 1, 1], meanSteps: 1, computeSaved: 0.8 });
    expect(halted.exact).toBe(more.exact[0]);
    expect(halted.sweep[0]).toMatchObject({ threshold: "-Infinity", meanSteps: 1 });
    expect(halted.sweep.at(-1)).toMatchObject({ threshold: "Infinity", meanSteps: 5, exact: more.exact[4] });
    expect(readFileSync(svg, "utf8")).toMatch(/^<svg /);
  });

  it("trains on generated mazes of any side", async () => {
    const out = join(folder, "maze-run");
    const finished = await trm(
      ...words("train --task maze --side 8 --longer-than 3 --puzzles 20 --steps 2 --out"),
      out,
      "--set",
      ...tiny,
    );
    expect(finished).toMatchObject({ code: 0, stderr: "" });
    expect((await trm("info", out)).stdout).toContain("maze, 8 x 8, paths longer than 3 steps");
    expect(json(await trm("eval", out, "--data", join(folder, "maze"), "--json")).puzzles).toBe(12);
  });
});

describe("ARC", () => {
  const run = join(folder, "arc");
  const set = join(fixtures, "arc/npy");
  beforeAll(async () => {
    const settings = [...tiny, "batchSize=2", "puzzleEmbeddingSize=16"];
    const finished = await trm(
      "train",
      "--data",
      set,
      "--out",
      run,
      ...words("--steps 1 --eval-every 9 --set"),
      ...settings,
    );
    expect(finished).toMatchObject({ code: 0, stderr: "" });
  }, patience);

  it("is predicted by eval --arc, and arc-score gives these predictions the same score", async () => {
    const [out, again] = [join(folder, "predictions"), join(folder, "scores")];
    const evaluated = json(await trm("eval", run, "--arc", "--data", set, "--out", out, "--k", "1,2", "--json"));
    expect(evaluated.predictions).toBe(49);
    for (const scores of [
      evaluated.voted,
      evaluated.singlePass,
      evaluated.blankId.voted,
      evaluated.blankId.singlePass,
    ]) {
      expect(Object.keys(scores)).toEqual(["ARC/pass@1", "ARC/pass@2"]);
    }
    expect(
      json(await trm("arc-score", "--data", set, "--predictions", out, "--k", "1,2", "--out", again, "--json")),
    ).toEqual(evaluated.voted);
    for (const name of ["scores.json", "submission.json"])
      expect(sameBytes(join(out, name), join(again, name))).toBe(true);
  });

  it("lets the answers of --rollouts vote; with sigma 0 the scores and the submission are those without", async () => {
    const score = async (out: string, ...args: string[]) =>
      json(
        await trm(
          ...words("eval --arc --k 1,2 --halt steps=1 --json"),
          run,
          "--data",
          set,
          "--out",
          join(folder, out),
          ...args,
        ),
      );
    const plain = await score("plain");
    expect(await score("sigma-0", "--rollouts", "1", "--sigma", "0")).toEqual(plain);
    const noisy = await score("sigma-1", "--rollouts", "2", "--sigma", "1", "--select", "mode");
    expect(noisy.predictions).toBe(plain.predictions);
    expect(Object.keys(noisy.voted)).toEqual(["ARC/pass@1", "ARC/pass@2"]);
    const submission = (out: string) => readFileSync(join(folder, out, "submission.json"), "utf8");
    expect(submission("sigma-0")).toBe(submission("plain"));
    expect(submission("sigma-1")).not.toBe(submission("plain"));
  });

  it("is built, trained, evaluated and scored on a smaller canvas", async () => {
    const tasks = join(folder, "small-canvas");
    mkdirSync(join(tasks, "all"), { recursive: true });
    const pair = (side: number) => ({ input: [new Array(side).fill(1)], output: [new Array(side).fill(2)] });
    for (const [name, side] of [
      ["small", 4],
      ["large", 5],
    ] as const) {
      writeFileSync(join(tasks, `all/${name}.json`), JSON.stringify({ train: [pair(side)], test: [pair(side)] }));
    }
    const [data, run, out, scores] = ["data", "run", "out", "scores"].map((name) => join(folder, `canvas-${name}`));
    const source = ["--prefix", tasks, ...words("--subsets all --test-set all --augment 1 --side 4")];
    const built = await trm("data", "arc", ...source, "--out", data!);
    expect([built.code, built.stdout]).toEqual([0, expect.stringContaining("1 task was left out")]);
    const settings = [...tiny, "batchSize=2", "puzzleEmbeddingSize=16", "mixer=attention", "positions=rotary"];
    const steps = words("--steps 1 --eval-every 9 --set");
    const trained = await trm("train", "--data", data!, "--out", run!, ...steps, ...settings);
    expect(trained).toMatchObject({ code: 0, stderr: "" });
    expect((await trm("info", run!)).stdout).toContain("arc, 4 x 4");
    const evaluated = json(await trm("eval", run!, "--arc", "--out", out!, "--k", "1", "--json"));
    expect(evaluated.predictions).toBe(2);
    const scored = words("--k 1 --json --out");
    expect(json(await trm("arc-score", "--data", data!, "--predictions", out!, ...scored, scores!))).toEqual(
      evaluated.voted,
    );
    const other = await trm("arc-score", "--data", set, "--predictions", out!, ...scored, scores!);
    expect(other).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("canvas-out/inputs.npy: shape [2, 16], expected [2, 900]"),
    });
    // The official evaluator reads canvases of 900 cells only.
    const exported = join(folder, "canvas-export");
    expect(await trm("export", run!, "--for", "torchrun", "--out", exported)).toMatchObject({ code: 0, stderr: "" });
    expect(readFileSync(join(exported, "config.yaml"), "utf8")).toContain("evaluators: []");
  });

  it("is scored by arc-score like by the official evaluator", async () => {
    const evaluator = join(fixtures, "arc/evaluator");
    const out = join(folder, "official-scores");
    const finished = await trm(
      ...words("arc-score --k 1,2,5,10 --data"),
      set,
      "--predictions",
      evaluator,
      "--out",
      out,
    );
    expect(finished).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(readFileSync(join(out, "scores.json"), "utf8"))).toEqual(
      JSON.parse(readFileSync(join(evaluator, "expected.json"), "utf8")),
    );
    expect(sameBytes(join(out, "submission.json"), join(evaluator, "submission.json"))).toBe(true);
  });

  it("leaves no files behind if Ctrl-C stops trm data or eval --arc", async () => {
    const tasks = join(folder, "tasks");
    mkdirSync(join(tasks, "all"), { recursive: true });
    const grid = (seed: number) =>
      Array.from({ length: 30 }, (_, row) => Array.from({ length: 30 }, (_, i) => (seed + row * i) % 10));
    const pair = (seed: number) => ({ input: grid(seed), output: grid(seed + 1) });
    for (let task = 0; task < 20; task++) {
      const text = JSON.stringify({ train: [pair(task), pair(task + 1)], test: [pair(task + 2)] });
      writeFileSync(join(tasks, "all", `task${task}.json`), text);
    }
    const built = join(folder, "interrupted-data");
    const predicted = join(folder, "interrupted-predictions");
    for (const [out, args] of [
      [join(built, "train"), words(`data arc --prefix ${tasks} --subsets all --test-set all --out ${built}`)],
      [predicted, words(`eval ${run} --arc --data ${set} --halt steps=200 --out ${predicted}`)],
    ] as const) {
      const { child, finished } = start(args);
      await until(() => existsSync(out) && files(out).some((name) => name.includes(".tmp-")));
      child.kill("SIGINT");
      expect(await finished).toMatchObject({ code: 130, stderr: "trm: interrupted\n" });
      expect(existsSync(out)).toBe(false);
    }
  });

  it("keeps unknown answers out of the score, and predicts them for the submission", async () => {
    const kaggle = join(folder, "kaggle");
    mkdirSync(kaggle);
    const pair = { input: [[1, 0]], output: [[0, 1]] };
    const write = (name: string, value: object) =>
      writeFileSync(join(kaggle, `arc_${name}.json`), JSON.stringify(value));
    write("a_challenges", { task1: { train: [pair], test: [{ input: pair.input }] } });
    write("a_solutions", { task1: [pair.output] });
    write("b_challenges", { task2: { train: [pair], test: [{ input: pair.input }] } });
    const data = join(folder, "unknown");
    const source = words(`--prefix ${kaggle}/arc --augment 1 --subsets a,b --test-set b`);
    const { code, stdout } = await trm("data", "arc", ...source, "--out", data);
    expect([code, stdout]).toEqual([0, expect.stringContaining("the answers of 1 of 1 test pairs are unknown")]);
    const own = join(folder, "unknown-run");
    const trained = await trm(
      "train",
      "--data",
      data,
      "--out",
      own,
      ...words("--steps 3 --eval-every 1 --set puzzleEmbeddingSize=16"),
      ...tiny,
    );
    expect(trained).toMatchObject({ code: 0, stderr: "" });
    expect(trained.stdout).toContain("unseen   0 evaluated during training");
    const evaluated = await trm("eval", own);
    expect([evaluated.code, evaluated.stderr]).toEqual([1, expect.stringContaining("2 puzzles without labels")]);
    const out = join(folder, "unknown-predictions");
    const predicted = await trm("eval", own, "--arc", "--out", out);
    expect(predicted).toMatchObject({ code: 0, stderr: "" });
    expect(predicted.stdout).toContain("the answers of 1 of 1 test pairs are unknown: nothing can be scored");
    expect(predicted.stdout).not.toContain("%");
    expect(Object.keys(JSON.parse(readFileSync(join(out, "submission.json"), "utf8")))).toEqual(["task2"]);
  });

  it("rejects missing options and files in one line", async () => {
    for (const [args, message] of [
      [["eval", run, "--arc"], "missing --out DIR"],
      [["eval", run, "--arc", "--out", "/tmp/x", "--halt", "q"], "runs all steps"],
      [["eval", run, "--arc", "--data", "/none", "--out", "/tmp/x"], "no test/dataset.json, expected"],
      [
        ["arc-score", "--data", join(fixtures, "maze/npy"), "--predictions", "/tmp", "--out", "/tmp/x"],
        "maze/npy: no test_puzzles.json, expected an ARC data set",
      ],
      [
        ["arc-score", "--data", set, "--predictions", "/tmp", "--out", "/tmp/x"],
        "/tmp/puzzle_identifiers.npy: cannot read",
      ],
    ] as const) {
      const finished = await trm(...args);
      expect(finished.code).not.toBe(0);
      expect(finished.stderr.trim().split("\n")).toHaveLength(1);
      expect(finished.stderr).toContain(message);
      expect(finished.stdout).toBe("");
    }
  });
});

describe("trm ablate", () => {
  const out = join(folder, "ablation");
  const small = words(`ablate --out ${out} --minutes 0.005 --puzzles 100 --seeds 1 --rows trm,direct --json`);
  const keysOf = ({ rows }: { rows: { key: string }[] }) => rows.map(({ key }) => key);

  it("trains the missing rows and seeds, and no finished one again", async () => {
    const first = json(await trm(...small, "--set", ...tiny));
    expect(keysOf(first)).toEqual(["trm", "direct"]);
    expect(first.rows[0].paperFullScale).toMatchObject({ exactPercent: 87.4, quoted: true });
    const cell = readFileSync(join(out, "cell-trm-seed1.json"));
    const second = json(
      await trm(...words(`ablate --out ${out} --resume --seeds 2 --rows trm,direct,single-z --json`)),
    );
    expect(second.rows[0].oursSmallScale.exactPercent.bySeed).toHaveLength(2);
    expect(second.budget).toBe(first.budget);
    expect(readFileSync(join(out, "cell-trm-seed1.json")).equals(cell)).toBe(true);
    const refused = await trm(...small);
    expect(refused.stderr).toContain("holds an ablation already: --resume continues it");
  });

  it("continues with the rows and seeds that it was started or last continued with", async () => {
    rmSync(join(out, "cell-direct-seed2.json"));
    const { rows, seeds } = json(await trm("ablate", "--out", out, "--resume", "--json"));
    expect(seeds).toBe(2);
    const finished = rows.map((row: { key: string; oursSmallScale: { exactPercent: { bySeed: number[] } } | null }) => [
      row.key,
      row.oursSmallScale?.exactPercent.bySeed.length,
    ]);
    expect(finished).toEqual([
      ["trm", 2],
      ["direct", 2],
      ["single-z", 2],
    ]);
    expect(readdirSync(out).filter((name) => name.startsWith("cell-"))).toHaveLength(6);
  });

  it("trains the row trm for exactly the given steps, on any machine, and the others with as many operations", async () => {
    const args = words(`ablate --task maze --side 7 --puzzles 50 --seeds 1 --rows trm,direct --steps 4 --json`);
    const { rows, steps, scale } = json(await trm(...args, "--out", `${out}-maze`, "--set", ...tiny));
    expect([steps, rows[0].oursSmallScale.steps]).toEqual([4, 4]);
    const [first, second] = rows.map((row: { oursSmallScale: { flops: number } }) => row.oursSmallScale.flops);
    expect(second).toBeLessThanOrEqual(first);
    expect(second).toBeGreaterThan(first / 2);
    expect(scale).toContain("maze 7x7");
  });

  it("continues a folder from before the rows were stored with the rows of its finished cells", async () => {
    const { rows: _rows, seeds: _seeds, ...older } = JSON.parse(readFileSync(join(out, "ablation.json"), "utf8"));
    const copy = `${out}-older`;
    cpSync(out, copy, { recursive: true });
    writeFileSync(join(copy, "ablation.json"), JSON.stringify(older));
    const { rows } = json(await trm("ablate", "--out", copy, "--resume", "--seeds", "2", "--json"));
    expect(keysOf({ rows })).toEqual(["trm", "single-z", "direct"]);
  });

  it.each([
    ["--rows trm,eqr", "--rows trm,eqr: leaves out direct, expected at least trm,direct,single-z as in the ablation"],
    ["--seeds 1", "--seeds 1: expected at least 2 as in the ablation"],
    ["--task sudoku6", "--task sudoku6: expected sudoku4 as in the ablation"],
  ])("refuses to continue with options that contradict the stored ones: %s", async (option, message) => {
    const before = readFileSync(join(out, "ablation.json"), "utf8");
    const { code, stdout, stderr } = await trm(...words(`ablate --out ${out} --resume ${option}`));
    expect([code, stdout, stderr]).toEqual([2, "", `trm: ablate: ${message} in ${out}\n`]);
    expect(readFileSync(join(out, "ablation.json"), "utf8")).toBe(before);
  });

  it("starts every row from the weights of --init, and refuses to go on if they have changed", async () => {
    const start = `${out}-start`;
    cpSync("weights/sudoku4", start, { recursive: true });
    const args = words(
      `ablate --out ${out}-init --init ${start} --steps 1 --puzzles 100 --seeds 1 --rows trm,eqr --json`,
    );
    const { rows, init, scale } = json(await trm(...args));
    // The shipped model solves the task, and a single step does not change that.
    expect(rows[0].oursSmallScale.exactPercent.mean).toBeGreaterThan(95);
    expect(init).toMatchObject({ source: start, weights: "stored" });
    expect(scale).toContain(`from the weights of ${start}`);
    const weights = join(start, "model.safetensors");
    const bytes = readFileSync(weights);
    writeFileSync(weights, bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1));
    const { code, stderr } = await trm("ablate", "--out", `${out}-init`, "--resume", "--seeds", "2");
    expect([code, stderr]).toEqual([
      1,
      `trm: ${start}: the weights have changed since the ablation started from them\n`,
    ]);
    // A finished ablation is shown without them.
    expect(json(await trm("ablate", "--out", `${out}-init`, "--resume", "--json")).rows).toEqual(rows);
  });

  it("refuses a row whose model the weights of --init do not fit, before it trains one", async () => {
    const args = words(`ablate --out ${out}-misfit --init sudoku4 --steps 1 --rows trm,separate-nets`);
    const { code, stderr } = await trm(...args);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^trm: row separate-nets: .*model\.safetensors.*\n$/)]);
    expect(existsSync(`${out}-misfit`)).toBe(false);
  });
});
