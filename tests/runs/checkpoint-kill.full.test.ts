/** A process that is killed while it saves leaves a checkpoint with the bits of the uninterrupted run, and the run continues from it. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { type CheckpointFiles, packCheckpoint, parseSide, sideFile } from "../../src/runs/checkpoint.ts";
import { type Checkpoint, readCheckpoint } from "../../src/runs/checkpoint-folder.node.ts";
import { metricsFile } from "../../src/runs/metrics-log.node.ts";
import { WritableRun } from "../../src/runs/run-folder.node.ts";
import { ReferenceBackend, setRootBackend } from "../../src/tensor/index.ts";
import { aboutCheckpoint, tinyAbout, tinyConfig, tinySets, tinyTraining } from "./tiny-run.ts";

const root = mkdtempSync(join(tmpdir(), "trm-kill-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const kills = 50;

const isSaving = (path: string): boolean => readdirSync(path).some((name) => name.startsWith(".tmp-"));

/** Waits for a random moment, or for the next moment at which a checkpoint is half written. */
async function momentToKill(path: string, kind: "random" | "saving"): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
  const end = Date.now() + 5_000;
  while (kind === "saving" && !isSaving(path) && Date.now() < end);
}

/** Starts the saving process, kills it after its first checkpoint, and returns the last step that it reported. */
async function saveAndKill(path: string, kind: "random" | "saving"): Promise<number> {
  const script = join(import.meta.dirname, "save-forever.ts");
  const child = spawn(process.execPath, ["--import", "tsx", script, path], { stdio: ["ignore", "pipe", "pipe"] });
  let [output, errors, killing] = ["", "", false];
  child.stderr.on("data", (text) => {
    errors += text;
  });
  child.stdout.on("data", (text) => {
    output += text;
    if (killing) return;
    killing = true;
    void momentToKill(path, kind).then(() => child.kill("SIGKILL"));
  });
  const signal = await new Promise((resolve) => child.on("close", (_, how) => resolve(how)));
  expect(errors).toBe("");
  expect(signal).toBe("SIGKILL");
  return Number(output.slice(0, output.lastIndexOf("\n")).split("\n").at(-1));
}

/** The weights, averages, moments, carry, random states and position in the data, bit for bit. */
function expectSameState({ side, files }: Checkpoint, uninterrupted: CheckpointFiles): void {
  expect(side).toEqual(parseSide(uninterrupted.get(sideFile)!, sideFile));
  expect([sideFile, ...files.keys()].sort()).toEqual([...uninterrupted.keys()].sort());
  // Buffer.equals, because a diff of bytes takes minutes.
  for (const [name, bytes] of files) expect(Buffer.from(bytes).equals(uninterrupted.get(name)!), name).toBe(true);
}

it(`a run survives ${kills} kills at random moments and in the middle of saving`, async () => {
  setRootBackend(new ReferenceBackend());
  const path = join(root, "run");
  const sets = tinySets();
  const training = tinyTraining(tinyConfig(), sets);
  const first = await packCheckpoint(training, aboutCheckpoint);
  WritableRun.create(path, tinyAbout, sets, { step: 0, files: first }).close();

  let remains = 0;
  for (let kill = 0; kill < kills; kill++) {
    const reported = await saveAndKill(path, kill % 3 === 0 ? "random" : "saving");
    const checkpoint = readCheckpoint(path);
    expect(checkpoint.side.step).toBeGreaterThanOrEqual(reported);
    while (training.step < checkpoint.side.step) await training.supervisionStep();
    expectSameState(checkpoint, await packCheckpoint(training, aboutCheckpoint));
    if (isSaving(path)) remains++;
  }
  expect(remains, "kills in the middle of saving").toBeGreaterThan(0);

  WritableRun.resume(path).run.close();
  expect(existsSync(join(path, "lock"))).toBe(false);
  const lines = readFileSync(join(path, metricsFile), "utf8").trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).step)).toEqual(lines.map((_, i) => i + 1));
  training.dispose();
});
