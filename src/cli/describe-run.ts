// One-line descriptions of a run: task, network, depth, backend. Training and `trm info` print them.
import { shortened } from "../formats/index.ts";
import type { TaskChoice } from "../puzzles/index.ts";
import type { Backend } from "../tensor/index.ts";
import { type Config, effectiveDepth, type Model } from "../trm/index.ts";
import { counted } from "./format.ts";

export const taskText = ({ name, title = name, clues, side, longerThan }: TaskChoice): string =>
  [
    shortened(title),
    clues === undefined ? "" : `${clues} clues`,
    side === undefined ? "" : `${side} x ${side}`,
    longerThan === undefined ? "" : `paths longer than ${longerThan} steps`,
  ]
    .filter((part) => part !== "")
    .join(", ");

/** What makes the puzzles of a task easier or harder, after their name: " with 36 clues"; empty for the default. */
export function difficultyText({ clues, longerThan }: TaskChoice): string {
  if (clues !== undefined) return ` with ${clues} clues`;
  return longerThan === undefined ? "" : ` with paths longer than ${longerThan} steps`;
}

export function networkText({ model: { mixer, layers, hiddenSize } }: Config, model: Model): string {
  const kind = mixer === "mlp" ? "MLP over the sequence" : "self-attention";
  return `${counted(model.parameterCount(), "parameter")}: ${counted(layers, "layer")} of ${kind}, D ${hiddenSize}`;
}

export function depthText({ model: config }: Config): string {
  const { recursion, T, n, solver, solverIterations, gradientSteps } = config;
  const updates =
    recursion === "fixedPoint" ? `${solver} ${solverIterations} + ${gradientSteps} on the tape` : `n ${n}`;
  const cycles = recursion === "direct" ? "no recursion" : `T ${T}, ${updates}`;
  return `${cycles}: effective depth ${effectiveDepth(config)} per supervision step`;
}

export const backendText = ({ name, build }: Pick<Backend, "name" | "build">): string =>
  `${shortened(name)} (${shortened(build, 200)})`;
