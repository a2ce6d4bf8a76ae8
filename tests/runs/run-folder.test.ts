/** Run folders on a disk: atomic creation, one writer, and recovery from crashes and full disks. */
import { spawnSync } from "node:child_process";
import fs, {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { hostname, tmpdir } from "node:os";
import { basename, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { temporaryName, writeFlushed } from "../../src/formats/atomic-files.node.ts";
import { readTaskCsv, taskOf } from "../../src/puzzles/named-task.ts";
import { type CheckpointFiles, packCheckpoint, restoreTraining, sideFile } from "../../src/runs/checkpoint.ts";
import {
  checkpointOfStep,
  readCheckpoint,
  runFolderOf,
  saveCheckpoint,
  stepOfFolder,
} from "../../src/runs/checkpoint-folder.node.ts";
import { metricsFile, readCourse } from "../../src/runs/metrics-log.node.ts";
import {
  folderState,
  moveRunAside,
  readRun,
  readSets,
  runOfFile,
  unseenFile,
  WritableRun,
} from "../../src/runs/run-folder.node.ts";
import {
  aboutCheckpoint,
  tinyAbout,
  tinyConfig,
  tinySets,
  tinyStartLine,
  tinyStepLine,
  tinyTraining,
} from "./tiny-run.ts";

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

it("a run folder returns its description, puzzles and newest checkpoint", () => {
  const run = create(join(path, "deeper", "folder"));
  path = run.path;
  expect(stepNow()).toBe(0);
  run.save(2, checkpoints[2]!);
  run.metrics.append(tinyStepLine(2, 0.5));
  run.close();
  const names = ["checkpoint-0000000", "checkpoint-0000002", "data.safetensors", "metrics.jsonl", "run.json"];
  expect(readdirSync(path).sort()).toEqual([...names, "unseen.csv"]);
  expect(readRun(path)).toMatchObject(tinyAbout);
  expect(readSets(path)).toEqual(sets);
  const csv = readFileSync(join(path, unseenFile), "utf8");
  expect(readTaskCsv(taskOf(tinyAbout.task), csv, unseenFile)).toEqual(sets.unseen);
  expect(readCheckpoint(path).files.get("weights.safetensors")).toEqual(
    Buffer.from(checkpoints[2]!.get("weights.safetensors")!),
  );
  expect(runFolderOf(join(path, "checkpoint-0000002"))).toBe(path);
  expect(readCheckpoint(join(path, "checkpoint-0000002")).side.step).toBe(2);
  const link = `${path}-best`; // beside the run, which is not there
  symlinkSync(join(path, "checkpoint-0000002"), link);
  expect(runFolderOf(link)).toBe(realpathSync(path));
});

describe("the best checkpoint", () => {
  /** The files of a checkpoint of a step, with the shares of its evaluation in percent. */
  const filesOf = (step: number, evaluation?: readonly [exact: number, cell: number]): CheckpointFiles => {
    const side = JSON.parse(Buffer.from(checkpoints[0]!.get(sideFile)!).toString());
    const [exact, cell] = evaluation ?? [];
    const measured = evaluation && { evaluation: { puzzles: 4, exact: exact! / 100, cell: cell! / 100 } };
    return new Map(checkpoints[0]!).set(sideFile, Buffer.from(JSON.stringify({ ...side, step, ...measured })));
  };
  const bestStep = (): number => readCheckpoint(path, () => [], "best").side.step;

  it("has the highest exact accuracy, then cell accuracy, then step, and is kept beside the last three", () => {
    const evaluations = fc.array(fc.option(fc.tuple(fc.integer({ max: 3, min: 0 }), fc.integer({ max: 3, min: 0 }))), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(evaluations, (drawn) => {
        const run = create();
        for (const [i, evaluation] of drawn.entries()) run.save(i + 1, filesOf(i + 1, evaluation ?? undefined));
        const evaluated = drawn.flatMap((evaluation, i) => (evaluation ? [{ step: i + 1, evaluation }] : []));
        const keys = evaluated.map(({ step, evaluation: [exact, cell] }) => 1000 * (10 * exact + cell) + step);
        const best = keys.length === 0 ? undefined : Math.max(...keys) % 1000;
        expect(run.best?.step).toBe(best);
        const recent = [0, ...drawn.map((_, i) => i + 1)].slice(-3);
        expect(run.steps).toEqual(
          [...new Set([...(best === undefined ? [] : [best]), ...recent])].sort((a, b) => a - b),
        );
        if (best !== undefined) expect(bestStep()).toBe(best);
        run.discard();
      }),
      { numRuns: 15 },
    );
  });

  it("is that of step 2 if only step 2 solved three of four puzzles", () => {
    const run = create();
    [
      [50, 90],
      [75, 92],
      [50, 95],
      [25, 99],
      [50, 96],
    ].forEach(([exact, cell], i) => {
      run.save(i + 1, filesOf(i + 1, [exact!, cell!]));
    });
    expect(run.steps).toEqual([2, 3, 4, 5]);
    run.close();
    expect([bestStep(), stepNow()]).toEqual([2, 5]);
  });

  it("is another one after going back to a step before it", () => {
    const run = create();
    [20, 30, 90].forEach((exact, i) => {
      run.save(i + 1, filesOf(i + 1, [exact, 95]));
    });
    run.close();
    const resumed = WritableRun.resume(path, 2).run;
    resumed.metrics.append(tinyStartLine);
    expect([resumed.steps, resumed.best?.step]).toEqual([[1, 2], 2]);
    resumed.close();
  });

  it("does not exist in a run without evaluations, which an error explains", () => {
    create().close();
    expect(() => bestStep()).toThrow(
      `${path}: none of its checkpoints has been evaluated, expected the checkpoint "last"`,
    );
  });

  it("is the checkpoint whose folder is given", () => {
    const run = create();
    run.save(1, filesOf(1, [50, 50]));
    run.close();
    expect(readCheckpoint(join(path, "checkpoint-0000000"), () => [], "best").side.step).toBe(0);
  });
});

it("a full disk leaves the previous checkpoint intact, whichever file it affects", () => {
  const run = create();
  for (const failing of checkpoints[1]!.keys()) {
    const write = (file: string, bytes: Uint8Array): void => {
      if (file.endsWith(failing)) noSpace(file);
      writeFlushed(file, bytes);
    };
    expect(() => saveCheckpoint(path, 1, checkpoints[1]!, { write })).toThrow("no space left on the disk");
    expect(stepNow()).toBe(0);
    expect(readdirSync(path).filter((name) => name.startsWith(".tmp-"))).toEqual([]);
  }
  run.save(1, checkpoints[1]!);
  expect(stepNow()).toBe(1);
  run.close();
});

it("a failed creation of a run leaves nothing behind", () => {
  const broken = new Map(checkpoints[0]!).set("no/such/folder/file", new Uint8Array(1));
  expect(() => WritableRun.create(path, tinyAbout, sets, { step: 0, files: broken })).toThrow(
    "cannot write: no such file",
  );
  expect(existsSync(path)).toBe(false);
  mkdirSync(path); // an existing folder is not removed
  expect(() => WritableRun.create(path, tinyAbout, sets, { step: 0, files: broken })).toThrow(
    "cannot write: no such file",
  );
  expect(readdirSync(path)).toEqual([]);
});

/** The id of a process that has ended. */
const killed = spawnSync(process.execPath, ["--version"]).pid;

/** Calls a function before each change of the disk that some work makes. */
function beforeEachChange(call: () => void, work: () => void): void {
  const changes = ["openSync", "writeSync", "writeFileSync", "mkdirSync", "renameSync", "linkSync", "rmSync"] as const;
  let isCalling = false;
  const spies = changes.map((name) => {
    const change = fs[name] as (...args: unknown[]) => unknown;
    return vi.spyOn(fs, name).mockImplementation(((...args: unknown[]) => {
      if (!isCalling) {
        isCalling = true;
        call();
        isCalling = false;
      }
      return change(...args);
    }) as never);
  });
  syncBuiltinESMExports();
  try {
    work();
  } finally {
    for (const spy of spies) spy.mockRestore();
    syncBuiltinESMExports();
  }
}

/** Copies a folder as it would be if this process had been killed. */
function copyAsKilled(folder: string, copy: string): void {
  mkdirSync(copy);
  for (const name of readdirSync(folder)) {
    const source = join(folder, name);
    const target = join(copy, name.replace(`.tmp-${process.pid}@`, `.tmp-${killed}@`));
    cpSync(source, target, { recursive: true });
    if (!/\block$/.test(name)) continue;
    writeFileSync(target, readFileSync(source, "utf8").replace(`"pid":${process.pid}`, `"pid":${killed}`));
  }
}

it("a run can be created after a kill at any moment of an earlier creation, which is replaced", () => {
  const copies = new Map<string, string>(); // by the files that are there
  beforeEachChange(
    () => {
      if (!existsSync(path)) return;
      const files = readdirSync(path, { recursive: true }).join(" ");
      if (copies.has(files)) return;
      copies.set(files, `${path}-killed${copies.size}`);
      copyAsKilled(path, copies.get(files)!);
    },
    () => create().close(),
  );
  const whole = readdirSync(path);
  const interrupted = [...copies.values()].filter((copy) => folderState(copy) !== "run");
  expect(interrupted.length).toBeGreaterThan(10);
  for (const copy of interrupted) {
    expect(folderState(copy), readdirSync(copy).join(" ")).toBe("empty");
    create(copy).close();
    expect(readdirSync(copy)).toEqual(whole);
  }
});

it.each(["lock", "lock.txt", "lock.1", ".tmp-mine", "unseen.csv", "data.safetensors", "identifiers.json"])(
  "a file of the user is not taken for the remains of a creation: %s",
  (name) => {
    mkdirSync(path);
    writeFileSync(join(path, name), "precious");
    expect(() => create()).toThrow(`${path} exists and is not a run of trm`);
    expect(readFileSync(join(path, name), "utf8")).toBe("precious");
    create(`${path}-new`).close();
    renameSync(path, `${path}-new.previous`);
    expect(() => moveRunAside(`${path}-new`)).toThrow(`${path}-new.previous exists and is not a run of trm`);
  },
);

it("a file of the user in a run stays where it is when the run continues, and when it is discarded", () => {
  const run = create();
  for (const name of ["lock.txt", ".tmp-mine"]) writeFileSync(join(path, name), "precious");
  run.close();
  const resumed = WritableRun.resume(path).run;
  resumed.metrics.append(tinyStartLine);
  expect(readdirSync(path)).toEqual(expect.arrayContaining([".tmp-mine", "lock.txt"]));
  resumed.discard();
  expect(readdirSync(path)).toEqual([".tmp-mine", "lock.txt"]);
});

/** Leaves the lock of a killed process in the folder. */
const lockAsKilled = (): void =>
  writeFileSync(join(path, "lock"), JSON.stringify({ pid: killed, host: hostname(), started: null }));

it("a run that has lost its run.json is not overwritten", () => {
  create().close();
  rmSync(join(path, "run.json"));
  expect(folderState(path)).toBe("other");
  path = `${path}-trained`;
  const run = create();
  run.save(1, checkpoints[1]!);
  run.close();
  rmSync(join(path, "run.json"));
  lockAsKilled();
  expect(() => create()).toThrow(`${path} exists and is not a run of trm`);
  expect(readdirSync(path)).toContain("checkpoint-0000001");
  path = `${path}-logged`;
  const logged = create();
  logged.metrics.append(tinyStepLine(1));
  logged.close();
  rmSync(join(path, "run.json"));
  lockAsKilled();
  expect(folderState(path)).toBe("other");
});

it("a run is not created over another run or over other files", () => {
  create().close();
  expect(() => create()).toThrow(`${path} holds a run already`);
  path = `${path}-other`;
  mkdirSync(path);
  writeFileSync(join(path, "thesis.txt"), "");
  expect(() => create()).toThrow(`${path} exists and is not a run of trm`);
  expect(readdirSync(path)).toEqual(["thesis.txt"]);
});

it("moving a run aside replaces an earlier run at PATH.previous but never other files", () => {
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
  expect(() => moveRunAside(path)).toThrow("is writing this run"); // PATH.previous, which would be deleted
  resumed.run.close();
  rmSync(path, { recursive: true });
  path = `${path}.previous`;
  expect(stepNow()).toBe(1);
  create(path.replace(".previous", "")).close();
  rmSync(path, { recursive: true });
  mkdirSync(path);
  writeFileSync(join(path, "thesis.txt"), "");
  expect(() => moveRunAside(path.replace(".previous", ""))).toThrow("is not a run of trm");
});

it("moving a run aside replaces a link at PATH.previous, and changes nothing where it leads", () => {
  create().close();
  create(`${path}-kept`).close();
  const kept = readdirSync(`${path}-kept`);
  symlinkSync(`${path}-kept`, `${path}.previous`);
  moveRunAside(path);
  expect(readdirSync(`${path}-kept`)).toEqual(kept);
  expect(realpathSync(`${path}.previous`)).toBe(join(realpathSync(root), basename(`${path}.previous`)));
});

it("a run in the current folder is not moved aside, nor one that contains the current folder", () => {
  create().close();
  const current = vi.spyOn(process, "cwd");
  try {
    current.mockReturnValue(realpathSync(path));
    const message = "the current folder, which cannot be moved aside: change to another folder first";
    expect(() => moveRunAside(path)).toThrow(`${path} is ${message}`);
    current.mockReturnValue(realpathSync(join(path, "checkpoint-0000000")));
    expect(() => moveRunAside(path)).toThrow(`${path} contains ${message}`);
    expect(readdirSync(path)).not.toContain("lock");
    current.mockReturnValue(realpathSync(root));
    moveRunAside(path);
  } finally {
    current.mockRestore();
  }
  expect(existsSync(path)).toBe(false);
});

it("resuming starts at the newest checkpoint and drops later metrics", () => {
  const first = create();
  for (const step of [1, 2, 3]) first.metrics.append(tinyStepLine(step, 1 / step));
  first.save(2, checkpoints[2]!);
  first.close();
  writeFileSync(join(path, metricsFile), `${readFileSync(join(path, metricsFile), "utf8")}{"step":4,"lo`);
  const temporary = basename(temporaryName("checkpoint-0000004")).replace(String(process.pid), String(killed));
  mkdirSync(join(path, temporary));
  const { run, checkpoint } = WritableRun.resume(path);
  run.metrics.append(tinyStepLine(3, 7));
  run.close();
  expect(readdirSync(path)).not.toContain(temporary);
  const lines = readFileSync(join(path, metricsFile), "utf8").trim().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { step: 1, loss: 1 },
    { step: 2, loss: 0.5 },
    { step: 3, loss: 7 },
  ]);
  const resumed = tinyTraining(checkpoint.side.config, readSets(path));
  restoreTraining(resumed, checkpoint.side, checkpoint.files, path);
  expect(resumed.step).toBe(2);
  resumed.dispose();
});

const stepsOf = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith("checkpoint-"));

it("a run keeps its last three checkpoints", () => {
  const run = create();
  for (const step of [1, 2, 3]) run.save(step, checkpoints[step]!);
  run.close();
  expect(stepsOf(path)).toEqual(["checkpoint-0000001", "checkpoint-0000002", "checkpoint-0000003"]);
});

it("resuming from an earlier step drops later checkpoints and metrics", () => {
  const first = create();
  for (const step of [1, 2, 3]) {
    first.metrics.append(tinyStepLine(step, 1 / step));
    first.save(step, checkpoints[step]!);
  }
  first.close();
  expect(() => WritableRun.resume(path, 7)).toThrow(`${path}: no checkpoint of step 7, expected one of steps 1, 2, 3`);
  const { run, checkpoint } = WritableRun.resume(path, 2);
  expect(checkpoint.side.step).toBe(2);
  expect(stepNow()).toBe(3); // nothing changes before the run writes
  expect(run.metrics.path).toBe(join(path, metricsFile));
  run.close();
  expect(stepsOf(path)).toEqual(["checkpoint-0000001", "checkpoint-0000002"]);
  expect(readFileSync(join(path, metricsFile), "utf8").trim().split("\n")).toHaveLength(2);
  expect(stepNow()).toBe(2);
});

describe("a checkpoint folder with another name than its step", () => {
  const renamed = (name: string): void => {
    const run = create();
    run.save(1, checkpoints[1]!);
    run.close();
    renameSync(join(path, "checkpoint-0000001"), join(path, name));
  };

  it("is refused with the step that it holds, and nothing is removed", () => {
    renamed("checkpoint-0000020");
    rmSync(join(path, "checkpoint-0000000"), { recursive: true });
    const before = readdirSync(path);
    const message = `${join(path, "checkpoint-0000020")}: holds step 1, expected step 20, as in its name`;
    expect(() => WritableRun.resume(path)).toThrow(message);
    expect(() => WritableRun.resume(path, 20)).toThrow(message);
    expect(() => readCheckpoint(join(path, "checkpoint-0000020"))).toThrow(message);
    expect(readdirSync(path)).toEqual(before);
  });

  it.each(["checkpoint-1", "checkpoint-00000001", "checkpoint-1e6", "checkpoint-0000001.5", "copy"])(
    "does not count as a checkpoint of the run if the program never writes such a name: %s",
    (name) => {
      renamed(name);
      const { run, checkpoint } = WritableRun.resume(path);
      run.metrics.append(tinyStartLine);
      run.close();
      expect([checkpoint.side.step, run.steps]).toEqual([0, [0]]);
      expect(readCheckpoint(join(path, name)).side.step).toBe(1); // its path can still be given
    },
  );
});

it("the name of a checkpoint folder has seven digits, or more for a step from ten million on", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31), (step) => {
      const name = basename(checkpointOfStep(path, step));
      expect(name).toMatch(/^checkpoint-(\d{7}|[1-9]\d{7,})$/);
      expect(stepOfFolder(name)).toBe(step);
      expect(stepOfFolder(name.replace("-", "-0"))).toBeUndefined();
    }),
  );
});

describe("a corrupted file of a checkpoint", () => {
  const flipBit = (file: string, at: number): void => {
    const bytes = readFileSync(file);
    bytes[Math.floor(at * bytes.length)]! ^= 1;
    writeFileSync(file, bytes);
  };

  it.each([...checkpoints[1]!.keys()])("is detected by its checksum: one flipped bit in %s", (name) => {
    const run = create();
    run.save(1, checkpoints[1]!);
    run.close();
    const file = join(path, "checkpoint-0000001", name);
    if (name.endsWith(".json"))
      writeFileSync(file, readFileSync(file, "utf8").replace('"seconds": 1.5', '"seconds": 2.5'));
    else flipBit(file, 0.9);
    const message = (hint: string): RegExp =>
      new RegExp(`is corrupted: checksum [0-9a-f]{8}, expected [0-9a-f]{8}; .* of steps 0 \\(${hint}\\)$`);
    expect(() => readCheckpoint(path)).toThrow(message("the path of its folder"));
    expect(() => WritableRun.resume(path)).toThrow(message("--from STEP"));
    const resumed = WritableRun.resume(path, 0).run;
    resumed.metrics.append(tinyStartLine);
    resumed.close();
    expect(stepNow()).toBe(0);
  });

  it("is detected wherever the bit is", () => {
    create().close();
    const file = join(path, "checkpoint-0000000", "weights.safetensors");
    const bytes = readFileSync(file);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (at) => {
        flipBit(file, at);
        expect(() => readCheckpoint(path, () => ["weights.safetensors"])).toThrow("is corrupted");
        writeFileSync(file, bytes);
        expect(stepNow()).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it("is not detected in checkpoints without checksums, which still load", () => {
    create().close();
    const file = join(path, "checkpoint-0000000", "checkpoint.json");
    const { checksums, ...rest } = JSON.parse(readFileSync(file, "utf8"));
    expect(Object.keys(checksums).sort()).toEqual([...checkpoints[0]!.keys()].sort());
    writeFileSync(file, JSON.stringify(rest));
    expect(stepNow()).toBe(0);
    writeFileSync(file, JSON.stringify({ ...rest, checksums: null }));
    expect(() => readCheckpoint(path)).toThrow(/is corrupted: checksum [0-9a-f]{8}, expected undefined$/);
  });
});

it("a checkpoint is read without the files that a system adds to its folder", () => {
  create().close();
  for (const name of [".DS_Store", "Thumbs.db", "notes.safetensors"]) {
    writeFileSync(join(path, "checkpoint-0000000", name), "x");
  }
  const names = [...checkpoints[0]!.keys()].filter((name) => name !== "checkpoint.json");
  expect([...readCheckpoint(path).files.keys()].sort()).toEqual(names.sort());
});

it.each([...checkpoints[0]!.keys()].filter((name) => name !== "checkpoint.json"))(
  "a checkpoint without %s is incomplete",
  (name) => {
    create().close();
    rmSync(join(path, "checkpoint-0000000", name));
    expect(() => readCheckpoint(path)).toThrow(`${join(path, "checkpoint-0000000")}: incomplete: no ${name}`);
  },
);

it("an incomplete checkpoint is refused with the steps of the other ones", () => {
  const run = create();
  run.save(2, checkpoints[2]!);
  run.close();
  rmSync(join(path, "checkpoint-0000002", "weights.safetensors"));
  expect(() => readCheckpoint(path)).toThrow(
    "incomplete: no weights.safetensors; the run has other checkpoints, of steps 0 (the path of its folder)",
  );
});

it("a file belongs to a run if it is one of its own or in a checkpoint, also behind a link, but not beside them", () => {
  create().close();
  const own = ["run.json", "metrics.jsonl", "data.safetensors", "unseen.csv", "identifiers.json", "lock"];
  for (const name of [...own, "checkpoint-0000000", "checkpoint-0000000/weights.safetensors"]) {
    expect(runOfFile(join(path, name)), name).toBe(path);
  }
  symlinkSync(join(path, "run.json"), `${path}-link`);
  symlinkSync(path, `${path}-folder`);
  expect(runOfFile(`${path}-link`)).toBe(realpathSync(path));
  expect(runOfFile(join(`${path}-folder`, "run.json"))).toBe(`${path}-folder`);
  for (const file of [join(path, "curves.svg"), join(root, "run.json"), "-", "/dev/stdout"]) {
    expect(runOfFile(file), file).toBeUndefined();
  }
});

it("discarding a run deletes its folder but no other files", () => {
  create().discard();
  expect(existsSync(path)).toBe(false);
  const run = create();
  writeFileSync(join(path, "notes.txt"), "");
  run.discard();
  expect(readdirSync(path)).toEqual(["notes.txt"]);
});

it("a run has one writer, and the lock of a dead process is ignored", () => {
  const run = create();
  expect(() => WritableRun.resume(path)).toThrow(`${path}: process ${process.pid} is writing this run`);
  run.close();
  const lock = join(path, "lock");
  const holder = { pid: process.pid, host: hostname(), started: "1" }; // the process id belonged to an earlier process
  for (const text of [JSON.stringify(holder), JSON.stringify({ ...holder, pid: 2 ** 30 }), "", "{"]) {
    writeFileSync(lock, text);
    if (process.platform === "linux" || text !== JSON.stringify(holder)) WritableRun.resume(path).run.close();
    expect(existsSync(lock)).toBe(false);
  }
  writeFileSync(lock, JSON.stringify({ ...holder, host: "elsewhere" }));
  expect(() => WritableRun.resume(path)).toThrow(/process \d+ on elsewhere is writing this run \(if it is not, delete/);
});

it("a file named lock that is not a lock of a run is named in the error and kept", () => {
  create().close();
  writeFileSync(join(path, "lock"), "precious");
  expect(() => WritableRun.resume(path)).toThrow(
    `${join(path, "lock")}: cannot write: not a lock file of trm: move or rename it`,
  );
  expect(readFileSync(join(path, "lock"), "utf8")).toBe("precious");
});

it("a lock that cannot be read is named in the error", () => {
  create().close();
  mkdirSync(join(path, "lock"));
  expect(() => WritableRun.resume(path)).toThrow(`${join(path, "lock")}: cannot read: a folder, expected a file`);
});

it.skipIf(process.platform === "win32")("a run that the user may not read is not reported as missing contents", () => {
  const run = create();
  run.metrics.append(tinyStepLine(1));
  run.close();
  chmodSync(root, 0o755);
  chmodSync(path, 0o600); // its files have names, but cannot be reached
  const isRoot = process.getuid?.() === 0; // who may read everything
  if (isRoot) process.seteuid?.("nobody");
  try {
    for (const [name, read] of [
      ["metrics.jsonl", readCourse],
      ["run.json", readRun],
      ["run.json", readSets],
      ["checkpoint.json", readCheckpoint],
    ] as const) {
      expect(() => read(path)).toThrow(`${join(path, name)}: cannot read: permission denied`);
    }
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(path, 0o700);
  }
});

it("the errors of a run folder name the missing or broken file", () => {
  expect(() => readCheckpoint(path)).toThrow(`${path}: no such folder`);
  mkdirSync(path);
  expect(() => readCheckpoint(path)).toThrow(`${path}: contains no checkpoint`);
  expect(() => readRun(path)).toThrow(`${path}: contains no run.json`);
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
