// The trainings of the page: one or two runs, each in its own worker, and what they reported.
import { type Signal, signal } from "@preact/signals";
import type { TraceFrame } from "trm-ts";
import type {
  Puzzle,
  RolloutChoice,
  TrainProgress,
  TrainSettings,
  TrainStarted,
  WithRollouts,
} from "../shared/calls.ts";
import { checkpointFolder, expectTrainable } from "../shared/checkpoints.ts";
import { initialLink, type Link, readLink, type rivals, writeLink } from "../shared/link.ts";
import { readZip, writeZip } from "../shared/zip.ts";
import { go, link } from "./state.ts";
import { startWorker, type WorkerHandle } from "./workers.ts";

export interface Evaluated {
  readonly step: number;
  readonly seconds: number;
  readonly exact: readonly number[];
  readonly withRollouts: WithRollouts | null;
}

export interface Run {
  readonly name: string;
  readonly variant: (typeof rivals)[number];
  /** The settings with which it started. */
  readonly settings: TrainSettings;
  readonly status: "preparing" | "training" | "stopped" | "failed";
  /** What it is doing, or why it failed, in one line. */
  readonly message: string;
  readonly started: TrainStarted | null;
  readonly losses: readonly (readonly [step: number, loss: number])[];
  readonly evaluations: readonly Evaluated[];
  /** Puzzles that halted after 1, 2, ... supervision steps, in about the last second. */
  readonly halted: readonly number[];
  readonly last: TrainProgress | null;
  /** The frames of one unseen puzzle with the weights of the last evaluation. */
  readonly frames: readonly TraceFrame[];
  readonly puzzle: Puzzle | null;
}

export const runs = signal<readonly Signal<Run>[]>([]);
/** Number of the unseen puzzle that is solved with the weights of the moment. */
export const watchedPuzzle = signal(0);

interface Engine {
  readonly worker: WorkerHandle;
  /** What the run continues; null if it starts from scratch. */
  readonly checkpoint: Loaded | null;
  controller: AbortController;
}
const engines = new Map<Signal<Run>, Engine>();

export const rivalNames: Record<(typeof rivals)[number], string> = {
  none: "TRM",
  hrm: "HRM (2 layers per network)",
  "no-deep-supervision": "without deep supervision",
  direct: "direct prediction",
};

/** Most points of a curve. */
const mostPoints = 400;

/** Drops every second point of a curve that has too many; the newest one stays. */
const thinned = <T>(points: readonly T[]): readonly T[] =>
  points.length > mostPoints ? points.filter((_, i) => (points.length - i) % 2 === 1) : points;

function settingsOf({ task, T, n, nSup, width, rate, ema, data, seed }: Link, variant: Run["variant"]): TrainSettings {
  return { task, T, n, nSup, width, rate, ema, data, seed, variant };
}

export const isTraining = (): boolean =>
  runs.value.some(({ value }) => ["preparing", "training"].includes(value.status));

const evaluationOf = ({ evaluation, rollouts, sigma }: Link): RolloutChoice =>
  evaluation === "rollouts" ? { rollouts, sigma } : null;

/** A checkpoint that a run continues. */
interface Loaded {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Whether the settings of the page are those of the training that made it. */
  readonly hasItsData: boolean;
}

/** Starts the runs that the settings ask for. @param checkpoint  what the first run continues */
export function startRuns(checkpoint: Loaded | null = null): void {
  for (const { worker } of engines.values()) worker.stop();
  engines.clear();
  const { rival } = link.peek();
  const variants: Run["variant"][] = rival === "none" || checkpoint ? ["none"] : ["none", rival];
  runs.value = variants.map((variant) => {
    const run = signal<Run>({
      name: rivalNames[variant],
      variant,
      settings: settingsOf(link.peek(), variant),
      status: "preparing",
      message: "Starting",
      started: null,
      losses: [],
      evaluations: [],
      halted: [],
      last: null,
      frames: [],
      puzzle: null,
    });
    const worker = startWorker(`training ${variant}`);
    engines.set(run, { worker, checkpoint, controller: new AbortController() });
    return run;
  });
  for (const run of runs.value) void begin(run);
}

const change = (run: Signal<Run>, part: Partial<Run>): void => {
  run.value = { ...run.peek(), ...part };
};

/** Ends a run with a message. */
const fail = (run: Signal<Run>, error: unknown): void =>
  change(run, { status: "failed", message: (error as Error).message });

async function begin(run: Signal<Run>): Promise<void> {
  const engine = engines.get(run)!;
  const { worker, checkpoint } = engine;
  engine.controller = new AbortController();
  const { signal: abort } = engine.controller;
  change(run, { status: "preparing", message: "Starting" });
  const onProgress = (message: string): void => change(run, { message });
  try {
    const { settings } = run.peek();
    const { files = null, hasItsData = false } = checkpoint ?? {};
    const args = { settings, checkpoint: files, hasItsData, share: engines.size };
    const started = await worker.call("begin", args, { signal: abort, onProgress });
    change(run, { started, halted: new Array(started.nSup).fill(0) });
    await continueRun(run);
  } catch (error) {
    if (!abort.aborted) fail(run, error);
  }
}

async function continueRun(run: Signal<Run>): Promise<void> {
  const engine = engines.get(run)!;
  engine.controller = new AbortController();
  const { signal: abort } = engine.controller;
  change(run, { status: "training", message: "" });
  try {
    const args = { steps: 1_000_000, evaluation: evaluationOf(link.peek()) };
    await engine.worker.call("train", args, { signal: abort, onProgress: (made) => report(run, made) });
    change(run, { status: "stopped", message: "" }); // all steps of the call are made; Continue makes more
  } catch (error) {
    if (!abort.aborted) fail(run, error);
  }
}

/** Continues the runs that were stopped. One that was stopped before its training began starts from the beginning. */
export function continueRuns(): void {
  for (const run of runs.peek()) {
    const { status, started } = run.peek();
    if (status === "stopped") void (started ? continueRun(run) : begin(run));
  }
}

export function stopRuns(): void {
  for (const run of runs.peek()) {
    engines.get(run)?.controller.abort();
    if (run.peek().status !== "failed") change(run, { status: "stopped", message: "" });
  }
}

function report(run: Signal<Run>, made: TrainProgress): void {
  const before = run.peek();
  const { step, loss, seconds, exact, withRollouts } = made;
  const hasLoss = Number.isFinite(loss) && loss > 0;
  const losses = hasLoss ? thinned([...before.losses, [step, loss] as const]) : before.losses;
  const evaluations = exact
    ? thinned([...before.evaluations, { step, seconds, exact, withRollouts }])
    : before.evaluations;
  // Older counts fade, so that the histogram shows the present and does not flicker.
  const halted = made.halted.map((count, i) => 0.67 * (before.halted[i] ?? 0) + count);
  change(run, { losses, evaluations, halted, last: made });
  if (exact) void solveNow(run);
}

/** Solves an unseen puzzle with the weights of this moment. */
export async function solveNow(run: Signal<Run>): Promise<void> {
  const engine = engines.get(run);
  const { started } = run.peek();
  if (!engine || !started) return;
  const puzzle = started.unseen[watchedPuzzle.peek() % started.unseen.length]!;
  const frames: TraceFrame[] = [];
  const onProgress = (some: readonly TraceFrame[]): number => frames.push(...some);
  try {
    await engine.worker.call("traceNow", { puzzle, steps: started.nSup }, { onProgress });
    change(run, { frames, puzzle });
  } catch (error) {
    fail(run, error);
  }
}

/** File of an archive with the settings of its training, as a link, so that its puzzles can be made again. */
const settingsFile = "explorer-settings.txt";

const settingsText = ({ variant: _, ...settings }: TrainSettings): string =>
  writeLink({ ...initialLink, view: "train", ...settings });

/** Sets the settings of an archive of this page. @throws Error if they are out of range */
function adoptSettings(text: string): void {
  const { link: read, refused } = readLink(text);
  if (refused.length > 0) throw new Error(`${settingsFile}: ${refused.join(" ")}`);
  const { variant: _, ...settings } = settingsOf(read, "none");
  go(settings);
}

/** Saves the first run as an archive that the command line and this page can continue. */
export async function download(): Promise<void> {
  const [run] = runs.peek();
  const engine = run && engines.get(run);
  if (!run || !engine) return;
  const packed = await engine.worker.call("checkpoint", null).catch((error: unknown) => fail(run, error));
  if (!packed) return;
  const files = new Map(packed);
  const { settings, started } = run.peek();
  // A checkpoint of the command line has puzzles that this page does not know, and so has everything that continues it.
  if (started?.hasItsData) files.set(settingsFile, new TextEncoder().encode(settingsText(settings)));
  // The last report of progress may be of an earlier step than the files.
  const folder = checkpointFolder(files);
  const named = new Map([...files].map(([name, bytes]) => [`${folder}/${name}`, bytes]));
  const address = URL.createObjectURL(new Blob([writeZip(named)], { type: "application/zip" }));
  const anchor = Object.assign(document.createElement("a"), { href: address, download: `trm-${folder}.zip` });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export const uploadError = signal("");

/** Continues a checkpoint: an archive of `download`, or the files of a checkpoint folder of the command line. */
export async function upload(chosen: readonly File[]): Promise<void> {
  uploadError.value = "";
  try {
    const files = new Map<string, Uint8Array>();
    for (const file of chosen) {
      const bytes = new Uint8Array(await file.arrayBuffer());
      if (!file.name.endsWith(".zip")) files.set(file.name, bytes);
      else for (const [name, own] of readZip(bytes)) files.set(name.split("/").at(-1)!, own);
    }
    expectTrainable(files); // before the new training takes the place of a running one
    const settings = files.get(settingsFile);
    if (settings) adoptSettings(new TextDecoder().decode(settings));
    startRuns({ files, hasItsData: settings !== undefined });
  } catch (error) {
    uploadError.value = (error as Error).message;
  }
}
