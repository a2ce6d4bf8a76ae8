// `npm run bench` compares this project's step with the same step in PyTorch, tfjs, jax-js and js-pytorch, varies the size of the
// model, and profiles the step. It prints a report and, if all sections were measured, writes bench/RESULTS.md. A session takes
// hours: each part is recorded in a journal when it is measured, so that an interrupted session can be resumed.
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
import {
  type BenchOptions,
  isResume,
  parseBenchOptions,
  resultsPath,
  type SectionName,
  usage,
} from "./runner/options.ts";
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

/** The options, the Node versions that our program runs on, and the parts measured so far. */
interface Session extends BenchOptions {
  readonly nodes: readonly OwnNode[];
  readonly journal: Journal;
}

async function main(args: readonly string[]): Promise<void> {
  const [machine, moment] = [describeMachine(), await describeMoment()];
  const journal = isResume(args) ? Journal.resume(journalPath, machine, moment) : begin(args, machine, moment);
  const options = parseBenchOptions(journal.args);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop(options));
  const nodes = options.sections.every((name) => name === "reference") ? [] : ownNodes(options.backend);
  const session: Session = { ...options, nodes, journal };
  const includes = (name: SectionName): boolean => options.sections.includes(name);
  const python = includes("steps") || includes("growth") ? pythonPeers() : [];
  const peers = [...python, ...(includes("steps") ? javaScriptPeers() : [])];
  for (const peer of peers) if (!("command" in peer)) console.error(`skipped: ${peer.name} (${peer.reason})`);

  const sections: Section[] = [];
  if (includes("peak")) sections.push(await peakSection(session));
  if (includes("steps")) sections.push(...(await stepSections(session, peers)));
  if (includes("growth")) sections.push(await growthSection(session, python[0] ?? null));
  if (includes("profile")) sections.push(await profileSection(session));
  if (includes("reference")) sections.push(await referenceSection(session));

  const rows: [string, string][] = [
    ["Date", journal.moments.map(({ date }) => date).join(", resumed ")],
    ...machine,
    ["Load at the start", journal.moments.map(({ load }) => load).join(", then ")],
    ...nodes.slice(1).map(({ version }): [string, string] => ["Node for wide vectors", version]),
  ];
  // The hand-written texts describe the sessions of several machines, so only RESULTS.md contains them.
  const read = (name: string): string => (options.out === resultsPath ? readFileSync(`${here}${name}`, "utf8") : "");
  const text = document({ summary: read("SUMMARY.md"), machine: rows, sections, notes: read("NOTES.md") });
  console.log(text);
  if (options.out) {
    writeFileSync(options.out, text);
    console.error(`written to ${options.out}`);
  }
  journal.end();
}

/** A session that writes no report takes minutes; its journal has no file, so that it does not replace an unfinished one. */
function begin(args: readonly string[], machine: [string, string][], moment: Moment): Journal {
  const { out } = parseBenchOptions(args);
  return Journal.begin(out ? journalPath : null, { args: [...args], machine }, moment);
}

/** Ends the process, and with it the programs that it started. */
function stop({ out }: BenchOptions): never {
  console.error(out ? "\nstopped; npm run bench -- --resume continues after the last complete part" : "\nstopped");
  process.exit(1);
}

/** The command that reproduces a section, with the options of this session. */
function commandOf(section: SectionName, { given }: BenchOptions, configName?: string): string {
  const config = configName ? [`--configs ${configName}`] : [];
  return ["npm run bench -- --sections", section, ...config, ...given].join(" ");
}

async function peakSection(session: Session): Promise<Section> {
  const peak = await session.journal.part("peak", () => measuredPeak(session));
  return { title: "Measured peak", command: commandOf("peak", session), body: peakTable(peak) };
}

/** The maximum of a few measurements, because other load on the machine can only lower them. */
function measuredPeak({ backend, threads, quick, nodes }: Session): Peak {
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

async function stepSections(options: Session, peers: readonly (Contestant | Absent)[]): Promise<Section[]> {
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

/** Slow peers run only the smallest configuration, on one thread, for two turns. */
function pairsOf(
  { turns, quick, backend, nodes }: Session,
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

async function growthSection(options: Session, pytorch: Contestant | Absent | null): Promise<Section> {
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
  const body = ["Training steps of sudoku9 with one parameter changed.", growthTable(rows), notes.join("\n")];
  return {
    title: "How the cost grows",
    command: commandOf("growth", options),
    body: body.filter(Boolean).join("\n\n"),
  };
}

/** Failed pairs are not recorded, so that a resumed session measures them again. */
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

/** Runs a script of this folder and returns its output. */
const outputOf = (node: string, script: string, args: readonly string[]): string =>
  execFileSync(node, ["--import", "tsx", `${here}${script}`, ...args], { encoding: "utf8" }).trim();

async function profileSection(session: Session): Promise<Section> {
  const parts: string[] = [];
  for (const name of session.configs) {
    for (const node of session.nodes) {
      const part = `profile of ${name} on Node ${node.version}`;
      parts.push(await session.journal.part(part, () => profileOf(session, name, node)));
    }
  }
  return { title: "Where the time goes", command: commandOf("profile", session), body: parts.join("\n\n") };
}

function profileOf({ threads, turns, backend }: Session, name: string, node: OwnNode): string {
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

const referenceSection = async ({ journal }: Session): Promise<Section> => ({
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
