// Who takes part in the benchmark: how each program is started, and why one cannot be.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { canJoinVectors } from "../../src/tensor/backends/wasm/platform.node.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const peers = `${root}bench/peers`;

/** A program that runs steps; `command` starts it, before the arguments of bench/shared/program.ts. */
export interface Contestant {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Takes seconds for what the others do in milliseconds: only the smallest configuration, few turns. */
  readonly slow?: boolean;
}

export interface Absent {
  readonly name: string;
  readonly reason: string;
}

/** A Node to run our own programs on. */
export interface OwnNode {
  readonly path: string;
  readonly version: string;
}

/** The npm package node, which has a newer Node than most machines. */
const newerNode = `${peers}/node_modules/node/bin/node`;

/**
 * This Node; and, where the newer one of bench/peers runs another build of the kernels (wide vectors), that one beside it.
 *
 * @param backend  as given to the benchmark
 */
export function ownNodes(backend?: string): OwnNode[] {
  const here = { path: process.execPath, version: process.versions.node };
  const name = backend ?? process.env.TRM_BACKEND ?? "wasm";
  if (canJoinVectors() || name !== "wasm" || process.env.TRM_WASM_BUILD || process.arch !== "x64") return [here];
  const installed = installPeers();
  if ("reason" in installed) {
    console.error(`skipped: our kernels with wide vectors (${installed.reason})`);
    return [here];
  }
  if (!answers(newerNode, ["--import", "tsx", `${root}bench/peak.ts`])) {
    console.error("skipped: our kernels with wide vectors (they do not run on the newer Node)");
    return [here];
  }
  const version = execFileSync(newerNode, ["--version"], { encoding: "utf8" }).trim().slice(1);
  return [here, { path: newerNode, version }];
}

export const ours = (nodes: readonly OwnNode[], backend?: string): Contestant[] =>
  nodes.map(({ path, version }) => ({
    name: `trm-ts on Node ${version}`,
    command: [path, "--import", "tsx", `${root}bench/step.ts`, ...(backend ? ["--backend", backend] : [])],
  }));

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

/** Where Python is looked for; TRM_PYTHON names another. */
const pythons = ["python3", "python", "/opt/peer/bin/python"] as const;

function findPython(): { python: string } | { reason: string } {
  const named = process.env.TRM_PYTHON;
  for (const python of named ? [named] : pythons) {
    if (answers(python, ["-c", "import torch"])) return { python };
  }
  return { reason: `no Python with torch (tried ${named ?? pythons.join(", ")}; TRM_PYTHON names one)` };
}

/** The engines of bench/peers. */
export function javaScriptPeers(): (Contestant | Absent)[] {
  const names = ["tfjs wasm", "jax-js", "tfjs cpu", "js-pytorch"] as const;
  const installed = installPeers();
  if ("reason" in installed) return names.map((name) => ({ name, reason: installed.reason }));
  return [
    { name: names[0], command: [newerNode, `${peers}/tfjs.ts`, "--backend", "wasm"] },
    { name: names[1], command: [newerNode, `${peers}/jax.ts`] },
    { name: names[2], command: [newerNode, `${peers}/tfjs.ts`, "--backend", "cpu"], slow: true },
    { name: names[3], command: [newerNode, `${peers}/js-pytorch.ts`], slow: true },
  ];
}

/** Installs bench/peers, which has its own lock file, if it is not yet. */
function installPeers(): { reason: string } | Record<string, never> {
  try {
    if (!existsSync(`${peers}/node_modules`)) {
      console.error("installing bench/peers (npm ci) ...");
      execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: peers, stdio: ["ignore", "ignore", "inherit"] });
    }
  } catch (error) {
    return { reason: `npm ci in bench/peers failed: ${String(error)}` };
  }
  return answers(newerNode, ["--version"])
    ? {}
    : { reason: "the npm package node has no binary here, and a newer Node is needed" };
}

function answers(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
