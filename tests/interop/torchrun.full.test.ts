// Runs interop/torchrun/train.py in one and two processes against the stand-in of this folder, and against the official code if
// TRM_OFFICIAL names a checkout: export, training, import, and the same outputs on both sides.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { importCommand } from "../../src/cli/commands/import.ts";
import { parseSafetensors, toFloat32 } from "../../src/formats/index.ts";
import { parsePt } from "../../src/formats/pt.ts";
import { readCheckpoint } from "../../src/runs/checkpoint-folder.node.ts";
import { exportRun } from "../../src/runs/exchange/export.node.ts";
import { modelFrom } from "../../src/runs/model-files.ts";
import { readSets } from "../../src/runs/run-folder.node.ts";
import { evaluate, predictions } from "../../src/trm/index.ts";
import { makeRun, newFolder } from "../runs/exchange/runs.ts";
import { shellBlocks, wordsOf } from "./doc-commands.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const script = fileURLToPath(new URL("../../interop/torchrun/train.py", import.meta.url));
const standIn = fileURLToPath(new URL("stand-in", import.meta.url));

/** A Python with the packages that the script needs (TRM_PYTHON, else python3), or the reason why there is none. */
function findPython(): { python: string } | { reason: string } {
  const candidates = [process.env.TRM_PYTHON, "python3"].filter((each) => each !== undefined);
  const failures = candidates.map((python) => {
    const { error, status } = spawnSync(python, ["-c", "import torch, safetensors, yaml, numpy"], { stdio: "ignore" });
    return error ? "not found" : status === 0 ? "" : "without torch, safetensors, pyyaml or numpy";
  });
  const found = failures.indexOf("");
  if (found >= 0) return { python: candidates[found]! };
  return { reason: candidates.map((python, i) => `${python}: ${failures[i]}`).join("; ") };
}

const search = findPython();
const python = "python" in search ? search.python : undefined;
if ("reason" in search) console.log(`skipped: interop/torchrun (${search.reason}); TRM_PYTHON=/path/to/python runs it`);

const official = process.env.TRM_OFFICIAL;
if (!official) console.log("skipped: interop/torchrun with the official code (TRM_OFFICIAL is not set)");
const checkouts = [["the stand-in", standIn], ...(official ? [["the official code", official]] : [])] as [
  string,
  string,
][];

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
const temporary = (): string => {
  const folder = newFolder();
  folders.push(folder);
  return folder;
};

function train(processes: number, options: Record<string, string | number>, program = script): string {
  const flags = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", String(processes)];
  return execFileSync(python!, [...torchrun, program, "--device", "cpu", ...flags], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, OMP_NUM_THREADS: "1" },
  });
}

const tensorsOf = (folder: string, name = "model.safetensors") =>
  parseSafetensors(readFileSync(join(folder, name)), name).tensors;

function worstDifference(a: string, b: string, name = "model.safetensors"): number {
  const other = tensorsOf(b, name);
  let worst = 0;
  for (const [key, entry] of tensorsOf(a, name)) {
    const [ours, theirs] = [toFloat32(key, entry), toFloat32(key, other.get(key)!)];
    ours.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(value - theirs[i]!));
    });
  }
  return worst;
}

/** An export without exploration, so that the processes draw no random numbers. */
async function exported(settings: Readonly<Record<string, unknown>>): Promise<string> {
  const { path } = await makeRun({ name: "sudoku4" }, { explorationProbability: 0, ...settings }, { train: 64 });
  folders.push(dirname(path));
  const folder = temporary();
  await exportRun({ run: path, out: folder, target: "torchrun" });
  return folder;
}

async function importedAccuracy(folder: string): Promise<number> {
  const out = join(temporary(), "run");
  await importCommand().parseAsync([join(folder, "model.safetensors"), "--out", out, "--backend", "reference"], {
    from: "user",
  });
  const { side, files } = readCheckpoint(out);
  const model = modelFrom(side, files.get("ema.safetensors")!, out);
  const { exact } = await evaluate(model, readSets(out).unseen, { ...side.config.training, batchSize: 4 });
  model.dispose();
  return exact.at(-1)!;
}

describe.skipIf(python === undefined).each(checkouts)("with %s", (_, checkout) => {
  it("two processes make the same steps as one, and the result imports with the same accuracy", async () => {
    const source = await exported({ puzzleEmbeddingSize: 20, puzzleSlots: 2, puzzleLearningRate: 0.01 });
    const [one, two] = [temporary(), temporary()];
    const common = { checkout, from: source, steps: 6, "log-every": 3 };
    train(1, { ...common, out: one });
    const output = train(2, { ...common, out: two });
    expect(output).toContain("2 process(es) on cpu");
    expect(output).toMatch(/step 6: answer loss \d/);
    for (const name of ["model.safetensors", "ema.safetensors"]) {
      expect(worstDifference(one, two, name), name).toBeLessThan(1e-4);
      expect(worstDifference(source, two, name), name).toBeGreaterThan(1e-3);
    }
    const accuracy = Number(/test split: ([\d.]+)% exactly right/.exec(output)![1]) / 100;
    expect(await importedAccuracy(two)).toBeCloseTo(accuracy, 3);
  });

  it("training for zero steps writes the weights and averages unchanged", async () => {
    const source = await exported({});
    const out = temporary();
    train(2, { checkout, from: source, out, steps: 0 });
    for (const name of ["model.safetensors", "ema.safetensors"]) {
      expect([...tensorsOf(out, name).keys()].toSorted()).toEqual([...tensorsOf(source, name).keys()].toSorted());
      expect(worstDifference(source, out, name)).toBe(0);
    }
  });

  // A group that outlives main() ends the process with "terminate called without an active exception" in a third of the runs,
  // because its threads release the tensors of the last sum after the interpreter has ended.
  it("the process group is released at the end, so that its threads end", async () => {
    const program = join(temporary(), "watched.py");
    writeFileSync(
      program,
      `
import sys, weakref
sys.path.insert(0, ${JSON.stringify(dirname(script))})
import train
groups = []
def watched(*arguments, train_itself=train.train):
    groups.append(weakref.ref(train.dist.group.WORLD))
    train_itself(*arguments)
train.train = watched
train.main()
sys.exit("the group is still referenced" if groups[0]() is not None else 0)
`,
    );
    const source = await exported({ puzzleEmbeddingSize: 20, puzzleSlots: 2, puzzleLearningRate: 0.01 });
    expect(train(2, { checkout, from: source, out: temporary(), steps: 1 }, program)).toContain("test split:");
  });

  it("training continues from an earlier output with its moments and its step", async () => {
    const source = await exported({});
    const [half, whole] = [temporary(), temporary()];
    train(1, { checkout, from: source, out: half, steps: 2 });
    const output = train(1, { checkout, from: half, out: whole, steps: 2 });
    expect(output).toContain("parameters; step 2");
    expect(output).toContain("step 4: answer loss");
    expect(existsSync(join(whole, "optimizer.safetensors"))).toBe(true);
  });

  it("weights with torch.compile's prefixes and bfloat16 buffers give the same logits in PyTorch and in trm-ts", async () => {
    const source = await exported({});
    const program = `
import sys, json, yaml, torch
from safetensors.torch import load_file, save_file
sys.path[:0] = [${JSON.stringify(dirname(script))}, ${JSON.stringify(checkout)}]
import train
folder = ${JSON.stringify(source)}
weights = load_file(folder + "/model.safetensors")
for name in ("inner.H_init", "inner.L_init"):
    weights[name] = weights[name].bfloat16()
wrapped = {"_orig_mod.model." + name: tensor for name, tensor in weights.items()}
save_file(wrapped, folder + "/model.safetensors")
torch.save(wrapped, folder + "/model.pt")
config = yaml.safe_load(open(folder + "/config.yaml"))
train.adapt_official_code(config)
split = train.Split(folder + "/data/test")
head = train.build_model(config, split, 1)
train.load_weights(head.model, folder + "/model.safetensors")
head.eval()
with torch.inference_mode():
    batch = split.batch([0, 1, 2, 3], [0, 1, 2, 3], 4, "cpu")
    _, outputs = head.model(head.initial_carry(batch), batch)
print(json.dumps(outputs["logits"].flatten().tolist()))
`;
    const printed = execFileSync(python!, ["-c", program], { encoding: "utf8" });
    const theirs = JSON.parse(printed.trim().split("\n").at(-1)!) as number[];
    expect(parsePt(readFileSync(join(source, "model.pt"))).tensors.get("_orig_mod.model.inner.H_init")!.dtype).toBe(
      "BF16",
    );
    for (const name of ["model.safetensors", "model.pt"])
      expect(await worstLogit(name, theirs), name).toBeLessThan(1e-4);

    async function worstLogit(name: string, expected: readonly number[]): Promise<number> {
      const out = join(temporary(), "run");
      await importCommand().parseAsync([join(source, name), "--out", out, "--backend", "reference"], { from: "user" });
      const { side, files } = readCheckpoint(out);
      const model = modelFrom(side, files.get("weights.safetensors")!, out);
      let worst = Number.NaN;
      for await (const answer of predictions(model, { inputs: readSets(out).unseen.inputs }, 1)) {
        const ours = await answer.logits.data();
        worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - Number(ours[i]))), 0);
      }
      model.dispose();
      return worst;
    }
  });

  it("the softmax loss trains although the official loss head passes it a mask that it does not accept", async () => {
    const out = temporary();
    expect(train(1, { checkout, from: await exported({ loss: "softmax" }), out, steps: 1 })).toContain(
      "step 1: answer loss",
    );
  });

  it("a folder that is not a checkout is reported in one line, and damaged weights end with status 1", async () => {
    const source = await exported({ batchSize: 3 });
    const start = (...args: string[]) =>
      spawnSync(python!, [script, "--device", "cpu", "--steps", "1", ...args], { encoding: "utf8" });
    const missing = start("--checkout", source, "--from", source, "--out", temporary());
    expect(missing.stderr).toMatch(/^train\.py: no folder models in .*, expected a checkout of the official code\n$/);
    writeFileSync(join(source, "model.safetensors"), "x");
    expect(start("--checkout", checkout, "--from", source, "--out", temporary()).status).toBe(1);
  });
});

describe.skipIf(python === undefined)("docs/pytorch.md", () => {
  it("the commands of docs/pytorch.md run as printed", () => {
    const folder = temporary();
    // Trains for fewer steps, and runs the commands of this checkout instead of installed ones.
    const commands: Record<string, readonly string[]> = {
      npx: [process.execPath, "--import", join(root, "node_modules/tsx/dist/loader.mjs")],
      torchrun: [python!, "-m", "torch.distributed.run"],
    };
    const words: Record<string, readonly string[]> = {
      trm: [join(root, "src/cli/main.ts")],
      "interop/torchrun/train.py": [script, "--device", "cpu"],
      TinyRecursiveModels: [standIn],
      "--minutes": ["--steps"],
      "200": ["4"],
      "100": ["6"],
    };
    const blocks = shellBlocks(join(root, "docs/pytorch.md"));
    expect(blocks.map((lines) => lines.length)).toEqual([6, 2]);
    for (const line of blocks.flat()) {
      const [command, ...rest] = wordsOf(line).flatMap((word, i) => (i === 0 ? commands : words)[word] ?? [word]);
      const { status, stderr } = spawnSync(command!, rest, {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, OMP_NUM_THREADS: "1" },
      });
      expect(status, `${line}\n${stderr}`).toBe(0);
    }
    expect(existsSync(join(folder, "exported-plain/model.pt"))).toBe(true);
  });
});
