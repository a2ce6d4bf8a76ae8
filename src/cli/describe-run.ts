// What is told of a run before it trains, and by `trm info`.
import type { Backend } from "../tensor/index.ts";
import { type Config, effectiveDepth, type Model } from "../trm/index.ts";
import type { TaskChoice } from "../trm/named-task.ts";
import { counted } from "./format.ts";

export const taskText = ({ name, clues, side }: TaskChoice): string =>
  [name, clues === undefined ? "" : `${clues} clues`, side === undefined ? "" : `${side} x ${side}`]
    .filter((part) => part !== "")
    .join(", ");

export function modelText({ model: config }: Config, model: Model): string {
  const { recursion, mixer, T, n, layers, hiddenSize } = config;
  const network = `${counted(layers, "layer")} of ${mixer === "mlp" ? "MLP over the sequence" : "self-attention"}, D ${hiddenSize}`;
  const cycles = recursion === "direct" ? "" : `, T ${T}, n ${n}`;
  return `${counted(model.parameterCount(), "parameter")}; ${network}${cycles}; effective depth ${effectiveDepth(config)} per supervision step`;
}

export const backendText = ({ name, build }: Pick<Backend, "name" | "build">): string => `${name} (${build})`;
