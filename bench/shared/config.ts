// A configuration of the step benchmark, with the names of the official code, and its derived sizes: lengths, widths, parameters.
// The peers run this folder with Node's type stripping, so it must not use enums or parameter properties.
import { readFileSync } from "node:fs";
import { z } from "zod";

const positive = z.number().int().min(1);

const stepConfigSchema = z.strictObject({
  batch_size: positive,
  /** Tokens of a puzzle. */
  seq_len: positive,
  vocab_size: positive,
  puzzle_emb_ndim: z.number().int().min(0),
  /** Slots before the tokens. They are zero, because puzzle rows are trained separately. */
  puzzle_emb_len: z.number().int().min(0),
  /** T */
  H_cycles: positive,
  /** n */
  L_cycles: positive,
  H_layers: z.literal(0),
  L_layers: positive,
  /** D */
  hidden_size: positive,
  expansion: z.number().positive(),
  num_heads: positive,
  pos_encodings: z.enum(["none", "rope"]),
  /** Whether blocks mix the sequence with an MLP instead of attention. */
  mlp_t: z.boolean(),
  halt_max_steps: positive,
  intermediate_multiple: positive,
});

export type StepConfig = z.output<typeof stepConfigSchema>;

/** @throws Error with `where` and the invalid key */
export function parseStepConfig(value: unknown, where: string): StepConfig {
  const result = stepConfigSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new Error(`${where}: ${[...issue.path, issue.message].join(": ")}`);
}

export function readStepConfig(path: string): StepConfig {
  try {
    return parseStepConfig(JSON.parse(readFileSync(path, "utf8")), path);
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error(`${path}: ${error.message}`);
    throw error;
  }
}

/** Length of the sequence in the network: slots and tokens. */
export const fullLength = (c: StepConfig): number => c.seq_len + c.puzzle_emb_len;

/** Inner width of a SwiGLU over an axis of length `width`: 2/3 · expansion · width, rounded up to a multiple. */
export const innerWidth = (c: StepConfig, width: number): number =>
  Math.ceil(Math.round((c.expansion * width * 2) / 3) / c.intermediate_multiple) * c.intermediate_multiple;

/** Shape of each weight by its name in torch_step.py. Matrices are [to, from]. */
export function weightShapes(c: StepConfig): Map<string, readonly number[]> {
  const { hidden_size: D, vocab_size: V } = c;
  const shapes = new Map<string, readonly number[]>([
    ["tokens", [V, D]],
    ["output_head", [V, D]],
    ["q_weight", [2, D]],
    ["q_bias", [2]],
  ]);
  const swiglu = (name: string, width: number): void => {
    const inner = innerWidth(c, width);
    shapes.set(`${name}.gate_up`, [2 * inner, width]).set(`${name}.down`, [width, inner]);
  };
  for (let block = 0; block < c.L_layers; block++) {
    if (c.mlp_t) swiglu(`blocks.${block}.mixer`, fullLength(c));
    else shapes.set(`blocks.${block}.attention.qkv`, [3 * D, D]).set(`blocks.${block}.attention.out`, [D, D]);
    swiglu(`blocks.${block}.mlp`, D);
  }
  return shapes;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

export const parameterCount = (c: StepConfig): number =>
  [...weightShapes(c).values()].reduce((sum, shape) => sum + sizeOf(shape), 0);
