// The state of the page: the link, the manifest of the models, and the trace that all views show. Views read signals; everything that
// changes them is a function of this file.
import { batch, computed, effect, signal } from "@preact/signals";
import type { TraceFrame } from "trm-ts";
import type { Puzzle } from "../shared/calls.ts";
import {
  changedCells,
  frameCount,
  framesPerStep,
  haltStep,
  indexOf,
  latestOf,
  nearest,
  placeAt,
  readTrace,
  type Shape,
} from "../shared/frames.ts";
import { type Link, type Part, readLink, writeLink } from "../shared/link.ts";
import type { Machine, Manifest, ModelEntry } from "../shared/models.ts";
import { callWorker } from "./workers.ts";

// --- The link --------------------------------------------------------------------------------------------------------------

const opened = readLink(location.hash);
export const link = signal<Link>(opened.link);
/** What the page has to say: values of the link that were refused. */
export const refused = signal<readonly string[]>(opened.refused);
/** Whether the visitor came without a link. */
export const isFirstVisit = location.hash.replace("#", "") === "";

let written = location.hash.replace(/^#/, "");
let pending: ReturnType<typeof setTimeout> | undefined;

/** Changes the link. A change of view is a new entry of the history; others replace it. */
export function go(change: Partial<Link>): void {
  const before = link.peek();
  link.value = { ...before, ...change };
  clearTimeout(pending);
  const isNewPlace = change.view !== undefined && change.view !== before.view;
  if (isNewPlace) writeAddress(true);
  else pending = setTimeout(() => writeAddress(false), 120);
}

function writeAddress(isNewEntry: boolean): void {
  const next = writeLink(link.peek());
  if (next === written) return;
  written = next;
  history[isNewEntry ? "pushState" : "replaceState"](null, "", `#${next}`);
}

addEventListener("hashchange", () => {
  const hash = location.hash.replace(/^#/, "");
  if (hash === written) return;
  written = hash;
  const read = readLink(hash);
  batch(() => {
    link.value = read.link;
    refused.value = read.refused;
  });
});

export const shows = (part: Part): boolean => !link.value.hide.includes(part);

// --- The model and the puzzle ------------------------------------------------------------------------------------------------

export const manifest = signal<Manifest | null>(null);
/** An error that leaves nothing to show. */
export const failure = signal<string | null>(null);

export const model = computed<ModelEntry | null>(() => {
  const { models } = manifest.value ?? { models: [] };
  return models.find(({ name }) => name === link.value.model) ?? models[0] ?? null;
});

/** The model that the link names if this page does not have it; else "". */
export const unknownModel = computed(() =>
  model.value && link.value.model !== model.value.name ? link.value.model : "",
);

export const steps = computed(() => link.value.steps || (model.value?.nSup ?? 1));

export const shape = computed<Shape>(() => {
  const { T = 1, updates = ["y"] } = model.value ?? {};
  return { T, updates, steps: steps.value };
});

/** The latent that decodes to the answer: the one that a latent recursion updates last. */
export const output = computed(() => shape.value.updates.at(-1)!);
/** The other latent whose decoding is shown beside it; null for models without one. */
export const thought = computed(() => shape.value.updates.find((latent) => latent !== output.value) ?? null);

/** Whether one network updates both latents, as in TRM; variants may have a network for each. */
export const sharesNetwork = computed(() => model.value?.source === "src/trm/recursion.ts");

/** Number of the sample puzzle, from 1; a number that the model does not have counts as 1. */
export const sample = computed(() => (link.value.sample <= (model.value?.samples.length ?? 0) ? link.value.sample : 1));

/** The text of the puzzle that is shown. */
export const puzzleText = computed(() => link.value.puzzle || (model.value?.samples[sample.value - 1]?.question ?? ""));

// --- The trace ---------------------------------------------------------------------------------------------------------------

export interface Shown {
  /** Name of the model. */
  readonly model: string;
  readonly puzzle: Puzzle;
  readonly frames: readonly TraceFrame[];
  /** "recorded" when the page was built; "live" in this browser. */
  readonly source: "recorded" | "live";
  readonly machine: Machine | null;
  readonly milliseconds: number | null;
  readonly explained: Readonly<Record<string, number>> | null;
}

const traced = signal<Shown | null>(null);
/** The trace of the model that is chosen; null until there is one. */
export const shown = computed(() => (traced.value?.model === model.value?.name ? traced.value : null));
export const isComputing = signal(false);
/** Why a puzzle of the visitor was refused, in the words of the task's parser. */
export const puzzleError = signal<string | null>(null);

export const frames = computed(() => shown.value?.frames ?? []);
export const place = computed(() => nearest(link.value.at, shape.value));
/** Index of the current frame; -1 before the first update. */
export const index = computed(() => Math.min(indexOf(place.value, shape.value), frames.value.length - 1));
export const frame = computed<TraceFrame | null>(() => frames.value[index.value] ?? null);

/** What to add to a loss if the answer of the puzzle is not known; "" if it is. */
export const lossNote = computed(() =>
  shown.value?.puzzle.truth === null
    ? " No unique answer of this puzzle is known, so the loss has only the term of q, which counts the answer as correct."
    : "",
);

/** How the model decides to stop. */
export const haltingRule = computed(() => ({ comparesContinue: model.value?.comparesContinue ?? false }));
/** The supervision step after which the model stops on this puzzle; null if it makes all steps. */
export const stopsAfter = computed(() => haltStep(frames.value, shape.value, haltingRule.value));

/** What the board of a latent shows at the current frame. */
export function boardOf(latent: string): {
  readonly tokens: readonly number[];
  readonly confidence: readonly number[] | null;
  readonly changed: ReadonlySet<number>;
} {
  const question = shown.value?.puzzle.question ?? [];
  const latest = latestOf(frames.value, latent, index.value);
  return {
    tokens: latest?.tokens ?? question,
    confidence: latest?.confidence ?? null,
    changed: changedCells(frames.value, latent, index.value, question),
  };
}

// --- Moving ------------------------------------------------------------------------------------------------------------------

export const isPlaying = signal(false);
/** Milliseconds per update. */
const tempo = 240;

export function moveTo(next: number): void {
  const last = Math.max(0, Math.min(frameCount(shape.peek()), frames.peek().length) - 1);
  go({ at: placeAt(Math.max(-1, Math.min(next, last)), shape.peek()) });
}

export const moveBy = (count: number): void => moveTo(index.peek() + count);

/** To the end of the next supervision step, or of the one before. */
export function moveByStep(direction: 1 | -1): void {
  const size = framesPerStep(shape.peek());
  const done = (index.peek() + 1) / size;
  moveTo((direction > 0 ? Math.floor(done) + 1 : Math.ceil(done) - 1) * size - 1);
}

export function play(on: boolean): void {
  if (on && index.peek() >= frameCount(shape.peek()) - 1) moveTo(-1);
  isPlaying.value = on;
}

effect(() => {
  if (!isPlaying.value) return;
  const timer = setInterval(() => {
    if (index.peek() >= frameCount(shape.peek()) - 1) isPlaying.value = false;
    else if (index.peek() < frames.peek().length - 1) moveBy(1);
  }, tempo);
  return () => clearInterval(timer);
});

// --- Loading -----------------------------------------------------------------------------------------------------------------

const fetched = new Map<string, Promise<ArrayBuffer>>();

const pathOf = (name: string, file: string): string => `./models/${name}/${file}`;

function fileOf(name: string, file: string): Promise<ArrayBuffer> {
  const path = pathOf(name, file);
  const known = fetched.get(path);
  if (known) return known;
  const loading = download(path);
  fetched.set(path, loading);
  loading.catch(() => fetched.delete(path)); // a later call tries again
  return loading;
}

async function download(path: string): Promise<ArrayBuffer> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: the server answered ${response.status}`);
  return response.arrayBuffer();
}

const decode = (bytes: ArrayBuffer): string => new TextDecoder().decode(bytes);

export async function start(): Promise<void> {
  try {
    manifest.value = JSON.parse(decode(await download("./manifest.json"))) as Manifest;
    if (manifest.value.models.length === 0) throw new Error("This page was built without a model.");
  } catch (error) {
    failure.value = error instanceof Error ? error.message : String(error);
    return;
  }
  effect(showRecorded);
  effect(openModel);
  effect(solve);
}

/** Why there is no recorded trace of the model; null if there is one. */
export const recordedError = signal<string | null>(null);

// An effect that reads the link itself runs after every move through the trace.
const isFirstSample = computed(() => sample.value === 1 && link.value.puzzle === "");
const backend = computed(() => link.value.backend);
const threads = computed(() => link.value.threads);

/** Shows the recorded trace of the first sample until the model answers itself. */
function showRecorded(): void {
  const own = model.value;
  recordedError.value = null;
  if (!own || !isFirstSample.value || shown.peek()?.source === "live") return;
  const load = async (): Promise<void> => {
    const bytes = await fileOf(own.name, "trace.json");
    if (model.peek() !== own || shown.peek()) return;
    const { question, truth, frames, explained } = readTrace(decode(bytes), pathOf(own.name, "trace.json"));
    const { machine } = own.measured;
    performance.mark("recorded");
    traced.value = {
      model: own.name,
      puzzle: { question, truth },
      frames,
      source: "recorded",
      machine,
      milliseconds: null,
      explained,
    };
  };
  load().catch((error: Error) => {
    if (model.peek() === own) recordedError.value = error.message;
  });
}

/** The model that the worker has open. */
export const ready = signal<{ readonly name: string; readonly machine: Machine } | null>(null);
export const workerError = signal<string | null>(null);

/** Opens the model in the worker. Returns what stops that, because the files may arrive later than those of a later choice. */
function openModel(): (() => void) | undefined {
  const own = model.value;
  const choice = { backend: backend.value, threads: threads.value };
  if (!own) return;
  ready.value = null;
  workerError.value = null;
  puzzleError.value = null;
  const controller = new AbortController();
  const { signal } = controller;
  const load = async (): Promise<Machine> => {
    const [config, weights] = await Promise.all([
      fileOf(own.name, "config.json"),
      fileOf(own.name, "model.safetensors"),
    ]);
    const files = { name: own.name, config: decode(config), weights, basis: own.basis };
    return callWorker("open", { files, choice }, { signal });
  };
  load().then(
    (machine) => {
      if (!signal.aborted) ready.value = { name: own.name, machine };
    },
    (error: Error) => {
      if (!signal.aborted) workerError.value = error.message;
    },
  );
  return () => controller.abort();
}

let solving: AbortController | null = null;

/** Solves the puzzle that is shown, whenever it, the model or the number of steps changes. */
function solve(): void {
  const opened = ready.value;
  const own = model.value;
  const text = puzzleText.value;
  const count = steps.value;
  solving?.abort();
  if (!opened || !own || opened.name !== own.name || text === "") return;
  const controller = new AbortController();
  solving = controller;
  const { signal } = controller;
  isComputing.value = true;
  const run = async (): Promise<void> => {
    const puzzle = await callWorker("read", { text }, { signal });
    puzzleError.value = null;
    const collected: TraceFrame[] = [];
    const explained = Object.fromEntries(Object.entries(own.basis).map(([latent, plane]) => [latent, plane.explained]));
    const show = (milliseconds: number | null, machine: Machine, truth = puzzle.truth): void => {
      traced.value = {
        model: own.name,
        puzzle: { ...puzzle, truth },
        frames: [...collected],
        source: "live",
        machine,
        milliseconds,
        explained,
      };
    };
    const isSame = shown.peek()?.puzzle.question.join() === puzzle.question.join();
    const onProgress = (some: readonly TraceFrame[]): void => {
      collected.push(...some);
      // The recorded trace of the same puzzle stays until the live one is complete, so that the boards do not jump back.
      if (!isSame || collected.length >= (shown.peek()?.frames.length ?? 0)) show(null, opened.machine);
    };
    const { machine, milliseconds, truth } = await callWorker(
      "trace",
      { puzzle, steps: count },
      { signal, onProgress },
    );
    show(milliseconds, machine, truth);
    performance.mark("live");
  };
  run()
    .catch((error: Error) => {
      if (!signal.aborted) puzzleError.value = error.message;
    })
    .finally(() => {
      if (solving === controller) isComputing.value = false;
    });
}
