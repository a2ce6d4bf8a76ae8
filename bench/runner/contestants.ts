// Who takes part in the benchmark: how each program is started, and why one cannot be.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const peers = `${root}bench/peers`;

/** A program that runs steps; `command` starts it, before the arguments of bench/shared/program.ts. */
export interface Contestant {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** It runs on one thread whatever is asked. */
  readonly singleThread?: boolean;
  /** Takes seconds for what the others do in milliseconds: only the smallest configuration, few turns. */
  readonly slow?: boolean;
}

export interface Absent {
  readonly name: string;
  readonly reason: string;
}

export const ours = (backend?: string): Contestant => ({
  name: "trm-ts",
  command: [process.execPath, "--import", "tsx", `${root}bench/step.ts`, ...(backend ? ["--backend", backend] : [])],
});

/** PyTorch, eager and compiled. */
export function pythonPeers(): (Contestant | Absent)[] {
  const names = ["PyTorch", "PyTorch compiled"] as const;
  const found = findPython();
  if ("reason" in found) return names.map((name) => ({ name, reason: found.reason }));
  const command = [found.python, `${peers}/torch_step.py`];
  const compiled = answers("g++", ["--version"])
    ? { name: names[1], command: [...command, "--compile"] }
    : { name: names[1], reason: "torch.compile needs g++, which is not here" };
  return [{ name: names[0], command }, compiled];
}

function findPython(): { python: string } | { reason: string } {
  const named = process.env.TRM_PYTHON;
  for (const python of named ? [named] : ["python3", "python", "/opt/peer/bin/python"]) {
    if (answers(python, ["-c", "import torch"])) return { python };
  }
  return { reason: `no Python with torch (tried ${named ?? "python3, python"}; TRM_PYTHON names one)` };
}

/** The engines of bench/peers, which has its own lock file; installed if it is not yet. */
export function javaScriptPeers(): (Contestant | Absent)[] {
  const names = ["tfjs wasm", "jax-js", "tfjs cpu", "js-pytorch"] as const;
  try {
    if (!existsSync(`${peers}/node_modules`)) {
      console.error("installing bench/peers (npm ci) ...");
      execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: peers, stdio: ["ignore", "ignore", "inherit"] });
    }
  } catch (error) {
    const reason = `npm ci in bench/peers failed: ${String(error)}`;
    return names.map((name) => ({ name, reason }));
  }
  const node = `${peers}/node_modules/node/bin/node`;
  if (!answers(node, ["--version"])) {
    return names.map((name) => ({
      name,
      reason: "the npm package node has no binary here, and they need a newer Node",
    }));
  }
  return [
    { name: names[0], command: [node, `${peers}/tfjs.ts`, "--backend", "wasm"] },
    { name: names[1], command: [node, `${peers}/jax.ts`] },
    { name: names[2], command: [node, `${peers}/tfjs.ts`, "--backend", "cpu"], singleThread: true, slow: true },
    { name: names[3], command: [node, `${peers}/js-pytorch.ts`], singleThread: true, slow: true },
  ];
}

function answers(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
