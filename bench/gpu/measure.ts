// The measurements of the GPU benchmark, on any backend, in Node and in a page. A GPU is asynchronous, so a measurement consists of
// several launches and one small read-back that waits for all of them. Kernels are compiled before the timing starts, except where
// compilation is measured.
import {
  type Backend,
  full,
  Random,
  scope,
  setRootBackend,
  silu,
  slice,
  type Tensor,
  tanh,
  tensor,
} from "../../src/tensor/index.ts";
import { add, matmul } from "../../src/tensor/operations.ts";
import { parseConfig } from "../../src/trm/config.ts";
import { Training } from "../../src/trm/training.ts";

/** One row of the table. */
export interface Measurement {
  readonly what: string;
  readonly milliseconds: number;
  /** For matrix products: 2 M N K operations per second, in billions. */
  readonly gigaflops?: number;
}

/** One column: a backend and its measurements. */
export interface Column {
  readonly backend: string;
  /** Mode of the gpu backend; null for other backends. */
  readonly mode: string | null;
  readonly kernelClass: string | null;
  readonly gpu: string | null;
  readonly build: string;
  readonly measurements: readonly Measurement[];
}

/** The exported file, which can be compared with those of other machines. */
export interface BenchReport {
  readonly when: string;
  /** The browser, or Node and the processor. */
  readonly platform: string;
  /** Number of logical processors. */
  readonly threads: number;
  readonly columns: readonly Column[];
}

export type MeasuredBackend = Backend & {
  readonly mode?: string;
  readonly kernelClass?: string;
  readonly gpuName?: string | null;
};

/** Makes all measurements on one backend. @param progress  called with each result */
export async function measure(backend: MeasuredBackend, progress: (what: string) => void): Promise<Column> {
  setRootBackend(backend);
  const measurements: Measurement[] = [];
  const note = (what: string, milliseconds: number, flops?: number): void => {
    const gigaflops = flops === undefined ? {} : { gigaflops: round(flops / milliseconds / 1e6) };
    measurements.push({ what, milliseconds: round(milliseconds), ...gigaflops });
    progress(`${what}: ${round(milliseconds)} ms`);
  };

  const tiny = full([16], 0.5);
  note("launch, 16 elements", await timeOf(() => tanh(tiny)));
  tiny.dispose();

  for (const size of [128, 256, 512, 1024]) {
    const [a, b] = [randomTensor([size, size]), randomTensor([size, size])];
    const milliseconds = await timeOf(() => matmul(a, b));
    note(`matrix product ${size}³`, milliseconds, 2 * size ** 3);
    a.dispose();
    b.dispose();
    if (milliseconds > 500) break; // the next size takes eight times as long
  }

  const million = randomTensor([2 ** 20]);
  note("silu, 1 Mi elements", await timeOf(() => silu(million)));
  note("add, 1 Mi elements", await timeOf(() => add(million, million)));
  note("read back, 1 Mi elements", await timeOfEach(() => million.data()));
  const numbers = (await million.data()) as Float32Array;
  note("upload, 1 Mi elements", await timeOf(() => tensor(numbers)));
  million.dispose();

  if (backend.name === "gpu") note("compile a kernel", await compileTime());
  await measureSteps(note);
  return {
    backend: backend.name,
    mode: backend.mode ?? null,
    kernelClass: backend.kernelClass ?? null,
    gpu: backend.gpuName ?? null,
    build: backend.build,
    measurements,
  };
}

/** Times a training step of two small models on random tokens. */
async function measureSteps(note: (what: string, milliseconds: number) => void): Promise<void> {
  const common = { T: 2, n: 2, batchSize: 8, expansion: 2, widthMultiple: 32 };
  const models = {
    "attention, D 64, 4 x 4": { vocabularySize: 6, sequenceLength: 16, hiddenSize: 64, mixer: "attention", heads: 4 },
    "MLP, D 64, 9 x 9": { vocabularySize: 11, sequenceLength: 81, hiddenSize: 64, mixer: "mlp" },
  };
  for (const [name, model] of Object.entries(models)) {
    const config = parseConfig({ ...common, ...model }, "bench");
    const random = new Random(1);
    const tokens = (length: number): Int32Array =>
      Int32Array.from({ length }, () => 1 + random.integer(model.vocabularySize - 1));
    const source = {
      sequenceLength: config.model.sequenceLength,
      state: null,
      next: (batchSize: number) => {
        const cells = batchSize * model.sequenceLength;
        return { inputs: tokens(cells), labels: tokens(cells), puzzleIds: new Int32Array(batchSize) };
      },
    };
    const training = new Training(config, source);
    await training.supervisionStep(); // compiles the kernels
    note(`training step, ${name}`, await timeOfEach(() => training.supervisionStep()));
    training.dispose();
  }
}

const randomTensor = (shape: readonly number[]): Tensor => {
  const random = new Random(3);
  return tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    { shape },
  );
};

/** Waits until a tensor has been computed, by reading one of its elements back. */
async function settled(x: Tensor): Promise<void> {
  const one = scope(() => slice(x.view([x.size]), 0, 0, 1));
  await one.data();
  one.dispose();
}

/** Milliseconds per call, over enough calls to take a tenth of a second. The median of three rounds, or a single call if it is slow. */
async function timeOf(compute: () => Tensor): Promise<number> {
  const timeCalls = async (calls: number): Promise<number> => {
    const start = performance.now();
    let last: Tensor | null = null;
    for (let i = 0; i < calls; i++) {
      last?.dispose();
      last = compute();
    }
    await settled(last!);
    last!.dispose();
    return (performance.now() - start) / calls;
  };
  await timeCalls(1); // compiles the kernel
  const once = await timeCalls(1);
  if (once > slow) return once;
  const calls = Math.max(1, Math.min(1000, Math.round(100 / once)));
  return median([await timeCalls(calls), await timeCalls(calls), await timeCalls(calls)]);
}

/** Milliseconds of one call: the median of three, or the first if it is slow. */
async function timeOfEach(body: () => Promise<unknown>): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < 3 && !(all[0]! > slow); i++) {
    const start = performance.now();
    await body();
    all.push(performance.now() - start);
  }
  return median(all);
}

/** Calls that take more milliseconds than this are not repeated. */
const slow = 1000;

/** The time of the first call of a kernel minus that of the second, for lengths that no other measurement uses. */
async function compileTime(): Promise<number> {
  const differences: number[] = [];
  for (const length of [1031, 1033, 1039, 1049, 1051]) {
    const x = full([length], 0.5);
    await settled(x);
    const start = performance.now();
    await settled(scope(() => silu(x)));
    const between = performance.now();
    await settled(scope(() => silu(x)));
    differences.push(2 * between - start - performance.now());
    x.dispose();
  }
  return median(differences);
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;

/** Three significant digits. */
const round = (x: number): number => Number(x.toPrecision(3));
