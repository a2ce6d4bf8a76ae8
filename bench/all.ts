// `npm run bench`: this project's step beside those of PyTorch, tfjs, jax-js and js-pytorch, on the same arithmetic; how the cost
// grows; where the time goes. Prints a report and, when everything was measured, writes bench/RESULTS.md.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { PeakResult } from "./peak.ts";
import {
  type Absent,
  type Contestant,
  javaScriptPeers,
  type OwnNode,
  ours,
  ownNodes,
  pythonPeers,
} from "./runner/contestants.ts";
import { type Variation, variations } from "./runner/growth.ts";
import { describeMachine } from "./runner/machine.ts";
import { isPair, measurePairs, type PairRequest } from "./runner/measure.ts";
import { type BenchOptions, parseBenchOptions, type SectionName, usage } from "./runner/options.ts";
import { Progress } from "./runner/progress.ts";
import {
  document,
  type Failed,
  type GrowthRow,
  growthTable,
  type Pair,
  type Peak,
  pairTable,
  peakTable,
  type Section,
} from "./runner/report.ts";
import { readStepConfig } from "./shared/config.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const configOf = (name: string) => readStepConfig(`${here}configs/${name}.json`);

/** The options, and the Nodes that our programs run on. */
interface Run extends BenchOptions {
  readonly nodes: readonly OwnNode[];
}

async function main(options: BenchOptions): Promise<void> {
  const machine = describeMachine();
  const nodes = options.sections.every((name) => name === "reference") ? [] : ownNodes(options.backend);
  const run: Run = { ...options, nodes };
  machine.push(...nodes.slice(1).map(({ version }): [string, string] => ["Node for wide vectors", version]));
  const wanted = (name: SectionName): boolean => options.sections.includes(name);
  const python = wanted("steps") || wanted("growth") ? pythonPeers() : [];
  const peers = [...python, ...(wanted("steps") ? javaScriptPeers() : [])];
  for (const peer of peers) if (!("command" in peer)) console.error(`skipped: ${peer.name} (${peer.reason})`);

  const sections: Section[] = [];
  if (wanted("peak")) {
    const body = peakTable(measuredPeak(run));
    sections.push({ title: "Measured peak", command: commandOf("peak", options), body });
  }
  if (wanted("steps")) sections.push(...(await stepSections(run, peers)));
  if (wanted("growth")) sections.push(await growthSection(run, python[0] ?? null));
  if (wanted("profile")) sections.push(profileSection(run));
  if (wanted("reference")) sections.push(referenceSection());

  const text = document(machine, sections, readFileSync(`${here}NOTES.md`, "utf8"));
  console.log(text);
  if (options.out) {
    writeFileSync(options.out, text);
    console.error(`written to ${options.out}`);
  }
}

/** What makes a section again, with the options that this run was given. */
function commandOf(section: SectionName, { given }: BenchOptions, configName?: string): string {
  const config = configName ? [`--configs ${configName}`] : [];
  return ["npm run bench -- --sections", section, ...config, ...given].join(" ");
}

/** The best of a few, by our program: a limit is not lowered by what else the machine did meanwhile. */
function measuredPeak({ backend, threads, quick, nodes }: Run): Peak {
  const gflops = new Map<string, number>();
  let how = "";
  for (const node of nodes) {
    for (const count of threads) {
      const args = ["--threads", `${count}`, ...(backend ? ["--backend", backend] : [])];
      for (let i = 0; i < (quick ? 2 : 5); i++) {
        const result = JSON.parse(outputOf(node.path, "peak.ts", args)) as PeakResult;
        gflops.set(result.peer, Math.max(result.gflops, gflops.get(result.peer) ?? 0));
        how = result.how;
      }
    }
  }
  return { how, gflops };
}

async function stepSections(options: Run, peers: readonly (Contestant | Absent)[]): Promise<Section[]> {
  const requests = options.configs.flatMap((name) =>
    options.threads.flatMap((threads) => pairsOf(options, name, threads, peers)),
  );
  const results = await measureAll(requests);
  return options.configs.flatMap((name) => {
    const own = results.filter(({ configName }) => configName === name);
    const [pairs, failed] = [own.filter(isPair), own.filter((result): result is Failed => !isPair(result))];
    const command = commandOf("steps", options, name);
    const title = `Step of ${name}`;
    if (pairs.length === 0) return [{ title, command, body: failed.map(({ reason }) => `- ${reason}`).join("\n") }];
    return [{ title, command, body: pairTable(pairs, failed) }];
  });
}

/** Slow peers take part on the smallest configuration alone, for two turns, and where they have one thread, once. */
function pairsOf(
  { turns, quick, backend, nodes }: Run,
  configName: string,
  threads: number,
  peers: readonly (Contestant | Absent)[],
): PairRequest[] {
  const request = { configName, config: configOf(configName), threads, turns, ours: ours(nodes, backend) };
  const alone = { ...request, peer: null };
  const beside = peers.flatMap((peer): PairRequest[] => {
    const isSlow = "command" in peer && peer.slow === true;
    if (isSlow && (quick || configName !== "sudoku4" || threads > 1)) return [];
    return [{ ...request, peer, turns: isSlow ? 2 : turns }];
  });
  return peers.some((peer) => "command" in peer) ? beside : [alone, ...beside];
}

const configNameOf = ({ axis, value }: Variation): string => `sudoku9 with ${axis} ${value}`;

async function growthSection(options: Run, pytorch: Contestant | Absent | null): Promise<Section> {
  const { turns, quick, backend, threads, nodes } = options;
  const points = variations(configOf("sudoku9"), Math.max(...threads), quick);
  const peer = pytorch && "command" in pytorch ? pytorch : null;
  const results = await measureAll(
    points.map((point) => ({
      configName: configNameOf(point),
      config: point.config,
      threads: point.threads,
      turns: Math.max(3, Math.floor(turns / 3)),
      ours: ours(nodes, backend),
      peer,
    })),
  );
  const rows: GrowthRow[] = [];
  const notes: string[] = [];
  for (const result of results) {
    const { axis, value } = points.find((point) => configNameOf(point) === result.configName)!;
    if (isPair(result)) rows.push({ axis, value, pair: result });
    else notes.push(`- ${result.configName}: ${result.reason}`);
  }
  const body = ["Training steps of sudoku9 with one thing changed.", growthTable(rows), notes.join("\n")];
  return {
    title: "How the cost grows",
    command: commandOf("growth", options),
    body: body.filter(Boolean).join("\n\n"),
  };
}

async function measureAll(requests: readonly PairRequest[]): Promise<(Pair | Failed)[]> {
  const progress = new Progress(requests.length);
  const results: (Pair | Failed)[] = [];
  for (const request of requests) results.push(...(await measurePairs(request, progress)));
  progress.end();
  return results;
}

/** Output of a script of this folder. */
const outputOf = (node: string, script: string, args: readonly string[]): string =>
  execFileSync(node, ["--import", "tsx", `${here}${script}`, ...args], { encoding: "utf8" }).trim();

function profileSection(options: Run): Section {
  const { threads, turns, configs, backend, nodes } = options;
  const parts = configs.flatMap((name) => {
    const args = [
      `bench/configs/${name}.json`,
      "--threads",
      `${Math.max(...threads)}`,
      "--repeat",
      `${turns}`,
      "--profile",
      ...(backend ? ["--backend", backend] : []),
    ];
    return nodes.map((node) => {
      const isHere = node.path === process.execPath;
      const program = isHere ? "npm run bench:step --" : `${relative(".", node.path)} --import tsx bench/step.ts`;
      return `\`${program} ${args.join(" ")}\`\n\n\`\`\`\n${outputOf(node.path, "step.ts", args)}\n\`\`\``;
    });
  });
  return { title: "Where the time goes", command: commandOf("profile", options), body: parts.join("\n\n") };
}

const referenceSection = (): Section => ({
  title: "Reference backend: blocked matrix product",
  command: "npm run bench:reference",
  body: outputOf(process.execPath, "reference.ts", []),
});

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1)); // and end the programs

if (process.argv.includes("--help")) console.log(usage);
else {
  try {
    await main(parseBenchOptions(process.argv.slice(2)));
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
