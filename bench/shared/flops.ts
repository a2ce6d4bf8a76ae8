// The number of floating-point operations of a step. Only matrix products count (a multiply-add is two operations); norms, gates, losses
// and the optimizer are a few percent of the work and are omitted for all programs.
import { fullLength, innerWidth, type StepConfig } from "./config.ts";

/** Operations of one pass of the network over the batch. */
export function networkFlops(c: StepConfig): number {
  const [B, L, D] = [c.batch_size, fullLength(c), c.hidden_size];
  const swiglu = (rows: number, width: number): number => 2 * rows * 3 * width * innerWidth(c, width);
  // Attention, per position: D² each for queries, keys, values and output; L · D each for scores and weighted sum.
  const attention = 2 * B * L * (4 * D * D + 2 * L * D);
  return c.L_layers * ((c.mlp_t ? swiglu(B * D, L) : attention) + swiglu(B * L, D));
}

const headFlops = ({ batch_size, seq_len, vocab_size, hidden_size }: StepConfig): number =>
  2 * batch_size * hidden_size * (seq_len * vocab_size + 2);

/** T (n + 1) network calls forward, n + 1 of them backward. The backward pass of a product is two products of the same size. */
export function stepFlops(c: StepConfig): { train: number; eval: number } {
  const callsPerRecursion = c.L_cycles + 1;
  const forward = c.H_cycles * callsPerRecursion;
  return {
    train: (forward + 2 * callsPerRecursion) * networkFlops(c) + 3 * headFlops(c),
    eval: forward * networkFlops(c) + headFlops(c),
  };
}
