// Export of runs to the official form and import: no bit changes, and official weights give the official code's numbers.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { exportCommand } from "../../../src/cli/commands/export.ts";
import { importCommand } from "../../../src/cli/commands/import.ts";
import { trainCommand } from "../../../src/cli/commands/train.ts";
import { InterruptedError } from "../../../src/cli/explain.ts";
import { temporaryName } from "../../../src/formats/index.node.ts";
import { parseSafetensors, serializeSafetensors, toFloat32, type WritableTensor } from "../../../src/formats/index.ts";
import { parsePt } from "../../../src/formats/pt.ts";
import { serializePt } from "../../../src/formats/pt-writer.ts";
import { taskOf, taskOfData } from "../../../src/puzzles/named-task.ts";
import { readDataMetadata } from "../../../src/puzzles/official-layout/data-folder.node.ts";
import { readCheckpoint } from "../../../src/runs/checkpoint-folder.node.ts";
import { formatOfficialConfig, parseOfficialConfig } from "../../../src/runs/exchange/config-file.ts";
import { exportRun } from "../../../src/runs/exchange/export.node.ts";
import { readRunSets, readWeights } from "../../../src/runs/exchange/import.node.ts";
import { fromOfficialConfig, toOfficialConfig } from "../../../src/runs/exchange/official-config.ts";
import { parseWeights } from "../../../src/runs/exchange/weights-file.ts";
import { lockFolder } from "../../../src/runs/folder-lock.node.ts";
import { exportWeights } from "../../../src/runs/index.ts";
import { readRun, readSets, WritableRun } from "../../../src/runs/run-folder.node.ts";
import { importWeights } from "../../../src/runs/weights.ts";
import { Random } from "../../../src/tensor/index.ts";
import { ConfigError, Model, parseConfig } from "../../../src/trm/index.ts";
import { predictions } from "../../../src/trm/prediction.ts";
import { runCommand } from "../../cli/run-command.ts";
import { projectRoot } from "../../source.ts";
import { officialCase, parityFolder, systemFolders } from "./parity-cases.ts";
import { makeRun, newFolder } from "./runs.ts";

const folders: string[] = [];
const temporary = (): string => {
  const folder = newFolder();
  folders.push(folder);
  return folder;
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** The contents of all files below a folder, by relative path. */
function filesOf(folder: string, below = ""): Map<string, Buffer> {
  const result = new Map<string, Buffer>();
  for (const name of readdirSync(join(folder, below)).toSorted()) {
    const path = join(below, name);
    if (statSync(join(folder, path)).isDirectory())
      for (const [key, bytes] of filesOf(folder, path)) result.set(key, bytes);
    else result.set(path, readFileSync(join(folder, path)));
  }
  return result;
}

async function importByCommand(...args: string[]): Promise<string> {
  const lines: string[] = [];
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
  try {
    await importCommand()
      .exitOverride()
      .parseAsync([...args, "--backend", "reference"], { from: "user" });
  } finally {
    write.mockRestore();
  }
  return lines.join("");
}

describe("export, import and a second export", () => {
  it.each([
    ["sudoku4, MLP, EMA", { name: "sudoku4" }, {}, false],
    ["sudoku4, augmented, puzzle rows", { name: "sudoku4" }, { puzzleEmbeddingSize: 20, puzzleSlots: 2 }, true],
    [
      "maze, attention, no EMA",
      { name: "maze", side: 7 },
      { mixer: "attention", positions: "rotary", emaRate: 0 },
      true,
    ],
    [
      "HRM",
      { name: "sudoku4" },
      { separateNets: true, oneStepGradient: true, continueLoss: true, mixer: "attention", layers: 1, layersY: 1 },
      false,
    ],
  ] as const)("give identical files: %s", async (_, choice, settings, augment) => {
    const { path, config } = await makeRun(choice, settings, { steps: 2, augment });
    folders.push(dirname(path));
    const [first, second, back] = [temporary(), temporary(), join(temporary(), "back")];
    await exportRun({ run: path, out: first, target: "torchrun" });
    await importByCommand(join(first, "model.safetensors"), "--out", back);
    await exportRun({ run: back, out: second, target: "torchrun" });
    expect(filesOf(second)).toEqual(filesOf(first));

    const { side, files } = readCheckpoint(back);
    expect(side.config).toEqual(config);
    const before = readCheckpoint(path).files;
    for (const name of ["weights.safetensors", "ema.safetensors"]) expect(files.get(name)).toEqual(before.get(name));
    expect(readSets(back)).toEqual(readSets(path));
    expect(readRun(back)).toMatchObject({ task: choice, data: readRun(path).data });
    WritableRun.resume(back).run.close(); // can be trained further
  });

  it("give identical files through the .pt file for the unmodified code", async () => {
    const settings = { widthMultiple: 256, puzzleEmbeddingSize: 16, puzzleSlots: 2 };
    const { path } = await makeRun({ name: "sudoku4" }, settings, { steps: 1 });
    folders.push(dirname(path));
    const [first, second, back] = [temporary(), temporary(), join(temporary(), "back")];
    const { files, notes } = await exportRun({ run: path, out: first, target: "official" });
    expect(files).toEqual(["model.safetensors", "ema.safetensors", "model.pt", "data/", "config.yaml"]);
    expect(notes).toEqual([]);
    expect([...parsePt(readFileSync(join(first, "model.pt"))).tensors.keys()]).toContain(
      "_orig_mod.model.inner.H_init",
    );
    await importByCommand(join(first, "model.pt"), "--out", back);
    await exportRun({ run: back, out: second, target: "official" });
    expect(filesOf(second)).toEqual(filesOf(first));
  });
});

describe("export", () => {
  it("writes symmetric copies of the training puzzles of a run with augmentation, and of no others", async () => {
    const { path } = await makeRun({ name: "sudoku6" }, {}, { augment: true, train: 3 });
    folders.push(dirname(path));
    const out = temporary();
    await exportRun({ run: path, out, target: "torchrun", augment: 4 });
    const json = (split: string) => JSON.parse(readFileSync(join(out, "data", split, "dataset.json"), "utf8"));
    expect(json("train")).toMatchObject({ total_groups: 3, mean_puzzle_examples: 1, seq_len: 36, vocab_size: 8 });
    expect(statSync(join(out, "data/train/all__inputs.npy")).size).toBe(128 + 3 * 5 * 36);
    expect(statSync(join(out, "data/test/all__inputs.npy")).size).toBe(128 + 4 * 36);
    expect(readRunSets(join(out, "data"), taskOf({ name: "sudoku6" }))).toEqual(readSets(path));
  });

  it("refuses unofficial widths before it writes anything", async () => {
    const { path } = await makeRun({ name: "sudoku4" });
    folders.push(dirname(path));
    const out = join(temporary(), "exported");
    await expect(exportRun({ run: path, out, target: "official" })).rejects.toThrow(ConfigError);
    await expect(exportCommand().exitOverride().parseAsync([path, "--out", out], { from: "user" })).rejects.toThrow(
      "widthMultiple 8",
    );
    expect(existsSync(out)).toBe(false);
  });

  it("replaces an earlier export but no other files", async () => {
    const [wide, small] = [{ widthMultiple: 256 }, { emaRate: 0 }];
    const [first, second] = [await makeRun({ name: "sudoku4" }, wide), await makeRun({ name: "sudoku4" }, small)];
    folders.push(dirname(first.path), dirname(second.path));
    const out = temporary();
    await exportRun({ run: first.path, out, target: "official" });
    mkdirSync(join(out, "checkpoints"));
    await exportRun({ run: second.path, out, target: "torchrun" });
    expect(readdirSync(out).toSorted()).toEqual(["checkpoints", "config.yaml", "data", "model.safetensors"]);
    const other = temporary();
    writeFileSync(join(other, "config.yaml"), "mine: true");
    await expect(exportRun({ run: first.path, out: other, target: "official" })).rejects.toThrow(
      "is not an export of trm",
    );
    expect(readdirSync(other)).toEqual(["config.yaml"]);
  });

  it("refuses to replace the data set that the run trains on, or the run itself, also through a link", async () => {
    const { path } = await makeRun({ name: "sudoku4" });
    folders.push(dirname(path));
    const [out, elsewhere] = [temporary(), temporary()];
    await exportRun({ run: path, out, target: "torchrun" });
    const link = join(elsewhere, "link");
    symlinkSync(out, link);
    const tiny = ["hiddenSize=8", "heads=1", "widthMultiple=8", "T=1", "n=1", "nSup=1", "batchSize=2"];
    const train = (data: string, run: string): Promise<string> =>
      runCommand(trainCommand(), "--data", data, "--out", run, "--steps", "0", "--set", ...tiny);
    const [outside, linked, inside] = [join(elsewhere, "a"), join(elsewhere, "b"), join(out, "data", "run")];
    await train(join(out, "data"), outside);
    await train(join(link, "data"), linked);
    cpSync(path, inside, { recursive: true });
    const before = filesOf(out);
    for (const run of [outside, linked]) {
      await expect(runCommand(exportCommand(), run, "--out", out, "--for", "torchrun")).rejects.toThrow(
        `${join(out, "data")} would be replaced, but the data set of ${run} is in it: choose another --out`,
      );
    }
    await expect(runCommand(exportCommand(), inside, "--out", link, "--for", "torchrun")).rejects.toThrow(
      `${join(link, "data")} would be replaced, but the run ${inside} is in it: choose another --out`,
    );
    expect(filesOf(out)).toEqual(before);
  });

  it("that is interrupted keeps an earlier export, and leaves nothing in a new folder", async () => {
    const { path } = await makeRun({ name: "sudoku6" });
    folders.push(dirname(path));
    const [earlier, fresh] = [temporary(), join(temporary(), "exported")];
    await exportRun({ run: path, out: earlier, target: "torchrun" });
    const before = filesOf(earlier);
    for (const out of [earlier, fresh]) {
      setTimeout(() => process.emit("SIGINT"), 300);
      const started = runCommand(exportCommand(), path, "--out", out, "--for", "torchrun", "--augment", "1000000");
      await expect(started).rejects.toThrow(InterruptedError);
    }
    expect(filesOf(earlier)).toEqual(before);
    expect(existsSync(fresh)).toBe(false);
    expect(readdirSync(dirname(fresh))).toEqual([]);
  });

  it.skipIf(process.platform === "win32")("that fails keeps an earlier export", async () => {
    const { path } = await makeRun({ name: "sudoku4" });
    folders.push(dirname(path));
    const out = temporary();
    await exportRun({ run: path, out, target: "torchrun" });
    const before = filesOf(out);
    // The shell limits files to 1 kB; ignoring the signal turns the limit into the error EFBIG.
    const command = `trap '' XFSZ; ulimit -f 1; node --import tsx src/cli/main.ts export ${path} --out ${out} --for torchrun`;
    const { status, stderr } = spawnSync("bash", ["-c", command], { cwd: projectRoot, encoding: "utf8" });
    const problem = `trm: ${join(out, "model.safetensors")}: cannot write: the file would be too large\n`;
    expect([status, stderr]).toEqual([1, problem]);
    expect(filesOf(out)).toEqual(before);
  });

  it("replaces what a process left that was killed while it exported", async () => {
    const { path } = await makeRun({ name: "sudoku4" });
    folders.push(dirname(path));
    const out = temporary();
    const { pid } = spawnSync(process.execPath, ["--version"]);
    mkdirSync(join(out, basename(temporaryName("files")).replace(String(process.pid), String(pid)), "new"), {
      recursive: true,
    });
    writeFileSync(join(out, "lock"), JSON.stringify({ pid, host: hostname(), started: null }));
    await exportRun({ run: path, out, target: "torchrun" });
    expect(readdirSync(out)).toEqual(["config.yaml", "data", "ema.safetensors", "model.safetensors"]);
  });

  it("keeps files of the user whose names begin as those of temporary files, and refuses a folder that holds one", async () => {
    const { path } = await makeRun({ name: "sudoku4" });
    folders.push(dirname(path));
    const out = temporary();
    writeFileSync(join(out, ".tmp-note"), "precious");
    await expect(exportRun({ run: path, out, target: "torchrun" })).rejects.toThrow(
      `${out} exists and is not an export of trm: choose another --out`,
    );
    rmSync(join(out, ".tmp-note"));
    await exportRun({ run: path, out, target: "torchrun" });
    writeFileSync(join(out, ".tmp-note"), "precious");
    await exportRun({ run: path, out, target: "torchrun" });
    expect(readFileSync(join(out, ".tmp-note"), "utf8")).toBe("precious");
  });

  it("is refused while another process exports to the same folder, also to a new one, and changes nothing", async () => {
    const { path } = await makeRun({ name: "sudoku4" });
    folders.push(dirname(path));
    const out = temporary();
    const lock = lockFolder(out);
    await expect(exportRun({ run: path, out, target: "torchrun" })).rejects.toThrow(
      `${out}: process ${process.pid} is writing this export`,
    );
    expect(readdirSync(out)).toEqual(["lock"]);
    lock.release();
    await exportRun({ run: path, out, target: "torchrun" });
    expect(readdirSync(out)).not.toContain("lock");
  });

  it("refuses puzzles that the run was not trained on before it writes anything", async () => {
    const { path } = await makeRun({ name: "sudoku4" });
    const other = await makeRun({ name: "sudoku4" }, {}, { train: 12 });
    folders.push(dirname(path), dirname(other.path));
    const out = join(temporary(), "exported");
    cpSync(join(other.path, "data.safetensors"), join(path, "data.safetensors"));
    await expect(runCommand(exportCommand(), path, "--out", out, "--for", "torchrun")).rejects.toThrow(
      `the puzzles in ${path}: is not the data set of ${path}: the training puzzles`,
    );
    expect(existsSync(out)).toBe(false);
  });

  it("refuses --augment for a run on a data set, which it does not copy", async () => {
    const { path } = await makeRun({ name: "sudoku4" });
    folders.push(dirname(path));
    const [set, place] = [temporary(), temporary()];
    const [data, run, out] = [join(set, "data"), join(place, "run"), join(place, "exported")];
    await exportRun({ run: path, out: set, target: "torchrun" });
    const tiny = ["hiddenSize=8", "heads=1", "widthMultiple=8", "T=1", "n=1", "nSup=1", "batchSize=2"];
    await runCommand(trainCommand(), "--data", data, "--out", run, "--steps", "0", "--set", ...tiny);
    await expect(runCommand(exportCommand(), run, "--out", out, "--for", "torchrun", "--augment", "8")).rejects.toThrow(
      `${run}: --augment 8, expected none, because the data set ${data} is not copied`,
    );
    expect(existsSync(out)).toBe(false);
  });

  it("refuses a changed data set on the disk before it writes anything", async () => {
    const { path } = await makeRun({ name: "sudoku4" });
    const other = await makeRun({ name: "sudoku4" }, {}, { train: 12 });
    folders.push(dirname(path), dirname(other.path));
    const [set, place] = [temporary(), temporary()];
    const [data, run, out] = [join(set, "data"), join(place, "run"), join(place, "exported")];
    await exportRun({ run: path, out: set, target: "torchrun" });
    const tiny = ["hiddenSize=8", "heads=1", "widthMultiple=8", "T=1", "n=1", "nSup=1", "batchSize=2"];
    await runCommand(trainCommand(), "--data", data, "--out", run, "--steps", "0", "--set", ...tiny);
    await exportRun({ run: other.path, out: set, target: "torchrun" });
    await expect(runCommand(exportCommand(), run, "--out", out, "--for", "torchrun")).rejects.toThrow(
      `${data}: is not the data set of ${run}: the training puzzles and the test puzzles differ`,
    );
    expect(existsSync(out)).toBe(false);
  });

  it.each([
    ["sudoku6", "the model has 16 cells and 6 tokens, sudoku6 has 36 and 8"],
    ["maze", "the model has 16 cells and 6 tokens, maze9 has 81 and 6"],
    ["tokens", "the checkpoint is of the task sudoku4, the run is of tokens"],
  ])("refuses a run of sudoku4 whose run.json names the task %s", async (name, problem) => {
    const { path } = await makeRun({ name: "sudoku4" });
    folders.push(dirname(path));
    const out = join(temporary(), "exported");
    const about = JSON.parse(readFileSync(join(path, "run.json"), "utf8"));
    const task = name === "tokens" ? { name, cells: 16, vocabulary: 6 } : { name };
    writeFileSync(join(path, "run.json"), JSON.stringify({ ...about, task }));
    await expect(runCommand(exportCommand(), path, "--out", out, "--for", "torchrun")).rejects.toThrow(
      `${join(path, "checkpoint-0000000")}: ${problem}`,
    );
    expect(existsSync(out)).toBe(false);
  });

  it("notes that the puzzles of a run without a fingerprint cannot be verified", async () => {
    const { path } = await makeRun({ name: "sudoku4" });
    folders.push(dirname(path));
    for (const file of [join(path, "run.json"), join(path, "checkpoint-0000000", "checkpoint.json")]) {
      const { fingerprint: _, data, checksums: __, ...rest } = JSON.parse(readFileSync(file, "utf8"));
      writeFileSync(file, JSON.stringify(file.endsWith("run.json") ? { ...rest, data } : rest));
    }
    expect((await exportRun({ run: path, out: temporary(), target: "torchrun" })).notes).toEqual([
      `the puzzles in ${path}: the data set cannot be verified, because ${path} stores no fingerprint of it`,
    ]);
  });

  it("notes that 4x4 Sudokus have no symmetric copies", async () => {
    const { path } = await makeRun({ name: "sudoku4" });
    folders.push(dirname(path));
    const { notes } = await exportRun({ run: path, out: temporary(), target: "torchrun", augment: 2 });
    expect(notes.join()).toMatch(/^\d+ of the symmetric copies were not written/);
  });

  it("notes that the official code cannot load weights without a puzzle table", async () => {
    const { path } = await makeRun({ name: "sudoku4" }, { widthMultiple: 256 });
    folders.push(dirname(path));
    const out = temporary();
    expect((await exportRun({ run: path, out, target: "official" })).notes[0]).toContain("puzzleEmbeddingSize 0");
    expect(readFileSync(join(out, "config.yaml"), "utf8")).not.toContain("load_checkpoint");
  });

  it("notes that other code trains without the depth curriculum and without filled puzzles", async () => {
    const { path } = await makeRun({ name: "sudoku4" }, { depthCurriculum: true, revealProbability: 0.5 });
    folders.push(dirname(path));
    const { notes } = await exportRun({ run: path, out: temporary(), target: "torchrun" });
    expect(notes).toEqual([
      expect.stringContaining("depthCurriculum"),
      expect.stringContaining("revealProbability 0.5"),
    ]);
  });
});

describe("import", () => {
  const sudoku = { name: "sudoku4" } as const;

  it("accepts weights alone with --task, and uses them as the average", async () => {
    const { path } = await makeRun(sudoku, {}, { steps: 1 });
    folders.push(dirname(path));
    const folder = temporary();
    await exportRun({ run: path, out: folder, target: "torchrun" });
    const bare = temporary();
    writeFileSync(join(bare, "step_1"), renamed(readFileSync(join(folder, "model.safetensors")), "model."));
    const config = readFileSync(join(folder, "config.yaml"), "utf8").replace(/ {2}task:\n {4}name: sudoku4\n/, "");
    writeFileSync(join(bare, "all_config.yaml"), config);
    const out = join(bare, "run");
    await expect(importByCommand(join(bare, "step_1"), "--out", out)).rejects.toThrow("--task or --data is missing");
    await importByCommand(join(bare, "step_1"), "--out", out, "--task", "sudoku4", "--data", join(folder, "data"));
    const { files } = readCheckpoint(out);
    expect(files.get("ema.safetensors")).toEqual(files.get("weights.safetensors"));
    expect(files.get("weights.safetensors")).toEqual(readCheckpoint(path).files.get("weights.safetensors"));
    await expect(importByCommand(join(bare, "step_1"), "--out", out, "--task", "sudoku4")).rejects.toThrow(
      "holds a run already",
    );
  });

  it.each([
    ["arc/npy", "arc"],
    ["sudoku/npy", "sudoku9"],
    ["maze/npy", "maze"],
  ])("takes the task from a data set of the official builder (%s) and leaves the set in place", async (set, task) => {
    const data = join(parityFolder, "datasets", set);
    const metadata = readDataMetadata(data);
    const choice = taskOfData(metadata);
    const { vocabularySize, sequenceLength, identifierCount } = metadata;
    const settings = {
      hiddenSize: 8,
      heads: 1,
      mixer: "attention",
      T: 1,
      n: 1,
      widthMultiple: 8,
      batchSize: 2,
    } as const;
    const ids = { puzzleEmbeddingSize: 8, puzzleSlots: 1, puzzleIds: identifierCount };
    const config = parseConfig({ ...settings, ...ids, vocabularySize, sequenceLength });
    const model = new Model(config.model, new Random(1));
    const folder = temporary();
    const weights = serializeSafetensors(await exportWeights(model));
    model.dispose();
    writeFileSync(join(folder, "model.safetensors"), weights);
    const official = toOfficialConfig(config, "torchrun", { data_paths: [data] });
    writeFileSync(join(folder, "config.yaml"), formatOfficialConfig(official, "x"));
    const out = join(folder, "run");
    await importByCommand(join(folder, "model.safetensors"), "--out", out);
    expect(readRun(out)).toMatchObject({ task: choice, dataFolder: data });
    expect(choice.name).toBe(task);
    const again = temporary();
    await exportRun({ run: out, out: again, target: "torchrun" });
    expect(readFileSync(join(again, "model.safetensors")).equals(weights)).toBe(true);
    expect(parseOfficialConfig(readFileSync(join(again, "config.yaml"), "utf8"), "x").data_paths).toEqual([data]);
    expect(existsSync(join(again, "data"))).toBe(false);
  });

  it("refuses files that do not fit and leaves nothing behind", async () => {
    const { path } = await makeRun(sudoku);
    folders.push(dirname(path));
    const folder = temporary();
    await exportRun({ run: path, out: folder, target: "torchrun" });
    const file = join(folder, "model.safetensors");
    const out = join(folder, "run");
    await expect(importByCommand(file, "--out", out, "--task", "sudoku6")).rejects.toThrow(
      "vocabularySize: got 6, sudoku6 has 8",
    );
    await expect(importByCommand(file, "--out", out, "--config", join(folder, "none.yaml"))).rejects.toThrow(
      "none.yaml",
    );
    writeFileSync(file, serializeSafetensors(new Map([["inner.H_init", { shape: [2], data: new Float32Array(2) }]])));
    await expect(importByCommand(file, "--out", out)).rejects.toThrow(
      'no tensor "inner.embed_tokens.embedding_weight"',
    );
    writeFileSync(file, "PK");
    await expect(importByCommand(file, "--out", out)).rejects.toThrow("not a zip archive");
    mkdirSync(out);
    writeFileSync(join(out, "precious.txt"), "x");
    await expect(importByCommand(file, "--out", out)).rejects.toThrow("is not a run of trm");
    expect(readdirSync(out)).toEqual(["precious.txt"]);
  });

  function renamed(bytes: Uint8Array, prefix: string): Uint8Array {
    const { tensors } = parseSafetensors(bytes);
    return serializeSafetensors(
      new Map([...tensors].map(([name, entry]) => [prefix + name, entry as unknown as WritableTensor])),
    );
  }

  it("names a missing file", () => expect(() => readWeights("/nowhere/w.pt")).toThrow("/nowhere/w.pt"));
});

describe("official weights in a .pt file", () => {
  it.each(systemFolders)("give the official answers for parity case %s", async (folder) => {
    const { json, tensors, official } = officialCase(folder);
    const config = fromOfficialConfig(official, folder);
    const saved = new Map<string, WritableTensor>();
    for (const [name, entry] of tensors.below("final/").tensors) {
      saved.set(`_orig_mod.model.${name}`, { shape: entry.shape, data: toFloat32(name, entry) });
    }
    const model = new Model(config.model, new Random(1));
    importWeights(model, tensors.below("init/"), folder); // tensors that training does not change are only in this file
    const merged = new Map([...tensors.below("init/").tensors, ...parseWeights(serializePt(saved), folder).tensors]);
    importWeights(model, { tensors: merged, metadata: {} }, folder);
    const question = {
      inputs: tensors.integers("eval/batch/inputs"),
      puzzleIds: tensors.integers("eval/batch/puzzle_identifiers"),
    };
    const tolerance = Math.max(1e-4, 10 * json.float64_deviation);
    for await (const answer of predictions(model, question, json.eval.supervision_steps)) {
      const name = `eval/out${answer.step}/logits`;
      if (!tensors.has(name)) continue;
      const expected = tensors.floats(name);
      const got = await answer.logits.data();
      const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - Number(got[i]))), 0);
      expect(worst).toBeLessThan(tolerance);
    }
    model.dispose();
  });
});
