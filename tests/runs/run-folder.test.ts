/** Run folders on a disk: complete or absent, one writer, the checkpoint before kept when the disk is full. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it } from "vitest";
import { writeFlushed } from "../../src/formats/atomic-files.node.ts";
import { readTaskCsv } from "../../src/puzzles/named-task.ts";
import { type CheckpointFiles, packCheckpoint, restoreTraining } from "../../src/runs/checkpoint.ts";
import { readCheckpoint, runFolderOf, saveCheckpoint } from "../../src/runs/checkpoint-folder.node.ts";
import {
  folderState,
  metricsFile,
  moveRunAside,
  readRun,
  readSets,
  unseenFile,
  WritableRun,
} from "../../src/runs/run-folder.node.ts";
import { aboutCheckpoint, tinyAbout, tinyConfig, tinySets, tinyTraining } from "./tiny-run.ts";

const root = mkdtempSync(join(tmpdir(), "trm-run-"));
const sets = tinySets();
const training = tinyTraining(tinyConfig(), sets);
const checkpoints: CheckpointFiles[] = [await packCheckpoint(training, aboutCheckpoint)];
for (let step = 1; step <= 3; step++) {
  await training.supervisionStep();
  checkpoints.push(await packCheckpoint(training, aboutCheckpoint));
}
afterAll(() => {
  training.dispose();
  rmSync(root, { recursive: true, force: true });
});

let path = "";
let number = 0;
beforeEach(() => {
  path = join(root, `run${number++}`);
});

const create = (where = path): WritableRun =>
  WritableRun.create(where, tinyAbout, sets, { step: 0, files: checkpoints[0]! });
const stepNow = (): number => readCheckpoint(path).side.step;
const noSpace = (file: string): never => {
  throw Object.assign(new Error(`ENOSPC: no space left on device, write`), { code: "ENOSPC", path: file });
};

it("holds what was put in, and only the newest checkpoint", () => {
  const run = create(join(path, "deeper", "folder"));
  path = run.path;
  expect(stepNow()).toBe(0);
  run.save(2, checkpoints[2]!);
  run.metrics.append({ step: 2, loss: 0.5 });
  run.close();
  const names = ["checkpoint-0000002", "data.safetensors", "metrics.jsonl", "run.json", "unseen.csv"];
  expect(readdirSync(path).sort()).toEqual(names);
  expect(readRun(path)).toMatchObject(tinyAbout);
  expect(readSets(path)).toEqual(sets);
  const csv = readFileSync(join(path, unseenFile), "utf8");
  expect(readTaskCsv(tinyAbout.task, csv, unseenFile)).toEqual(sets.unseen);
  expect(readCheckpoint(path).files.get("weights.safetensors")).toEqual(
    Buffer.from(checkpoints[2]!.get("weights.safetensors")!),
  );
  expect(runFolderOf(join(path, "checkpoint-0000002"))).toBe(path);
  expect(readCheckpoint(join(path, "checkpoint-0000002")).side.step).toBe(2);
});

it("a full disk keeps the checkpoint before, whichever file it hits", () => {
  const run = create();
  for (const failing of checkpoints[1]!.keys()) {
    const write = (file: string, bytes: Uint8Array): void => {
      if (file.endsWith(failing)) noSpace(file);
      writeFlushed(file, bytes);
    };
    expect(() => saveCheckpoint(path, 1, checkpoints[1]!, write)).toThrow("ENOSPC");
    expect(stepNow()).toBe(0);
    expect(readdirSync(path).filter((name) => name.startsWith(".tmp-"))).toEqual([]);
  }
  run.save(1, checkpoints[1]!);
  expect(stepNow()).toBe(1);
  run.close();
});

it("a creation that fails leaves nothing", () => {
  const broken = new Map(checkpoints[0]!).set("no/such/folder/file", new Uint8Array(1));
  expect(() => WritableRun.create(path, tinyAbout, sets, { step: 0, files: broken })).toThrow("ENOENT");
  expect(existsSync(path)).toBe(false);
  mkdirSync(path); // a folder that was there stays
  expect(() => WritableRun.create(path, tinyAbout, sets, { step: 0, files: broken })).toThrow("ENOENT");
  expect(readdirSync(path)).toEqual([]);
});

it("a creation that a crash has cut short can be made again", () => {
  create().close();
  rmSync(join(path, "run.json"));
  writeFileSync(join(path, ".tmp-1-checkpoint-0000003"), "");
  expect(folderState(path)).toBe("empty");
  create().close();
  expect(readdirSync(path).some((name) => name.startsWith(".tmp-"))).toBe(false);
  expect(folderState(path)).toBe("run");
});

it("is not made over a run or over other files", () => {
  create().close();
  expect(() => create()).toThrow(`${path} holds a run already`);
  path = `${path}-other`;
  mkdirSync(path);
  writeFileSync(join(path, "thesis.txt"), "");
  expect(() => create()).toThrow(`${path} exists and is no run of trm`);
  expect(readdirSync(path)).toEqual(["thesis.txt"]);
});

it("a run is moved aside whole; the one moved before is deleted, other files never", () => {
  create().close();
  expect(moveRunAside(path)).toMatch(/run\d+\.previous$/);
  const run = create();
  run.save(1, checkpoints[1]!);
  expect(() => moveRunAside(path)).toThrow("is writing this run");
  run.close();
  moveRunAside(path);
  expect(existsSync(path)).toBe(false);
  create().close();
  const resumed = WritableRun.resume(`${path}.previous`);
  expect(() => moveRunAside(path)).toThrow("is writing this run"); // the one that would be deleted
  resumed.run.close();
  rmSync(path, { recursive: true });
  path = `${path}.previous`;
  expect(stepNow()).toBe(1);
  create(path.replace(".previous", "")).close();
  rmSync(path, { recursive: true });
  mkdirSync(path);
  writeFileSync(join(path, "thesis.txt"), "");
  expect(() => moveRunAside(path.replace(".previous", ""))).toThrow("is no run of trm");
});

it("resumes at the newest checkpoint and drops what came after it", () => {
  const first = create();
  for (const step of [1, 2, 3]) first.metrics.append({ step, loss: 1 / step });
  first.save(2, checkpoints[2]!);
  first.close();
  writeFileSync(join(path, metricsFile), `${readFileSync(join(path, metricsFile), "utf8")}{"step":4,"lo`);
  mkdirSync(join(path, ".tmp-9-checkpoint-0000004"));
  const { run, checkpoint } = WritableRun.resume(path);
  run.metrics.append({ step: 3, loss: 7 });
  run.close();
  expect(readdirSync(path)).not.toContain(".tmp-9-checkpoint-0000004");
  const lines = readFileSync(join(path, metricsFile), "utf8").trim().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { step: 1, loss: 1 },
    { step: 2, loss: 0.5 },
    { step: 3, loss: 7 },
  ]);
  const resumed = tinyTraining(checkpoint.side.config, readSets(path));
  restoreTraining(resumed, checkpoint.side, checkpoint.files, path);
  expect(resumed.step).toBe(2);
  resumed.dispose();
});

it("has one writer; the lock of a process that has died does not count", () => {
  const run = create();
  expect(() => WritableRun.resume(path)).toThrow(`${path}: process ${process.pid} is writing this run`);
  run.close();
  const lock = join(path, "lock");
  const holder = { pid: process.pid, host: hostname(), started: "1" }; // the id is in use again: an earlier process had it
  for (const text of [JSON.stringify(holder), JSON.stringify({ ...holder, pid: 2 ** 30 }), "", "{"]) {
    writeFileSync(lock, text);
    if (process.platform === "linux" || text !== JSON.stringify(holder)) WritableRun.resume(path).run.close();
    expect(existsSync(lock)).toBe(false);
  }
  writeFileSync(lock, JSON.stringify({ ...holder, host: "elsewhere" }));
  expect(() => WritableRun.resume(path)).toThrow(/process \d+ on elsewhere is writing this run \(if it is not, delete/);
});

it("says what is missing or broken", () => {
  expect(() => readCheckpoint(path)).toThrow(`${path}: no such folder`);
  mkdirSync(path);
  expect(() => readCheckpoint(path)).toThrow(`${path}: no checkpoint in it`);
  expect(() => readRun(path)).toThrow(`${path}: no run.json in it`);
  rmSync(path, { recursive: true });
  create().close();
  const folder = join(path, "checkpoint-0000000");
  const copy = `${path}-copy`;
  const broken = (change: () => void): void => {
    change();
    const read = (): unknown => readCheckpoint(path, () => ["weights.safetensors"]);
    expect(read).toThrow(new RegExp(`^${folder.replaceAll("\\", "\\\\")}`));
    rmSync(path, { recursive: true });
    cpSync(copy, path, { recursive: true });
  };
  cpSync(path, copy, { recursive: true });
  broken(() => truncateSync(join(folder, "checkpoint.json"), 100));
  broken(() => rmSync(join(folder, "weights.safetensors")));
  truncateSync(join(path, "data.safetensors"), 50);
  expect(() => readSets(path)).toThrow(/data.safetensors: /);
  writeFileSync(join(path, "run.json"), "{}");
  expect(() => readRun(path)).toThrow(/run.json: format: /);
});
