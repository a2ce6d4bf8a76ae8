// The model card of a shipped model: card.json holds the figures, README.md says them in words. Both are written by ship.ts.
import { readFileSync } from "node:fs";
import * as z from "zod/mini";
import { taskChoiceSchema } from "../../src/puzzles/index.ts";
import { inEnglish, issueText } from "../../src/trm/index.ts";

const share = z.number().check(z.minimum(0), z.maximum(1));
const count = z.number().check(z.int(), z.minimum(0));
const interval = z.tuple([share, share]);

/** Accuracy after every supervision step. */
const measurementSchema = z.object({
  /** What was evaluated, in words. */
  puzzles: z.string(),
  count,
  /** Share of puzzles whose whole answer is correct, after step 1, 2, ... */
  exact: z.array(share),
  /** 95% Wilson interval of every exact accuracy. */
  interval95: z.array(interval),
  /** Share of cells that are correct. */
  cell: z.array(share),
  /** Mean over the puzzles of the first step at which q says halt. */
  meanHaltStep: z.number(),
});

const cardSchema = z.object({
  name: z.string(),
  /** What the model solves, in words. */
  solves: z.string(),
  /** The task whose generated puzzles are measured first, with the number of clues. `trm eval NAME` generates new ones. */
  task: z.optional(taskChoiceSchema),
  parameters: count,
  /** Model settings in words. */
  architecture: z.string(),
  /** One entry per training; each starts from the averaged weights of the one before. */
  stages: z.array(
    z.object({
      command: z.string(),
      seed: count,
      trainingPuzzles: z.string(),
      /** Numbers of puzzles that the training drew with its seed: to train on, to watch, and unseen. Absent in earlier cards. */
      data: z.optional(z.object({ train: count, watch: count, unseen: count })),
      steps: count,
      seconds: z.number(),
      /** Floating-point operations of the matrix products. */
      flops: z.number(),
      machine: z.string(),
      build: z.string(),
      commit: z.string(),
      /** Exact accuracy on the watched puzzles: [training step, after the first supervision step, after the last]. */
      curve: z.array(z.tuple([count, share, share])),
    }),
  ),
  measurements: z.array(measurementSchema),
  /** How the puzzles of the first measurement halt. */
  halting: z.object({
    /** Share of puzzles for which q says halt at some step. */
    halts: share,
    /** Share of these whose answer at that step is correct. */
    correctWhenHalting: z.nullable(share),
  }),
  failures: z.array(z.string()),
});
export type Card = z.output<typeof cardSchema>;
export type Measurement = Card["measurements"][number];

/** @throws Error with the path if the file is not a card */
export function readCard(path: string): Card {
  const result = cardSchema.safeParse(JSON.parse(readFileSync(path, "utf8")), inEnglish);
  if (result.success) return result.data;
  throw new Error(`${path}: ${issueText(result.error)}`);
}

export const percent = (value: number): string => `${(100 * value).toFixed(1)}%`;

/** README.md of a shipped model. */
export function cardText(card: Card): string {
  const { name, solves, parameters, architecture, stages, measurements, halting, failures } = card;
  const first = measurements[0]!;
  const seconds = stages.reduce((sum, stage) => sum + stage.seconds, 0);
  const flops = stages.reduce((sum, stage) => sum + stage.flops, 0);
  return `# ${name}

${solves}

The model was trained with trm-ts alone, on generated puzzles. This card is written by \`npm run ship\`; card.json holds the same figures.

| | |
|---|---|
| Parameters | ${parameters.toLocaleString("en")} |
| Architecture | ${architecture} |
| Training | ${stages.reduce((sum, { steps }) => sum + steps, 0).toLocaleString("en")} training steps, ${duration(seconds)}, ${flops.toExponential(1)} floating-point operations |
| Exact accuracy | ${percent(first.exact.at(-1)!)} of ${first.count.toLocaleString("en")} ${first.puzzles} (95% interval ${intervalText(first.interval95.at(-1)!)}) |

\`\`\`sh
npx trm eval ${name}
\`\`\`

This command measures the model again, on 200 newly generated puzzles; \`--limit 1000\` measures more. The figures below come from other puzzles.

## Accuracy
${measurements.map(measurementText).join("")}
## Halting

q says halt for ${percent(halting.halts)} of the ${first.puzzles}${halting.correctWhenHalting === null ? "" : `, and ${percent(halting.correctWhenHalting)} of these answers are correct at that step`}.
The mean number of steps is ${first.meanHaltStep.toFixed(2)} of ${first.exact.length}.

## Training
${stages.map((stage, i) => stageText(stage, i, stages.length)).join("")}
## Known failures and notes

${failures.map((failure) => `- ${failure}`).join("\n")}
`;
}

function measurementText({ puzzles, count: total, exact, interval95, cell }: Measurement): string {
  const rows = exact
    .map((share, i) => `| ${i + 1} | ${percent(share)} | ${intervalText(interval95[i]!)} | ${percent(cell[i]!)} |`)
    .filter((_, i) => i === exact.length - 1 || Number.isInteger(Math.log2(i + 1)));
  return `
${total.toLocaleString("en")} ${puzzles}:

| supervision step | exact | 95% interval | cells |
|---|---|---|---|
${rows.join("\n")}
`;
}

function stageText(stage: Card["stages"][number], index: number, stages: number): string {
  const { command, trainingPuzzles, steps, seconds, machine, build, commit, curve } = stage;
  const shown = curve.filter((_, i) => i % Math.ceil(curve.length / 12) === 0 || i === curve.length - 1);
  return `
${stages > 1 ? `Stage ${index + 1}, ` : ""}${trainingPuzzles}; ${steps.toLocaleString("en")} steps in ${duration(seconds)} on ${machine}, ${build}, commit ${commit}:

\`\`\`sh
${command}
\`\`\`

| training step | exact after supervision step 1 | after the last |
|---|---|---|
${shown.map(([step, first, last]) => `| ${step.toLocaleString("en")} | ${percent(first)} | ${percent(last)} |`).join("\n")}
`;
}

export const intervalText = ([low, high]: readonly [number, number]): string => `${percent(low)} to ${percent(high)}`;

function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${Math.round(seconds)} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
