// How much arithmetic a step is: the floating-point operations of its matrix products (a multiply-add is two). What is not a
// product (norms, gates, losses, the optimizer) is a few percent of the work and is left out, for every peer alike.
import { fullLength, innerWidth, type StepConfig } from "./config.ts";

/** Of one pass of the network over the batch. */
export function networkFlops(c: StepConfig): number {
  const [B, L, D] = [c.batch_size, fullLength(c), c.hidden_size];
  const swiglu = (rows: number, width: number): number => 2 * rows * 3 * width * innerWidth(c, width);
  // Attention: queries, keys, values and output D² each; scores and their use L · D each, per position.
  const attention = 2 * B * L * (4 * D * D + 2 * L * D);
  return c.L_layers * ((c.mlp_t ? swiglu(B * D, L) : attention) + swiglu(B * L, D));
}

const headFlops = ({ batch_size, seq_len, vocab_size, hidden_size }: StepConfig): number =>
  2 * batch_size * hidden_size * (seq_len * vocab_size + 2);

/** T (n + 1) network calls forward, one recursion of them backward; a product's backward is two products of its size. */
export function stepFlops(c: StepConfig): { train: number; eval: number } {
  const callsPerRecursion = c.L_cycles + 1;
  const forward = c.H_cycles * callsPerRecursion;
  return {
    train: (forward + 2 * callsPerRecursion) * networkFlops(c) + 3 * headFlops(c),
    eval: forward * networkFlops(c) + headFlops(c),
  };
}
