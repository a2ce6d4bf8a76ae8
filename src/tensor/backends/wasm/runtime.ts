// Running kernels: parameters, scratch memory, threads, and counters of where time goes.
import { BackendError } from "../../errors.ts";
import { WasmMemory } from "./memory.ts";
import { type Build, compile, type KernelExports } from "./module.ts";
import { type Helper, startHelper } from "./platform.node.ts";

/** The kernels in the order of their numbers in assembly/kernels.ts. */
const kernelNames = [
  "pack",
  "strips",
  "matmul",
  "swigluRows",
  "swigluRowsBackward",
  "swigluSequence",
  "swigluSequenceBackward",
  "unary",
  "binary",
  "siluGate",
  "siluGateBackward",
  "residualNormRows",
  "residualNormRowsBackward",
  "residualNormColumns",
  "residualNormColumnsBackward",
  "attention",
  "attentionBackward",
  "adamAtan2",
  "movingAverage",
  "swigluRowsGroups",
  "swigluSequenceGroups",
  "sumGroups",
  "peak",
] as const;
export type KernelName = (typeof kernelNames)[number];

/**
 * Addresses in the first page, which the heap leaves free, well above AssemblyScript's constants (from 1024 on): of the classes `Job`
 * and `Task` of assembly/pool.ts. Positions are in words of four bytes.
 */
const jobAddress = 32_768;
const tasksAddress = 33_792;
const taskWords = 32;
/** Where a task's parameters begin. */
const parametersWord = 8;
const helpersWord = 4;
/** Tasks that may wait before they are run. */
const mostTasks = 64;
const firstTask = tasksAddress / 4;
const jobWord = (field: number): number => jobAddress / 4 + field;
const ready = jobWord(4);
const threadCount = jobWord(5);
const tasksStart = jobWord(6);
const scratchStart = jobWord(8);
const scratchStep = jobWord(9);
const spinsBeforeSleep = jobWord(10);
const callerMaySleep = jobWord(11);
const helperTrapped = jobWord(12);

/** How often an idle thread looks for the next list before it sleeps: some 50 microseconds. */
const spins = 20_000;
/** Kernels cheaper than this run on the calling thread: about 10 microseconds. In multiply-adds of four lanes. */
const sharedCost = 50_000;

export interface Run {
  readonly items: number;
  /** Scratch bytes per thread. */
  readonly scratch?: number;
  /** Work of the whole call in vector multiply-adds, roughly. */
  readonly cost: number;
  /** Fields of the kernel's parameter class, in order, at most 24; floats through `float`. */
  readonly parameters: readonly number[];
}

export interface KernelTime {
  calls: number;
  milliseconds: number;
  /** Vector multiply-adds, as the callers estimate them. */
  cost: number;
  /** Vector multiply-adds per millisecond in the fastest call. */
  best: number;
}

const floatBits = new Float32Array(1);
const integerBits = new Int32Array(floatBits.buffer);
/** A float32 parameter as the integer with the same bits. */
export function float(value: number): number {
  floatBits[0] = value;
  return integerBits[0]!;
}

export class WasmRuntime {
  readonly heap: WasmMemory;
  readonly build: Build;
  readonly threads: number;
  /** PANEL of assembly/layout.ts. */
  readonly panelColumns: number;
  private readonly kernels: KernelExports;
  private readonly helpers: Helper[] = [];
  private scratchBytes = 0;
  private scratchPointer = 0;
  /** Of each task, how many items of each thread's part have been taken. */
  private readonly taken: number;
  /** Kernels in the list. */
  private waiting = 0;
  /** Where the last kernel in the list stands that is shared among threads; 0 if none is. */
  private lastShared = 0;
  private lastHelpers = 0;
  /** What a kernel trapped with: results are lost then, and helping threads may stand anywhere. */
  private failure: unknown = null;
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
    job[threadCount] = this.threads;
    job[tasksStart] = tasksAddress;
    this.taken = this.heap.allocate(mostTasks * this.threads * 4);
    job[spinsBeforeSleep] = spins;
    job[callerMaySleep] = shared && maySleep(job) ? 1 : 0;
    this.reserveScratch(1 << 18);
    for (let thread = 1; thread < this.threads; thread++) {
      this.helpers.push(startHelper({ module, memory, job: jobAddress, thread, trapped: 4 * helperTrapped }));
    }
  }

  /** Threads that have started and can help, the caller not counted. A late one joins the list that runs, or the next. */
  get readyHelpers(): number {
    return Atomics.load(this.integers(), ready);
  }

  /** Helping threads that did items of the last kernel that was shared. */
  get helpersInLastKernel(): number {
    this.finish();
    return this.lastHelpers;
  }

  /**
   * Runs a kernel, but not at once: kernels wait in a list until somebody wants to see the memory (`finish`) or the list is full. So
   * JavaScript prepares many of them in one go; between two long kernels each preparation would find its own data out of the caches.
   */
  run(kernel: KernelName, { items, scratch = 0, cost, parameters }: Run): void {
    if (items === 0) return;
    this.refuseAfterTrap();
    if (scratch > this.scratchBytes) this.reserveScratch(scratch);
    const task = firstTask + this.waiting * taskWords;
    const share = this.helpers.length > 0 && items > 1 && cost >= sharedCost;
    // So few that nobody waits long for the last thread, so many that taking them costs nothing.
    const grain = share ? Math.max(1, Math.floor(items / (64 * this.threads))) : 0;
    const memory = this.integers();
    const taken = this.taken + this.waiting * this.threads * 4;
    memory.set([kernelNames.indexOf(kernel), items, grain, 0, 0, taken], task);
    memory.fill(0, taken / 4, taken / 4 + this.threads);
    memory.set(parameters, task + parametersWord);
    if (share) this.lastShared = task;
    this.waiting++;
    if (this.times) this.count(kernel, cost);
    else if (this.waiting === mostTasks) this.finish();
  }

  /** Runs the kernels that wait. Whoever reads or writes the memory from JavaScript comes here first. @throws BackendError after a trap */
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
      if (this.integers()[helperTrapped] === 0) throw error;
      throw new BackendError("wasm backend: a kernel trapped on a helping thread", { cause: error });
    }
    if (lastShared > 0) this.lastHelpers = this.integers()[lastShared + helpersWord]!;
  }

  /** Writes integers into memory, as a kernel's operand. */
  store(pointer: number, values: Int32Array): void {
    this.finish();
    this.integers().set(values, pointer / 4);
  }

  /** Memory for the length of `body`, which gets the address. */
  temporarily(bytes: number, body: (pointer: number) => void): void {
    const pointer = this.heap.allocate(bytes);
    try {
      body(pointer);
    } finally {
      this.heap.release(pointer, bytes);
    }
  }

  /** Starts counting from zero, or stops. While it counts, every kernel runs at once. */
  profile(on: boolean): void {
    this.finish();
    this.times = on ? new Map() : null;
  }

  /** What has been counted since `profile(true)`. */
  kernelTimes(): ReadonlyMap<KernelName, KernelTime> {
    return this.times ?? new Map();
  }

  /** Ends the helping threads. What is asked for afterwards runs on the calling thread. */
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
    if (this.scratchBytes > 0) this.heap.release(this.scratchPointer, this.scratchBytes * this.threads);
    this.scratchBytes = 0; // in case there is no memory left
    this.scratchPointer = this.heap.allocate(step * this.threads);
    this.scratchBytes = step;
    const job = this.integers();
    job[scratchStart] = this.scratchPointer;
    job[scratchStep] = step;
  }

  private view = new Int32Array(0);
  private integers(): Int32Array {
    const { buffer } = this.heap.memory;
    if (this.view.buffer !== buffer) this.view = new Int32Array(buffer);
    return this.view;
  }
}

/** A page's main thread may not sleep; asking for a value that is not there answers without sleeping. */
function maySleep(memory: Int32Array): boolean {
  try {
    Atomics.wait(memory, 0, memory[0]! + 1, 0);
    return true;
  } catch {
    return false;
  }
}
