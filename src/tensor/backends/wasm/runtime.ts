// Running kernels: parameters, scratch memory, threads, and counters of where time goes.
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
 * Addresses in the first page, which the heap leaves free, well above AssemblyScript's constants (from 1024 on). The job is the
 * class `Job` of assembly/pool.ts.
 */
const jobAddress = 32_768;
const parametersAddress = 33_792;
/** Positions of the job's fields, in words of four bytes. */
const jobWord = (field: number): number => jobAddress / 4 + field;
const next = jobWord(2);
const ready = jobWord(5);
const itemCount = jobWord(8);
const itemGrain = jobWord(9);
const scratchStart = jobWord(10);
const scratchStep = jobWord(11);
const spinsBeforeSleep = jobWord(12);
const callerMaySleep = jobWord(13);

/** How often an idle thread looks for work before it sleeps: some 50 microseconds, longer than the pauses within a step. */
const spins = 20_000;
/** Kernels cheaper than this run on the calling thread: about 10 microseconds. In multiply-adds of four lanes. */
const sharedCost = 50_000;

export interface Run {
  readonly items: number;
  /** Scratch bytes per thread. */
  readonly scratch?: number;
  /** Work of the whole call in vector multiply-adds, roughly. */
  readonly cost: number;
  /** Fields of the kernel's parameter class, in order; floats through `float`. */
  readonly parameters: readonly number[];
}

export interface KernelTime {
  calls: number;
  milliseconds: number;
  /** Vector multiply-adds, as the callers estimate them. */
  cost: number;
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
    job[spinsBeforeSleep] = spins;
    job[callerMaySleep] = shared && maySleep(job) ? 1 : 0;
    this.reserveScratch(1 << 18);
    for (let thread = 1; thread < this.threads; thread++) {
      this.helpers.push(startHelper({ module, memory, job: jobAddress, thread }));
    }
  }

  /** Threads that have started and can help, the caller not counted. A late one joins the next kernel. */
  get readyHelpers(): number {
    return Atomics.load(this.integers(), ready);
  }

  /** How often a helping thread came to the last kernel that was shared, while its items were given out. */
  get helpersInLastKernel(): number {
    const job = this.integers();
    const grain = job[itemGrain]!;
    // A thread takes a grain at a time, and stops when it was offered one past the end.
    return grain === 0 ? 0 : job[next]! / grain - Math.ceil(job[itemCount]! / grain) - 1;
  }

  run(kernel: KernelName, { items, scratch = 0, cost, parameters }: Run): void {
    if (items === 0) return;
    if (scratch > this.scratchBytes) this.reserveScratch(scratch);
    this.integers().set(parameters, parametersAddress / 4);
    const number = kernelNames.indexOf(kernel);
    const before = this.times ? performance.now() : 0;
    if (this.threads === 1 || items === 1 || cost < sharedCost) {
      this.kernels.runAlone(jobAddress, number, parametersAddress, items);
    } else {
      // So few that nobody waits long for the last thread, so many that taking them costs nothing.
      const grain = Math.max(1, Math.floor(items / (64 * this.threads)));
      this.kernels.dispatch(jobAddress, number, parametersAddress, items, grain);
    }
    if (this.times) this.count(kernel, performance.now() - before, cost);
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

  /** Starts counting from zero, or stops. */
  profile(on: boolean): void {
    this.times = on ? new Map() : null;
  }

  /** What has been counted since `profile(true)`. */
  kernelTimes(): ReadonlyMap<KernelName, KernelTime> {
    return this.times ?? new Map();
  }

  dispose(): void {
    for (const helper of this.helpers) helper.terminate();
    this.helpers.length = 0;
  }

  private count(kernel: KernelName, milliseconds: number, cost: number): void {
    const time = this.times!.get(kernel) ?? { calls: 0, milliseconds: 0, cost: 0 };
    time.calls++;
    time.milliseconds += milliseconds;
    time.cost += cost;
    this.times!.set(kernel, time);
  }

  private reserveScratch(bytes: number): void {
    const step = Math.ceil(bytes / 64) * 64;
    if (this.scratchBytes > 0) this.heap.release(this.scratchPointer, this.scratchBytes * this.threads);
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
