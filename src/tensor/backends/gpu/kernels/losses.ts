// Cross-entropy per row of logits [N, V] and its gradient. Rows with a negative label are ignored.
import type { CrossEntropyName } from "../../../backend.ts";
import { empty } from "../../../create.ts";
import { ShapeError } from "../../../errors.ts";
import { scope } from "../../../scope.ts";
import type { Tensor } from "../../../tensor.ts";
import { functions, stablemaxScore, stablemaxSlope } from "../formulas.ts";
import { launch } from "../launch.ts";
import { storageOf } from "../storage.ts";
import { fill } from "./elementwise.ts";
import { rowMax, rowTotal } from "./rows.ts";

/** -log(score of the label / Σ scores); for softmax the score is e^(v - largest). */
export function crossEntropy(name: CrossEntropyName, out: Tensor, logits: Tensor, labels: Tensor): void {
  const classes = checkLabels(labels, logits);
  if (logits.size === 0) {
    fill(out, 0);
    return;
  }
  const source = `function (logits, labels) {
  const label = labels[this.thread.x];
  if (label < 0) {
    return 0;
  }
  const start = this.thread.x * this.constants.classes;
  let largest = logits[start];
  for (let j = 1; j < this.constants.classes; j++) {
    largest = Math.max(largest, logits[start + j]);
  }
  let total = 0;
  let own = 0;
  for (let j = 0; j < this.constants.classes; j++) {
    const v = logits[start + j];
    const score = ${name === "softmax" ? "Math.exp(v - largest)" : stablemaxScore};
    total += score;
    if (j === label) {
      own = ${name === "softmax" ? "v - largest" : "Math.log(score)"};
    }
  }
  return Math.log(total) - own;
}`;
  launch({ name: `crossEntropy ${name}`, out, inputs: [logits, labels], constants: { classes }, functions, source });
}

/**
 * dlogit_j = dy (s'_j / Σ s - [j = label] s'_j / s_j), where s'_j / s_j is 1 / (1 + |v_j|) for stablemax and 1 for softmax, whose s'_j / Σ s is
 * p_j.
 */
export function crossEntropyBackward(
  name: CrossEntropyName,
  dlogits: Tensor,
  logits: Tensor,
  labels: Tensor,
  dy: Tensor,
): void {
  const classes = checkLabels(labels, logits);
  if (dlogits.size === 0) return;
  const isSoftmax = name === "softmax";
  scope(() => {
    const perRow = (): Tensor => empty(labels.shape, "float32", logits.backend);
    const [largest, total] = [perRow(), perRow()];
    if (isSoftmax) {
      rowMax(largest, logits);
      rowTotal(total, logits, largest);
    } else stablemaxTotal(total, logits);
    const source = `function (logits, labels, dy, total${isSoftmax ? ", largest" : ""}) {
  const row = Math.floor((this.thread.x + 0.5) / this.constants.classes);
  const label = labels[row];
  if (label < 0) {
    return 0;
  }
  const v = logits[this.thread.x];
  const score = ${isSoftmax ? "Math.exp(v - largest[row])" : stablemaxScore};
  const slope = ${isSoftmax ? "score" : stablemaxSlope};
  const own = this.thread.x - row * this.constants.classes === label ? ${isSoftmax ? "1" : "1 / (1 + Math.abs(v))"} : 0;
  return dy[row] * (slope / total[row] - own);
}`;
    const inputs = [logits, labels, dy, total, ...(isSoftmax ? [largest] : [])];
    launch({ name: `crossEntropyBackward ${name}`, out: dlogits, inputs, constants: { classes }, functions, source });
  });
}

/** Σ s(v) of each row. */
function stablemaxTotal(out: Tensor, logits: Tensor): void {
  const source = `function (logits) {
  const start = this.thread.x * this.constants.classes;
  let total = 0;
  for (let j = 0; j < this.constants.classes; j++) {
    const v = logits[start + j];
    total += ${stablemaxScore};
  }
  return total;
}`;
  launch({ name: "stablemaxTotal", out, inputs: [logits], constants: { classes: logits.shape[1]! }, source });
}

/** Returns the number of classes. @throws ShapeError if a label written from JavaScript is out of range */
function checkLabels(labels: Tensor, logits: Tensor): number {
  const classes = logits.shape[1]!;
  storageOf(labels).knownIntegers?.forEach((label, position) => {
    if (label < classes) return;
    throw new ShapeError(`crossEntropy: got label ${label} at position ${position}, expected less than ${classes}`);
  });
  return classes;
}
