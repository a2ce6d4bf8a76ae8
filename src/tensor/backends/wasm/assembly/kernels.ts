// The kernels by number. ../kernel-fields.ts lists their names in the same order.
import { attention, attentionBackward } from "./attention";
import { binary, binaryRows, unary } from "./elementwise";
import { siluGate, siluGateBackward } from "./gate";
import { sumGroups } from "./groups";
import { matmul } from "./matmul";
import { adamAtan2, movingAverage } from "./optimizer";
import { pack } from "./panels";
import { peak } from "./peak";
import { residualNormColumns, residualNormColumnsBackward, residualNormRows, residualNormRowsBackward } from "./residual-norm";
import { strips } from "./strips";
import { swigluRows, swigluRowsBackward, swigluRowsGroups } from "./swiglu-rows";
import { swigluSequence, swigluSequenceBackward, swigluSequenceGroups } from "./swiglu-sequence";

/** Runs items start to end - 1 of a kernel. `parameters` is the address of the fields of its parameter class. */
export function runKernel(kernel: i32, parameters: usize, start: i32, end: i32, scratch: usize): void {
  switch (kernel) {
    case 0: pack(parameters, start, end); break;
    case 1: strips(parameters); break;
    case 2: matmul(parameters, start, end, scratch); break;
    case 3: swigluRows(parameters, start, end, scratch); break;
    case 4: swigluRowsBackward(parameters, start, end, scratch); break;
    case 5: swigluSequence(parameters, start, end, scratch); break;
    case 6: swigluSequenceBackward(parameters, start, end, scratch); break;
    case 7: unary(parameters, start, end); break;
    case 8: binary(parameters, start, end); break;
    case 9: binaryRows(parameters, start, end); break;
    case 10: siluGate(parameters, start, end); break;
    case 11: siluGateBackward(parameters, start, end); break;
    case 12: residualNormRows(parameters, start, end); break;
    case 13: residualNormRowsBackward(parameters, start, end); break;
    case 14: residualNormColumns(parameters, start, end, scratch); break;
    case 15: residualNormColumnsBackward(parameters, start, end, scratch); break;
    case 16: attention(parameters, start, end, scratch); break;
    case 17: attentionBackward(parameters, start, end, scratch); break;
    case 18: adamAtan2(parameters, start, end); break;
    case 19: movingAverage(parameters, start, end); break;
    case 20: swigluRowsGroups(parameters, start, end, scratch); break;
    case 21: swigluSequenceGroups(parameters, start, end, scratch); break;
    case 22: sumGroups(parameters, start, end, scratch); break;
    case 23: peak(parameters, start, end, scratch); break;
    default: unreachable();
  }
}
