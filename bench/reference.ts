// `npm run bench:reference` compares the blocked matrix product of the reference backend with the three loops of its definition. It
// fails if the blocked product is less than twice as fast.
import { Random, ReferenceBackend, tensor, zeros } from "../src/tensor/index.ts";
import { median } from "./shared/statistics.ts";

const size = 512;
const turns = 5;

/** out[i, j] = Σ_k a[i, k] b[k, j], computed directly. */
function naiveProduct(out: Float32Array, a: Float32Array, b: Float32Array): void {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += a[i * size + k]! * b[k * size + j]!;
      out[i * size + j] = sum;
    }
  }
}

const backend = new ReferenceBackend();
const random = new Random(0);
const [valuesA, valuesB] = [0, 1].map(() => Float32Array.from({ length: size * size }, () => random.normal()));
const [a, b] = [valuesA!, valuesB!].map((values) => tensor(values, { shape: [size, size], backend }));
const blocked = zeros([size, size], "float32", backend);
const naive = new Float32Array(size * size);

const milliseconds = (body: () => void): number => {
  const start = performance.now();
  body();
  return performance.now() - start;
};
const runBlocked = (): void => backend.kernels.matmul(blocked, a!, b!, false, false);
const runNaive = (): void => naiveProduct(naive, valuesA!, valuesB!);

runBlocked();
runNaive();
const difference = Float32Array.from(await blocked.data()).reduce(
  (most, value, i) => Math.max(most, Math.abs(value - naive[i]!)),
  0,
);
if (difference > 1e-3) throw new Error(`the two products differ by ${difference}`);

const times = Array.from({ length: turns }, () => ({
  naive: milliseconds(runNaive),
  blocked: milliseconds(runBlocked),
}));
const ratio = median(times.map((turn) => turn.naive / turn.blocked));
console.log(
  `matmul ${size} x ${size} x ${size}: naive ${median(times.map((turn) => turn.naive)).toFixed(0)} ms, ` +
    `reference ${median(times.map((turn) => turn.blocked)).toFixed(0)} ms, naive / reference ${ratio.toFixed(2)} (at least 2)`,
);
if (ratio < 2) process.exitCode = 1;
