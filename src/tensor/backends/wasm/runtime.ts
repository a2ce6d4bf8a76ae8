// Running kernels: their parameters, scratch memory and threads, and counters of the time each kernel takes.
import { BackendError } from "../../errors.ts";
import { type KernelFields, type KernelName, kernelFields } from "./kernel-fields.ts";
import { WasmMemory } from "./memory.ts";
import { type Build, compile, type KernelExports } from "./module.ts";
import { type Helper, helpersMayFailSilently, startHelper } from "./platform.node.ts";

/** A kernel as a call writes it to memory: its number, and its fields in order. */
interface KernelLayout {
  readonly number: number;
  readonly fields: readonly string[];
  /** Per field, whether it is a float32. */
  readonly isFloat: readonly boolean[];
}

const layouts = Object.fromEntries(
  Object.entries(kernelFields).map(([name, fields], number): [string, KernelLayout] => [
    name,
    { number, fields: Object.keys(fields), isFloat: Object.values(fields).map((type) => type === "f32") },
  ]),
) as Readonly<Record<KernelName, KernelLayout>>;

/** The fields of the classes `Job` and `Task` of assembly/pool.ts in memory order, one word of four bytes each. */
export const jobFields = [
  "generation",
  "open",
  "active",
  "asleep",
  "ready",
  "threads",
  "tasks",
  "taskCount",
  "scratch",
  "scratchStep",
  "spins",
  "callerMaySleep",
  "helperTrapped",
] as const;
export const taskFields = ["kernel", "items", "grain", "done", "helpers", "taken"] as const;

/**
 * The job and the tasks are in the first page. The heap leaves that page free, and AssemblyScript's constants (from 1024 on) end well
 * below. Positions are in words.
 */
const jobAddress = 32_768;
const tasksAddress = 33_792;
const firstTask = tasksAddress / 4;
const taskWords = 32;
/** First word of a task's parameters. */
const parametersWord = 8;
/** Most tasks that wait before they run. */
const mostTasks = 64;
const jobWord = (field: (typeof jobFields)[number]): number => jobAddress / 4 + jobFields.indexOf(field);
const readyWord = jobWord("ready");
const helperTrappedWord = jobWord("helperTrapped");
const helpersWord = taskFields.indexOf("helpers");

/** Number of times an idle thread checks for the next list before it sleeps: about 50 microseconds. */
const spins = 20_000;
/** Kernels cheaper than this run on the calling thread: about 10 microseconds. In multiply-adds of four lanes. */
const sharedCost = 50_000;
/** Initial scratch memory of each thread. */
export const initialScratchBytes = 1 << 18;

export interface Run<K extends KernelName> {
  readonly items: number;
  /** Scratch bytes per thread. */
  readonly scratch?: number;
  /** Rough work of the whole call, in vector multiply-adds. */
  readonly cost: number;
  readonly fields: KernelFields<K>;
}

export interface KernelTime {
  calls: number;
  milliseconds: number;
  /** Vector multiply-adds, as estimated by the callers. */
  cost: number;
  /** Vector multiply-adds per millisecond in the fastest call. */
  best: number;
}

/** Helping threads that have not started are reported after `patientTurns` turns of the event loop, each of `turnMilliseconds`. */
const patientTurns = 10;
const turnMilliseconds = 100;

export class WasmRuntime {
  readonly heap: WasmMemory;
  readonly build: Build;
  readonly threads: number;
  /** Whether kernels are shared with the helping threads. The results are the same either way. */
  usesHelpers = true;
  /** Columns of a panel: PANEL of assembly/layout.ts. */
  readonly panelColumns: number;
  private readonly kernels: KernelExports;
  private readonly helpers: Helper[] = [];
  private scratchBytes = 0;
  private scratchPointer = 0;
  /** Bytes of the heap that belong to the runtime itself: scratch memory and counters. */
  ownBytes = 0;
  /** Address of the counters of items taken, per task and thread. */
  private readonly taken: number;
  /** Number of kernels in the list. */
  private waiting = 0;
  /** Word of the last task in the list that is shared among threads; 0 if there is none. */
  private lastShared = 0;
  private lastHelpers = 0;
  /** The error of a kernel that trapped. Results are lost then, and helping threads may be anywhere in their code. */
  private failure: unknown = null;
  private hasReported = false;
  /** Per kernel, while profiling is on. */
  private times: Map<KernelName, KernelTime> | null = null;

  constructor(build: Build, threads: number, shared: boolean, limitBytes?: number) {
    this.build = build;
    this.panelColumns = build === "wide" ? 16 : 8;
    this.heap = new WasmMemory(shared, limitBytes);
    this.threads = shared ? threads : 1;
    const module = compile(build, shared);
    const { memory } = this.heap;
    this.kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as KernelExports;
    const job = this.integers();
    job[jobWord("threads")] = this.threads;
    job[jobWord("tasks")] = tasksAddress;
    this.taken = this.heap.allocate(mostTasks * this.threads * 4);
    this.ownBytes = this.heap.liveBytes;
    job[jobWord("spins")] = spins;
    job[jobWord("callerMaySleep")] = shared && maySleep(job) ? 1 : 0;
    this.reserveScratch(initialScratchBytes);
    for (let thread = 1; thread < this.threads; thread++) {
      const message = { module, memory, job: jobAddress, thread, trapped: 4 * helperTrappedWord };
      this.helpers.push(startHelper(message, (reason) => this.report(reason)));
    }
    if (helpersMayFailSilently && this.threads > 1) this.awaitHelpers(patientTurns);
  }

  /** Reports once that helping threads did not start. The caller's loops take their items, so the results are the same. */
  private report(reason: string): void {
    if (this.hasReported) return;
    this.hasReported = true;
    console.warn(`wasm backend: a helping thread does not run (${reason}); the work continues with fewer threads`);
  }

  /**
   * Reports helping threads that have neither started nor failed. A page may refuse workers from blob: addresses without an error event.
   * Turns of the event loop are counted in place of time, because a main thread that is busy delays the start of its workers.
   */
  private awaitHelpers(turns: number): void {
    if (this.readyHelpers > 0 || this.hasReported || this.helpers.length === 0) return;
    if (turns > 0) {
      setTimeout(() => this.awaitHelpers(turns - 1), turnMilliseconds);
      return;
    }
    const seconds = (patientTurns * turnMilliseconds) / 1000;
    console.warn(
      `wasm backend: no helping thread has started yet, after ${seconds} s; the work continues with fewer threads until one starts`,
    );
  }

  /** Number of helping threads that have started. A late one joins the list that is running, or the next. */
  get readyHelpers(): number {
    return Atomics.load(this.integers(), readyWord);
  }

  /** Number of helping threads that computed items of the last shared kernel. */
  get helpersInLastKernel(): number {
    this.finish();
    return this.lastHelpers;
  }

  /**
   * Appends a kernel to the list of waiting kernels. The list runs when it is full, or when JavaScript accesses the memory (`finish`).
   * JavaScript thus prepares many kernels together. If it prepared each one between two long kernels, the data that it needs for
   * this would have been evicted from the caches.
   */
  run<K extends KernelName>(kernel: K, { items, scratch = 0, cost, fields }: Run<K>): void {
    if (items === 0) return;
    this.refuseAfterTrap();
    if (scratch > this.scratchBytes) this.reserveScratch(scratch);
    const task = firstTask + this.waiting * taskWords;
    const share = this.usesHelpers && this.helpers.length > 0 && items > 1 && cost >= sharedCost;
    // Small enough that no thread waits long for the last one, large enough that taking items costs nothing.
    const grain = share ? Math.max(1, Math.floor(items / (64 * this.threads))) : 0;
    const taken = this.taken + this.waiting * this.threads * 4;
    const layout = layouts[kernel];
    const memory = this.integers();
    // In the order of taskFields; `done` and `helpers` start at 0.
    memory[task] = layout.number;
    memory[task + 1] = items;
    memory[task + 2] = grain;
    memory[task + 3] = 0;
    memory[task + 4] = 0;
    memory[task + 5] = taken;
    memory.fill(0, taken / 4, taken / 4 + this.threads);
    this.writeFields(task + parametersWord, layout, fields);
    if (share) this.lastShared = task;
    this.waiting++;
    if (this.times) this.count(kernel, cost);
    else if (this.waiting === mostTasks) this.finish();
  }

  private writeFields(start: number, layout: KernelLayout, values: Readonly<Record<string, number>>): void {
    const { fields, isFloat } = layout;
    for (let i = 0; i < fields.length; i++) {
      const value = values[fields[i]!]!;
      if (isFloat[i]) this.floats[start + i] = value;
      else this.view[start + i] = value;
    }
  }

  /** Runs the kernels that wait. Must be called before JavaScript reads or writes the memory. @throws BackendError after a trap */
  finish(): void {
    this.refuseAfterTrap();
    if (this.waiting === 0) return;
    const { waiting, lastShared } = this;
    this.waiting = 0;
    this.lastShared = 0;
    try {
      this.kernels.runTasks(jobAddress, waiting, Number(lastShared > 0 && this.helpers.length > 0));
    } catch (error) {
      this.failure = error;
      this.dispose();
      if (this.integers()[helperTrappedWord] === 0) throw error;
      throw new BackendError("wasm backend: a kernel trapped on a helping thread", { cause: error });
    }
    if (this.build === "wide") leaveWideVectors();
    if (lastShared === 0) return;
    this.lastHelpers = this.integers()[lastShared + helpersWord]!;
  }

  /** Writes integers into memory, as a kernel's operand. */
  store(pointer: number, values: Int32Array): void {
    this.finish();
    this.integers().set(values, pointer / 4);
  }

  /** Calls `body` with the address of memory that is released afterwards. */
  temporarily(bytes: number, body: (pointer: number) => void): void {
    const pointer = this.heap.allocate(bytes);
    try {
      body(pointer);
    } finally {
      this.heap.release(pointer, bytes);
    }
  }

  /** Starts counting from zero, or stops. While profiling is on, every kernel runs immediately. */
  profile(on: boolean): void {
    this.finish();
    this.times = on ? new Map() : null;
  }

  /** Counters since `profile(true)`. */
  kernelTimes(): ReadonlyMap<KernelName, KernelTime> {
    return this.times ?? new Map();
  }

  /** Ends the helping threads. Later kernels run on the calling thread. */
  dispose(): void {
    for (const helper of this.helpers) helper.terminate();
    this.helpers.length = 0;
  }

  private refuseAfterTrap(): void {
    if (!this.failure) return;
    throw new BackendError("wasm backend: a kernel has trapped before, expected a new backend", {
      cause: this.failure,
    });
  }

  private count(kernel: KernelName, cost: number): void {
    const start = performance.now();
    this.finish();
    const milliseconds = performance.now() - start;
    const time = this.times!.get(kernel) ?? { calls: 0, milliseconds: 0, cost: 0, best: 0 };
    time.calls++;
    time.milliseconds += milliseconds;
    time.cost += cost;
    time.best = Math.max(time.best, cost / milliseconds);
    this.times!.set(kernel, time);
  }

  private reserveScratch(bytes: number): void {
    this.finish();
    const step = Math.ceil(bytes / 64) * 64;
    const before = this.heap.liveBytes;
    if (this.scratchBytes > 0) this.heap.release(this.scratchPointer, this.scratchBytes * this.threads);
    this.scratchBytes = 0; // Correct even if the allocation throws.
    try {
      this.scratchPointer = this.heap.allocate(step * this.threads);
    } finally {
      this.ownBytes += this.heap.liveBytes - before;
    }
    this.scratchBytes = step;
    const job = this.integers();
    job[jobWord("scratch")] = this.scratchPointer;
    job[jobWord("scratchStep")] = step;
  }

  private view = new Int32Array(0);
  private floats = new Float32Array(0);
  /** The memory as integers. Memory that has grown has a new buffer. */
  private integers(): Int32Array {
    const { buffer } = this.heap.memory;
    if (this.view.buffer !== buffer) {
      this.view = new Int32Array(buffer);
      this.floats = new Float32Array(buffer);
    }
    return this.view;
  }
}

/** Whether this thread may sleep, which the main thread of a page may not. The wait returns at once, as the value differs. */
function maySleep(memory: Int32Array): boolean {
  try {
    Atomics.wait(memory, 0, memory[0]! + 1, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes the functions of Math fast again after kernels of the build "wide", which leave the upper halves of the vector registers in use.
 * On some x64 processors every later SSE instruction then waits for these halves, and Math.log takes eight times as long. Other native
 * code clears them, for example the text encoder, which takes about a microsecond. bench/noise.ts measures the effect.
 */
function leaveWideVectors(): void {
  encoder.encode(longText);
}
const encoder = new TextEncoder();
const longText = "a text that is long enough for vectors ".repeat(8);
