/** Ctrl-C, a closed pipe, a full disk, a second process: no interruption loses finished training. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readCheckpoint } from "../../src/runs/checkpoint-folder.node.ts";
import {
  newFolder,
  project,
  type Running,
  smallModel,
  start,
  startInGroup,
  startShell,
  stepLines,
  trm,
  until,
} from "./command.ts";

/** util-linux's `script` runs a command in a separate terminal. */
const hasScript = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;

const folder = newFolder();
const disk = join(folder, "disk");
afterAll(() => {
  if (hasDisk) execFileSync("umount", [disk]);
  rmSync(folder, { recursive: true, force: true });
});

const trainForLong = (out: string, ...more: string[]): string[] => [
  "train",
  "--task",
  "sudoku4",
  "--puzzles",
  "200",
  "--minutes",
  "10",
  "--out",
  out,
  ...more,
  "--set",
  ...smallModel,
];
const hasSteps = (run: string, count: number) => (): boolean =>
  existsSync(join(run, "run.json")) && stepLines(run).length >= count;

describe("a signal", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("%s stops the training, which saves", async (signal) => {
    const run = join(folder, signal);
    const { child, finished } = start(trainForLong(run, "--backend", "reference"));
    await until(hasSteps(run, 2));
    child.kill(signal);
    const { code, stdout, stderr } = await finished;
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("stopping after this step, then saving");
    expect(stdout).toMatch(/stopped: \d+ steps? in .*\nsaved in /);
    const { step } = readCheckpoint(run).side;
    expect(step).toBe(stepLines(run).length);
    expect(readdirSync(run)).not.toContain("lock");
    expect((await trm("train", "--resume", run, "--steps", String(step + 1), "--backend", "reference")).code).toBe(0);
  });

  it.each([
    ["npx trm train", "npx", (run: string) => ["trm", ...trainForLong(run, "--backend", "reference")]],
    ["npm start", "npm", (run: string) => ["start", "--", "--out", run, "--backend", "reference"]],
  ] as const)("Ctrl-C in a terminal stops `%s`, which saves", async (name, program, argumentsFor) => {
    const run = join(folder, name.replaceAll(" ", "-"));
    const { child, finished } = startInGroup(program, argumentsFor(run));
    await until(hasSteps(run, 2));
    process.kill(-child.pid!, "SIGINT"); // a terminal signals the whole process group: npm, its shell and trm
    const { stdout } = await finished;
    expect(stdout).toMatch(/stopped: \d+ steps? in .*\nsaved in /);
    expect(readCheckpoint(run).side.step).toBe(stepLines(run).length);
    expect(readdirSync(run)).not.toContain("lock");
  });
});

it("an interrupted ablation continues within the unfinished cell", async () => {
  const out = join(folder, "ablation");
  const rows = ["ablate", "--out", out, "--seeds", "1", "--rows", "trm"];
  const { child, finished } = start([...rows, "--minutes", "0.2", "--puzzles", "100", "--set", ...smallModel]);
  let shown = "";
  child.stdout!.on("data", (text) => {
    shown += text;
  });
  await until(() => shown.includes("1 of 1: TRM, seed 1"));
  child.kill("SIGINT");
  const { code, stdout, stderr } = await finished;
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("stopping after this step, then saving; --resume continues");
  const { side } = readCheckpoint(join(out, "unfinished-trm-seed1"));
  expect(side.step).toBeGreaterThan(0);
  const second = await trm("ablate", "--out", out, "--resume", "--json");
  expect(second.code).toBe(0);
  expect(readdirSync(out).sort()).toEqual(["ablation.json", "cell-trm-seed1.json"]);
  // The time of the first session is included.
  const { seconds } = JSON.parse(readFileSync(join(out, "cell-trm-seed1.json"), "utf8"));
  expect(seconds).toBeGreaterThan(side.seconds);
});

it("a closed pipe saves the run and ends it without an error", async () => {
  const run = join(folder, "pipe");
  const training = await startShell(`$TRM ${trainForLong(run).join(" ")} | head -1`).finished;
  expect([training.stderr, training.stdout.split("\n").length]).toEqual(["", 2]);
  expect(readCheckpoint(run).side.step).toBe(stepLines(run).length);
  const info = await startShell(`$TRM info ${run} | head -1`).finished;
  expect(info).toMatchObject({ stderr: "", stdout: expect.stringMatching(/^checkpoint .*\n$/) });
});

it.skipIf(!hasScript)("a closed terminal saves the run (skipped without util-linux's script)", async () => {
  const run = join(folder, "terminal");
  const { child, finished } = startShell(`exec script -qec "$TRM ${trainForLong(run).join(" ")}" /dev/null`);
  await until(hasSteps(run, 2));
  const { pid } = JSON.parse(readFileSync(join(run, "lock"), "utf8"));
  child.kill("SIGKILL"); // kills the terminal: the run receives a hang-up, and writing to the terminal fails
  await finished;
  await until(() => !existsSync(join(run, "lock")) || !isRunning(pid));
  expect(existsSync(join(run, "lock"))).toBe(false);
  expect(readCheckpoint(run).side.step).toBe(stepLines(run).length);
  expect(readCheckpoint(run).side.step).toBeGreaterThan(1);
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it("a second process cannot write to a run", async () => {
  const run = join(folder, "locked");
  const { child, finished } = start(trainForLong(run));
  await until(hasSteps(run, 1));
  const second = await trm("train", "--resume", run);
  expect([second.code, second.stdout]).toEqual([1, ""]);
  expect(second.stderr).toMatch(
    /^trm: .*: process \d+ is writing this run \(if it writes another one, as after a copy, delete .*\)\n$/,
  );
  expect((await trm("info", run)).code).toBe(0);
  const forced = await trm(...trainForLong(run, "--force"));
  expect([forced.code, forced.stderr]).toEqual([1, expect.stringContaining("is writing this run")]);
  child.kill("SIGKILL");
  await finished;
  expect(existsSync(join(run, "lock"))).toBe(true);
  expect((await trm("train", "--resume", run, "--steps", "1")).code).toBe(0);
});

/** Mounts a file system of a few MB, which requires root. */
function mountDisk(): boolean {
  mkdirSync(disk, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
const hasDisk = process.platform === "linux" && mountDisk();

describe.skipIf(!hasDisk)("a full disk (skipped where a small tmpfs cannot be mounted)", () => {
  const fill = (): void => {
    for (const size of [2 ** 20, 2 ** 16, 2 ** 12]) {
      for (let i = 0; ; i++) {
        try {
          writeFileSync(join(disk, `filler-${size}-${i}`), Buffer.alloc(size));
        } catch {
          break;
        }
      }
    }
  };
  const expectFull = async ({ finished }: Running, message: RegExp): Promise<void> => {
    const { code, stderr } = await finished;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^trm: [^\n]*no space left on the disk[^\n]*\n$/);
    expect(stderr).toMatch(message);
  };

  it("is reported by a command whose redirected output does not fit, also if a part of it does", async () => {
    const run = join(folder, "many-steps");
    const training = ["train", "--task", "sudoku4", "--puzzles", "200", "--steps", "150", "--out", run];
    expect((await trm(...training, "--set", ...smallModel)).code).toBe(0);
    const whole = (await trm("metrics", run, "--csv")).stdout;
    fill();
    truncateSync(join(disk, "filler-1048576-0"), 2 ** 20 - 2 ** 12); // room for one page
    const file = openSync(join(disk, "metrics.csv"), "w");
    const command = [join(project, "bin/trm.mjs"), "metrics", run, "--csv"];
    const { status, stderr } = spawnSync(process.execPath, command, {
      stdio: ["ignore", file, "pipe"],
      encoding: "utf8",
    });
    closeSync(file);
    expect(whole.length).toBeGreaterThan(4096);
    expect([status, stderr]).toEqual([1, expect.stringContaining("no space left on the disk")]);
    for (const name of readdirSync(disk)) rmSync(join(disk, name));
  });

  it("during training keeps the previous checkpoint, and the run can be resumed", async () => {
    const run = join(disk, "run");
    const running = start(trainForLong(run, "--save-every", "0.2"));
    await until(() => hasSteps(run, 1)() && readCheckpoint(run, () => []).side.step > 0);
    fill();
    await expectFull(running, /the checkpoint of step \d+ is kept in .*run/);
    for (const name of readdirSync(disk)) if (name.startsWith("filler")) rmSync(join(disk, name));
    const { step } = readCheckpoint(run).side;
    expect(step).toBeGreaterThan(0);
    expect((await trm("train", "--resume", run, "--steps", String(step + 2))).code).toBe(0);
    rmSync(run, { recursive: true });
  });

  it("at the start leaves nothing behind", async () => {
    fill();
    const run = join(disk, "second");
    await expectFull(start(trainForLong(run)), /no space left/);
    expect(existsSync(run)).toBe(false);
  });
});
