// A case: a configuration with weights, a batch and initial latents. All programs start from the same case, so that their losses can be
// compared. It is stored as case.json (names, shapes, offsets) and case.bin (little-endian numbers).
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fullLength, parseStepConfig, type StepConfig, sizeOf, weightShapes } from "./config.ts";

export interface CaseTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export interface Case {
  readonly config: StepConfig;
  /** By the names of torch_step.py. */
  readonly weights: ReadonlyMap<string, CaseTensor>;
  /** [B, L] tokens, int32 */
  readonly inputs: CaseTensor;
  readonly labels: CaseTensor;
  /** [B, P + L, D] */
  readonly y: CaseTensor;
  readonly z: CaseTensor;
}

/** The source of random numbers; implemented by Random of src/tensor. */
interface RandomSource {
  normal(): number;
  integer(below: number): number;
}

/** Draws the contents as torch_step.py does, except that the weight of Q_head is not zero, so that its gradient is compared too. */
export function makeCase(config: StepConfig, random: RandomSource): Case {
  const normal = (shape: readonly number[], std: number): CaseTensor => ({
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, () => std * random.normal()),
  });
  const { batch_size: B, seq_len: L, vocab_size: V, hidden_size: D } = config;
  const tokens = (): CaseTensor => ({
    shape: [B, L],
    data: Int32Array.from({ length: B * L }, () => random.integer(V)),
  });
  const weights = new Map<string, CaseTensor>();
  for (const [name, shape] of weightShapes(config)) {
    const isBias = shape.length === 1;
    weights.set(
      name,
      isBias ? { shape, data: new Float32Array(sizeOf(shape)).fill(-5) } : normal(shape, shape[1]! ** -0.5),
    );
  }
  const latents = [B, fullLength(config), D];
  return { config, weights, inputs: tokens(), labels: tokens(), y: normal(latents, 1), z: normal(latents, 1) };
}

interface Entry {
  readonly name: string;
  readonly dtype: "float32" | "int32";
  readonly shape: readonly number[];
  /** Offset in case.bin, in bytes. */
  readonly offset: number;
}

const others = ["inputs", "labels", "y", "z"] as const;

export function writeCase(folder: string, { config, weights, ...rest }: Case): void {
  const tensors = [...weights, ...others.map((name) => [name, rest[name]] as const)];
  let offset = 0;
  const entries = tensors.map(([name, { shape, data }]): Entry => {
    const entry = { name, dtype: data instanceof Int32Array ? "int32" : "float32", shape, offset } as const;
    offset += data.byteLength;
    return entry;
  });
  const bytes = new Uint8Array(offset);
  tensors.forEach(([, { data }], i) => {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), entries[i]!.offset);
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "case.json"), JSON.stringify({ config, tensors: entries }));
  writeFileSync(join(folder, "case.bin"), bytes);
}

export function readCase(folder: string): Case {
  const header = JSON.parse(readFileSync(join(folder, "case.json"), "utf8")) as { config: unknown; tensors: Entry[] };
  const config = parseStepConfig(header.config, folder);
  const { buffer } = Uint8Array.from(readFileSync(join(folder, "case.bin"))); // copied, so that the offsets are aligned
  const tensors = new Map<string, CaseTensor>();
  for (const { name, dtype, shape, offset } of header.tensors) {
    const data = new (dtype === "int32" ? Int32Array : Float32Array)(buffer, offset, sizeOf(shape));
    tensors.set(name, { shape, data });
  }
  const take = (name: string): CaseTensor => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`${folder}: no tensor "${name}"`);
    return tensor;
  };
  const weights = new Map([...weightShapes(config).keys()].map((name) => [name, take(name)]));
  return { config, weights, inputs: take("inputs"), labels: take("labels"), y: take("y"), z: take("z") };
}
