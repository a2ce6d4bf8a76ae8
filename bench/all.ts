// `npm run bench`: this project's step beside those of PyTorch, tfjs, jax-js and js-pytorch, on the same arithmetic; how the cost
// grows; where the time goes. Prints a report and, when everything was measured, writes bench/RESULTS.md. Each part is kept in a
// journal as soon as it is measured, so that a run of an hour that was stopped can go on.
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
import { Journal } from "./runner/journal.ts";
import { describeMachine, describeMoment, type Moment } from "./runner/machine.ts";
import { isPair, measurePairs, nameOfRequest, type PairRequest } from "./runner/measure.ts";
import { type BenchOptions, isResume, parseBenchOptions, type SectionName, usage } from "./runner/options.ts";
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

const journalPath = `${here}unfinished.jsonl`;

/** The options, the Nodes that our programs run on, and what is measured already. */
interface Run extends BenchOptions {
  readonly nodes: readonly OwnNode[];
  readonly journal: Journal;
}

async function main(args: readonly string[]): Promise<void> {
  const [machine, moment] = [describeMachine(), describeMoment()];
  const journal = isResume(args) ? Journal.resume(journalPath, machine, moment) : begin(args, machine, moment);
  const options = parseBenchOptions(journal.args);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop(options));
  const nodes = options.sections.every((name) => name === "reference") ? [] : ownNodes(options.backend);
  const run: Run = { ...options, nodes, journal };
  const wanted = (name: SectionName): boolean => options.sections.includes(name);
  const python = wanted("steps") || wanted("growth") ? pythonPeers() : [];
  const peers = [...python, ...(wanted("steps") ? javaScriptPeers() : [])];
  for (const peer of peers) if (!("command" in peer)) console.error(`skipped: ${peer.name} (${peer.reason})`);

  const sections: Section[] = [];
  if (wanted("peak")) sections.push(await peakSection(run));
  if (wanted("steps")) sections.push(...(await stepSections(run, peers)));
  if (wanted("growth")) sections.push(await growthSection(run, python[0] ?? null));
  if (wanted("profile")) sections.push(await profileSection(run));
  if (wanted("reference")) sections.push(await referenceSection(run));

  const rows: [string, string][] = [
    ["Date", journal.moments.map(({ date }) => date).join(", went on ")],
    ...machine,
    ["Load when it began", journal.moments.map(({ load }) => load).join(", then ")],
    ...nodes.slice(1).map(({ version }): [string, string] => ["Node for wide vectors", version]),
  ];
  const text = document(rows, sections, readFileSync(`${here}NOTES.md`, "utf8"));
  console.log(text);
  if (options.out) {
    writeFileSync(options.out, text);
    console.error(`written to ${options.out}`);
  }
  journal.end();
}

/** A run that writes no report takes minutes, and must not replace an unfinished one of an hour: its journal has no file. */
function begin(args: readonly string[], machine: [string, string][], moment: Moment): Journal {
  const { out } = parseBenchOptions(args);
  return Journal.begin(out ? journalPath : null, { args: [...args], machine }, moment);
}

/** Ends the programs too. */
function stop({ out }: BenchOptions): never {
  console.error(out ? "\nstopped; npm run bench -- --resume goes on behind the last whole part" : "\nstopped");
  process.exit(1);
}

/** What makes a section again, with the options that this run was given. */
function commandOf(section: SectionName, { given }: BenchOptions, configName?: string): string {
  const config = configName ? [`--configs ${configName}`] : [];
  return ["npm run bench -- --sections", section, ...config, ...given].join(" ");
}

async function peakSection(run: Run): Promise<Section> {
  const peak = await run.journal.part("peak", () => measuredPeak(run));
  return { title: "Measured peak", command: commandOf("peak", run), body: peakTable(peak) };
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
        gflops.set(result.peer, Math.max(result.best, gflops.get(result.peer) ?? 0));
        how = result.how;
      }
    }
  }
  return { how, gflops: [...gflops] };
}

async function stepSections(options: Run, peers: readonly (Contestant | Absent)[]): Promise<Section[]> {
  const requests = options.configs.flatMap((name) =>
    options.threads.flatMap((threads) => pairsOf(options, name, threads, peers)),
  );
  const results = await measureAll(requests, options.journal);
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
  const { turns, quick, backend, threads, nodes, journal } = options;
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
    journal,
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

/** A pair that failed is not kept: it is tried again when the run goes on. */
async function measureAll(requests: readonly PairRequest[], journal: Journal): Promise<(Pair | Failed)[]> {
  const progress = new Progress(requests.filter((request) => !journal.has(nameOfRequest(request))).length);
  const results: (Pair | Failed)[] = [];
  for (const request of requests) {
    const measure = () => measurePairs(request, progress);
    results.push(...(await journal.part(nameOfRequest(request), measure, (pairs) => pairs.every(isPair))));
  }
  progress.end();
  return results;
}

/** Output of a script of this folder. */
const outputOf = (node: string, script: string, args: readonly string[]): string =>
  execFileSync(node, ["--import", "tsx", `${here}${script}`, ...args], { encoding: "utf8" }).trim();

async function profileSection(run: Run): Promise<Section> {
  const parts: string[] = [];
  for (const name of run.configs) {
    for (const node of run.nodes) {
      parts.push(
        await run.journal.part(`profile of ${name} on Node ${node.version}`, () => profileOf(run, name, node)),
      );
    }
  }
  return { title: "Where the time goes", command: commandOf("profile", run), body: parts.join("\n\n") };
}

function profileOf({ threads, turns, backend }: Run, name: string, node: OwnNode): string {
  const args = [
    `bench/configs/${name}.json`,
    "--threads",
    `${Math.max(...threads)}`,
    "--repeat",
    `${turns}`,
    "--profile",
    ...(backend ? ["--backend", backend] : []),
  ];
  const isHere = node.path === process.execPath;
  const program = isHere ? "npm run bench:step --" : `${relative(".", node.path)} --import tsx bench/step.ts`;
  return `\`${program} ${args.join(" ")}\`\n\n\`\`\`\n${outputOf(node.path, "step.ts", args)}\n\`\`\``;
}

const referenceSection = async ({ journal }: Run): Promise<Section> => ({
  title: "Reference backend: blocked matrix product",
  command: "npm run bench:reference",
  body: await journal.part("reference", () => outputOf(process.execPath, "reference.ts", [])),
});

if (process.argv.includes("--help")) console.log(usage);
else {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
