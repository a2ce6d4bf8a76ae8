// Functions that change a tensor in place: optimizer steps, the moving average, and writing. Each increments the version of the
// storage, by which a tape and packed weights recognize that the values they depend on have changed.
import { expectObject } from "./arguments.ts";
import type { AdamSettings } from "./backend.ts";
import { expectValues } from "./dtype.ts";
import { ArgumentError, ShapeError, showValue } from "./errors.ts";
import { expectAlike, expectDType, expectOneBackend, expectSameShape, expectTensors } from "./operation-checks.ts";
import { sameShape, showShape } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** One Adam-atan2 or AdamW update of p with the moments m and v, all of one shape. */
export function adamUpdate(
  rule: "adamAtan2" | "adamW",
  state: { p: Tensor; m: Tensor; v: Tensor },
  gradient: Tensor,
  settings: AdamSettings,
): void {
  if (rule !== "adamAtan2" && rule !== "adamW") {
    throw new ArgumentError(`adamUpdate: got ${showValue(rule)} as the rule, expected adamAtan2 or adamW`);
  }
  expectObject("adamUpdate", "the state", state, ["p", "m", "v"]);
  expectObject("adamUpdate", "the settings", settings);
  const { p, m, v } = state;
  for (const other of [m, v, gradient]) expectSameShape(rule, p, other);
  p.backend.kernels[rule](p, m, v, gradient, settings);
  for (const updated of [p, m, v]) updated.storage.version++;
}

/** One SignSGD update of the rows of a table listed in `ids` [B], from their gradients [B, width]. */
export function signSgdUpdate(
  table: Tensor,
  ids: Tensor,
  gradient: Tensor,
  learningRate: number,
  weightDecay: number,
): void {
  expectTensors("signSgdUpdate", table, ids, gradient);
  expectDType("signSgdUpdate", ids, "int32");
  expectOneBackend("signSgdUpdate", table, ids);
  expectAlike("signSgdUpdate", table, gradient);
  if (table.shape.length !== 2) {
    throw new ShapeError(`signSgdUpdate: got table ${showShape(table.shape)}, expected [rows, width]`);
  }
  if (!sameShape(gradient.shape, [ids.size, table.shape[1]!])) {
    throw new ShapeError(
      `signSgdUpdate: got gradient ${showShape(gradient.shape)}, expected ${showShape([ids.size, table.shape[1]!])}`,
    );
  }
  table.backend.kernels.signSgdRows(table, ids, gradient, learningRate, weightDecay);
  table.storage.version++;
}

/** average = rate · average + (1 - rate) · value */
export function updateMovingAverage(average: Tensor, value: Tensor, rate: number): void {
  expectSameShape("updateMovingAverage", average, value);
  average.backend.kernels.movingAverage(average, value, rate);
  average.storage.version++;
}

/** Replaces the numbers of a tensor by others, or by those of a tensor of the same shape, element type and backend. */
export function assign(target: Tensor, values: ArrayLike<number> | Tensor): void {
  expectTensors("assign", target);
  if (values instanceof Tensor) {
    expectSameShape("assign", target, values);
    target.backend.kernels.cast(target, values);
    target.storage.version++;
    return;
  }
  expectObject("assign", "the values", Array.isArray(values) ? {} : values);
  if (values.length !== target.size) {
    throw new ShapeError(
      `assign: got ${values.length} values, expected ${target.size} for shape ${showShape(target.shape)}`,
    );
  }
  expectValues("assign", values, target.dtype);
  target.storage.write(values);
}
