// The matrix product, blocked so that JavaScript engines run it about four times faster than the naive triple loop
// (512 x 512 x 512: 60 ms instead of 240 ms; `npm run bench:reference`). Both operands are packed as doubles into panels of four
// rows or columns, and the inner loop keeps a 4 x 4 tile of sums in local variables.
import type { NumberArray } from "../../dtype.ts";
import { matrixStrides } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { arrayOf, forEachRow } from "./arrays.ts";

/** A matrix operand: element (row, column) is array[start + row * rowStep + column * columnStep]. */
interface MatrixView {
  readonly array: NumberArray;
  start: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

/** out[.., m, n] = Σ_k a[.., m, k] b[.., k, n] */
export function matmul(out: Tensor, a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): void {
  const [rows, columns] = out.shape.slice(-2) as [number, number];
  const depth = a.shape.at(transposeA ? -2 : -1)!;
  const viewA = matrixView(a, transposeA);
  const viewB = matrixView(b, transposeB);
  const o = arrayOf(out);
  const batch = out.shape.slice(0, -2);
  // One row of `forEachRow` per matrix of the batch: the trailing 1 makes each row one element wide.
  const strides = [a, b].map((operand) => [...matrixStrides(operand.shape, batch), 0]);
  const panelsB = new Float64Array(panelCount(columns) * depth * 4);
  let packedFrom = -1;
  forEachRow([...batch, 1], strides, (matrix, offsets) => {
    viewA.start = offsets[0]!;
    viewB.start = offsets[1]!;
    if (packedFrom !== viewB.start) packPanels(panelsB, viewB, depth, columns);
    packedFrom = viewB.start;
    multiply({ array: o, start: matrix * rows * columns, rows, columns }, viewA, panelsB, depth);
  });
}

const panelCount = (length: number): number => Math.ceil(length / 4);

function matrixView(tensor: Tensor, transposed: boolean): MatrixView {
  const width = tensor.shape.at(-1)!;
  const [rowStep, columnStep] = transposed ? [1, width] : [width, 1];
  return { array: arrayOf(tensor), start: 0, rowStep, columnStep };
}

/** panels[p][k][c] = b[k, 4p + c], zero beyond the last column. */
function packPanels(panels: Float64Array, b: MatrixView, depth: number, columns: number): void {
  for (let p = 0, to = 0; p < columns; p += 4) {
    for (let k = 0; k < depth; k++, to += 4) {
      const from = b.start + k * b.rowStep + p * b.columnStep;
      for (let c = 0; c < 4; c++) panels[to + c] = p + c < columns ? b.array[from + c * b.columnStep]! : 0;
    }
  }
}

interface OutputMatrix {
  readonly array: NumberArray;
  readonly start: number;
  readonly rows: number;
  readonly columns: number;
}

function multiply(out: OutputMatrix, a: MatrixView, panelsB: Float64Array, depth: number): void {
  const { array, start, rows, columns } = out;
  const panelA = new Float64Array(depth * 4);
  const tile = new Float64Array(16);
  for (let i = 0; i < rows; i += 4) {
    const rowsHere = Math.min(4, rows - i);
    for (let r = 0; r < 4; r++) {
      for (let k = 0; k < depth; k++) {
        panelA[k * 4 + r] = r < rowsHere ? a.array[a.start + (i + r) * a.rowStep + k * a.columnStep]! : 0;
      }
    }
    for (let j = 0; j < columns; j += 4) {
      multiplyTile(tile, panelA, panelsB, j * depth, depth);
      const columnsHere = Math.min(4, columns - j);
      for (let r = 0; r < rowsHere; r++) {
        for (let c = 0; c < columnsHere; c++) array[start + (i + r) * columns + j + c] = tile[r * 4 + c]!;
      }
    }
  }
}

/** tile[r, c] = Σ_k a[k][r] b[k][c]: sixteen sums in local variables. */
function multiplyTile(tile: Float64Array, a: Float64Array, b: Float64Array, startB: number, depth: number): void {
  let [s00, s01, s02, s03] = [0, 0, 0, 0];
  let [s10, s11, s12, s13] = [0, 0, 0, 0];
  let [s20, s21, s22, s23] = [0, 0, 0, 0];
  let [s30, s31, s32, s33] = [0, 0, 0, 0];
  for (let k = 0, x = 0, y = startB; k < depth; k++, x += 4, y += 4) {
    const b0 = b[y]!;
    const b1 = b[y + 1]!;
    const b2 = b[y + 2]!;
    const b3 = b[y + 3]!;
    let value = a[x]!;
    s00 += value * b0;
    s01 += value * b1;
    s02 += value * b2;
    s03 += value * b3;
    value = a[x + 1]!;
    s10 += value * b0;
    s11 += value * b1;
    s12 += value * b2;
    s13 += value * b3;
    value = a[x + 2]!;
    s20 += value * b0;
    s21 += value * b1;
    s22 += value * b2;
    s23 += value * b3;
    value = a[x + 3]!;
    s30 += value * b0;
    s31 += value * b1;
    s32 += value * b2;
    s33 += value * b3;
  }
  tile[0] = s00;
  tile[1] = s01;
  tile[2] = s02;
  tile[3] = s03;
  tile[4] = s10;
  tile[5] = s11;
  tile[6] = s12;
  tile[7] = s13;
  tile[8] = s20;
  tile[9] = s21;
  tile[10] = s22;
  tile[11] = s23;
  tile[12] = s30;
  tile[13] = s31;
  tile[14] = s32;
  tile[15] = s33;
}
