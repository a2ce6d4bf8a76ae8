// The programs of the benchmark: how to start each one, or why it cannot run here.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { canJoinVectors } from "../../src/tensor/backends/wasm/platform.node.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const peers = `${root}bench/peers`;

/** A program that runs steps. `command` starts it and is followed by the arguments of bench/shared/program.ts. */
export interface Contestant {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The program is slower by orders of magnitude: it runs only the smallest configuration, for few turns. */
  readonly slow?: boolean;
}

export interface Absent {
  readonly name: string;
  readonly reason: string;
}

/** A Node executable that runs our program. */
export interface OwnNode {
  readonly path: string;
  readonly version: string;
}

/** The newer Node that the npm package `node` of bench/peers provides. */
const newerNode = `${peers}/node_modules/node/bin/node`;

/**
 * The Node versions to run our program on: the current one and, if it has no wide vectors, also the newer one of bench/peers.
 *
 * @param backend  the option --backend of the benchmark
 */
export function ownNodes(backend?: string): OwnNode[] {
  const here = { path: process.execPath, version: process.versions.node };
  const name = backend ?? process.env.TRM_BACKEND ?? "wasm";
  if (canJoinVectors() || name !== "wasm" || process.env.TRM_WASM_BUILD || process.arch !== "x64") return [here];
  const installed = installPeers();
  if ("reason" in installed) {
    console.error(`skipped: the wide build of the kernels (${installed.reason})`);
    return [here];
  }
  if (!answers(newerNode, ["--import", "tsx", `${root}bench/peak.ts`])) {
    console.error("skipped: the wide build of the kernels (it does not run on the newer Node)");
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
    : { name: names[1], reason: "torch.compile needs g++, which is not installed" };
  return [{ name: names[0], command }, compiled];
}

/** Python commands to try, unless TRM_PYTHON names one. */
const pythons = ["python3", "python"] as const;

export function findPython(): { python: string } | { reason: string } {
  const named = process.env.TRM_PYTHON;
  for (const python of named ? [named] : pythons) {
    if (answers(python, ["-c", "import torch"])) return { python };
  }
  return { reason: `no Python with torch (tried ${named ?? pythons.join(", ")}; set TRM_PYTHON to one)` };
}

/** The JavaScript engines of bench/peers. */
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

/** Installs the packages of bench/peers if they are missing. The package is separate, so that the project does not install the peers. */
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
    : { reason: "the npm package node has no executable for this platform, and the peers need a newer Node" };
}

function answers(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
