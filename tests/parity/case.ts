// Reads a parity case from disk: case.json and tensors.safetensors, validated by a schema.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import {
  parseSafetensors,
  type SafetensorsEntry,
  type SafetensorsFile,
  toFloat32,
  toInt32,
} from "../../src/formats/index.ts";

const numbers = z.record(z.string(), z.number());

const stepSchema = z.object({
  step: z.number(),
  loss: z.number(),
  lr: z.number(),
  puzzle_emb_lr: z.number(),
  metrics: numbers,
  steps_after: z.array(z.number()),
  halted_after: z.array(z.boolean()),
  all_halted: z.boolean(),
  exploration: z.object({
    uniform: z.array(z.number()),
    min_halt_steps_if_explored: z.array(z.number()),
    probability: z.number(),
  }),
  grad_norms: numbers,
});

const systemSchema = z.object({
  name: z.string(),
  kind: z.string(),
  config: z.record(z.string(), z.unknown()),
  intermediate_multiple: z.number(),
  train: z.record(z.string(), z.unknown()),
  steps: z.array(stepSchema).min(1),
  eval: z.object({ supervision_steps: z.number(), metrics: numbers }),
  float64_deviation: z.number(),
});

const opsSchema = z.object({
  adam_atan2: z.object({
    lr: z.number(),
    betas: z.tuple([z.number(), z.number()]),
    weight_decay: z.number(),
    steps: z.number(),
  }),
  sign_sgd: z.object({ lr: z.number(), weight_decay: z.number() }),
  lr_schedule: z.array(
    z.object({
      base: z.number(),
      warmup: z.number(),
      total: z.number(),
      min_ratio: z.number(),
      values: z.array(z.number()),
    }),
  ),
});

export type OfficialStep = z.output<typeof stepSchema>;
export type SystemCase = z.output<typeof systemSchema>;
export type OpsCase = z.output<typeof opsSchema>;

/** The tensors of a case by name, and the set of those that have not been read yet. */
export class CaseTensors {
  readonly unread: Set<string>;
  constructor(private readonly entries: ReadonlyMap<string, SafetensorsEntry>) {
    this.unread = new Set(entries.keys());
  }

  get names(): string[] {
    return [...this.entries.keys()];
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  entry(name: string): SafetensorsEntry {
    const entry = this.entries.get(name);
    if (!entry) throw new Error(`no tensor "${name}" in the case`);
    this.unread.delete(name);
    return entry;
  }

  /** The tensors under a prefix as a separate file; the prefix is removed from their names. */
  below(prefix: string): SafetensorsFile {
    const own = this.names.filter((name) => name.startsWith(prefix));
    return { tensors: new Map(own.map((name) => [name.slice(prefix.length), this.entry(name)])), metadata: {} };
  }

  floats(name: string): Float32Array {
    return toFloat32(name, this.entry(name));
  }

  doubles(name: string): Float64Array {
    const { data } = this.entry(name);
    return Float64Array.from(data as Float32Array | Float64Array);
  }

  integers(name: string): Int32Array {
    return toInt32(name, this.entry(name));
  }
}

/** @throws Error with one line that names the file, if it cannot be read or does not match the schema */
export function readCase(folder: string): { json: SystemCase | { kind: "ops"; ops: OpsCase }; tensors: CaseTensors } {
  const jsonFile = join(folder, "case.json");
  const raw: unknown = JSON.parse(readFileSync(jsonFile, "utf8"));
  const tensorFile = join(folder, "tensors.safetensors");
  const tensors = new CaseTensors(parseSafetensors(readFileSync(tensorFile), tensorFile).tensors);
  const isOps = typeof raw === "object" && raw !== null && !("kind" in raw);
  const result = isOps ? opsSchema.safeParse(raw) : systemSchema.safeParse(raw);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    throw new Error(`${jsonFile}: ${issue.path.join(".")}: ${issue.message}`);
  }
  return { json: isOps ? { kind: "ops", ops: result.data as OpsCase } : (result.data as SystemCase), tensors };
}
