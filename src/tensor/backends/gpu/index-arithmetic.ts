// Index arithmetic in kernel sources: the position in a strided input that corresponds to an element of the output.
//
// Integer division by a length n is Math.floor((i + 0.5) / n). Without the 0.5 it is wrong on WebGPU for some i.

import { sizeOf } from "../../shape.ts";

/** Axis lengths, and the strides of each operand. */
export interface Walk {
  readonly shape: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/** The same walk with fewer axes: drops axes of length 1, and merges neighbouring axes that are contiguous in every operand. */
export function collapse({ shape, strides }: Walk): Walk {
  const lengths: number[] = [];
  const steps: number[][] = strides.map(() => []);
  shape.forEach((length, axis) => {
    if (length === 1) return;
    const isContiguous = lengths.length > 0 && strides.every((own, t) => steps[t]!.at(-1) === own[axis]! * length);
    if (isContiguous) lengths[lengths.length - 1]! *= length;
    else lengths.push(length);
    strides.forEach((own, t) => {
      if (isContiguous) steps[t]![steps[t]!.length - 1] = own[axis]!;
      else steps[t]!.push(own[axis]!);
    });
  });
  return { shape: lengths, strides: steps };
}

/**
 * Statements that split a flat index into coordinates i0, i1, ... of the given shape.
 *
 * @example coordinates([2, 3])
 * const i0 = Math.floor((this.thread.x + 0.5) / 3);
 * const i0Rest = this.thread.x - i0 * 3;
 * const i1 = i0Rest;
 */
export function coordinates(shape: readonly number[], index = "this.thread.x"): string {
  const last = shape.length - 1;
  const lines: string[] = [];
  let rest = index;
  for (let axis = 0; axis < last; axis++) {
    const inner = sizeOf(shape.slice(axis + 1));
    lines.push(`const i${axis} = Math.floor((${rest} + 0.5) / ${inner});`);
    lines.push(`const i${axis}Rest = ${rest} - i${axis} * ${inner};`);
    rest = `i${axis}Rest`;
  }
  if (last >= 0) lines.push(`const i${last} = ${rest};`);
  return lines.join("\n  ");
}

/** The position at the coordinates, for example `start + i0 * 12 + i1`. */
export function position(strides: readonly number[], start: number | string = 0): string {
  const terms = strides.flatMap((stride, axis) => {
    if (stride === 0) return [];
    return stride === 1 ? [`i${axis}`] : [`i${axis} * ${stride}`];
  });
  if (start !== 0) terms.unshift(`${start}`);
  return terms.length > 0 ? terms.join(" + ") : "0";
}
