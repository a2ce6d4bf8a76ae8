// Losses composed of other operations.

import type { Variable } from "../variable.ts";
import { multiply, softplus, subtract } from "./elementwise.ts";

/**
 * Binary cross-entropy from logits, per element: -[t log σ(x) + (1 - t) log(1 - σ(x))] = softplus(x) - t x.
 * Both of one shape; targets in 0..1.
 */
export const bceWithLogits = (logits: Variable, targets: Variable): Variable =>
  subtract(softplus(logits), multiply(targets, logits));
