/** A process that is killed while it saves always leaves a checkpoint that loads, and the run ends as if nothing had happened. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { packCheckpoint } from "../../src/runs/checkpoint.ts";
import { readCheckpoint } from "../../src/runs/checkpoint-folder.node.ts";
import { metricsFile, WritableRun } from "../../src/runs/run-folder.node.ts";
import { ReferenceBackend, setRootBackend } from "../../src/tensor/index.ts";
import { aboutCheckpoint, tinyAbout, tinyConfig, tinySets, tinyTraining } from "./tiny-run.ts";

const root = mkdtempSync(join(tmpdir(), "trm-kill-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const kills = 12;

const isSaving = (path: string): boolean => readdirSync(path).some((name) => name.startsWith(".tmp-"));

/** A random moment within some steps, or the next one at which a checkpoint is half written. */
async function momentToKill(path: string, kind: "random" | "saving"): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
  const end = Date.now() + 5_000;
  while (kind === "saving" && !isSaving(path) && Date.now() < end);
}

/** Starts the saving process, kills it some time after its first checkpoint. Returns the last step that it reported. */
async function saveAndKill(path: string, kind: "random" | "saving"): Promise<number> {
  const script = join(import.meta.dirname, "save-forever.ts");
  const child = spawn(process.execPath, ["--import", "tsx", script, path], { stdio: ["ignore", "pipe", "pipe"] });
  let [said, complaint, killing] = ["", "", false];
  child.stderr.on("data", (text) => {
    complaint += text;
  });
  child.stdout.on("data", (text) => {
    said += text;
    if (killing) return;
    killing = true;
    void momentToKill(path, kind).then(() => child.kill("SIGKILL"));
  });
  const signal = await new Promise((resolve) => child.on("close", (_, how) => resolve(how)));
  expect(complaint).toBe("");
  expect(signal).toBe("SIGKILL");
  return Number(said.slice(0, said.lastIndexOf("\n")).split("\n").at(-1));
}

it(`${kills} kills, at random moments and in the middle of saving`, async () => {
  setRootBackend(new ReferenceBackend());
  const path = join(root, "run");
  const sets = tinySets();
  const training = tinyTraining(tinyConfig(), sets);
  const files = await packCheckpoint(training, aboutCheckpoint);
  WritableRun.create(path, tinyAbout, sets, { step: 0, files }).close();

  let remains = 0;
  for (let kill = 0; kill < kills; kill++) {
    const reported = await saveAndKill(path, kill % 3 === 0 ? "random" : "saving");
    const { side } = readCheckpoint(path);
    expect(side.step).toBeGreaterThanOrEqual(reported);
    if (isSaving(path)) remains++;
  }
  expect(remains, "kills in the middle of saving").toBeGreaterThan(0);

  const { run, checkpoint } = WritableRun.resume(path);
  run.close();
  expect(existsSync(join(path, "lock"))).toBe(false);
  while (training.step < checkpoint.side.step) await training.supervisionStep();
  const uninterrupted = await packCheckpoint(training, aboutCheckpoint);
  for (const [name, bytes] of checkpoint.files) expect(bytes).toEqual(Buffer.from(uninterrupted.get(name)!));
  const lines = readFileSync(join(path, metricsFile), "utf8").trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).step)).toEqual(lines.map((_, i) => i + 1));
  training.dispose();
});
