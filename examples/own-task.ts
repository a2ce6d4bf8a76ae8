// A task of your own: trained, saved, and resumed bit for bit. Run: npx tsx examples/own-task.ts
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { evaluate, gridTask, parseConfig, ShuffledExamples, Training } from "trm-ts";
import { resumeRun, saveRun } from "trm-ts/node";

/** The right half of the answer mirrors the left half of the question. */
const mirror = gridTask({
  name: "mirror",
  rows: 4,
  columns: 6,
  symbols: ".ab",
  draw(random) {
    const left = Array.from({ length: 4 }, () => Array.from({ length: 3 }, () => ".ab"[random.integer(3)]!));
    const question = left.map((row) => `${row.join("")}...`).join("");
    return { question, answer: left.map((row) => [...row, ...row.toReversed()].join("")).join("") };
  },
});
const { train, test } = mirror.generate({ train: 4000, test: 200, seed: 1 });
const { vocabularySize, sequenceLength } = mirror;
const size = { hiddenSize: 32, widthMultiple: 8, T: 2, n: 2 };
const learning = { nSup: 4, batchSize: 32, learningRate: 4e-3, warmupSteps: 50, weightDecay: 0.1, emaRate: 0.99 };
const config = parseConfig({ vocabularySize, sequenceLength, ...size, ...learning });
const training = new Training(config, new ShuffledExamples(train, 1));
for (let step = 1; step <= 300; step++) await training.supervisionStep();

const folder = join(mkdtempSync(join(tmpdir(), "trm-")), "mirror");
await saveRun(folder, training, { task: mirror, unseen: test });
const { training: resumed, unseen } = await resumeRun(folder, { task: mirror });
const [going, again] = [await training.supervisionStep(), await resumed.supervisionStep()];
console.log(`saved in ${folder}; loss of step ${again.step}: ${going.loss}, resumed: ${again.loss}`);
await saveRun(folder, resumed, { task: mirror }); // a second checkpoint; npx trm eval, solve and train --resume work too
const { exact } = await evaluate(resumed.evaluationModel, unseen, { ...config.training, batchSize: 100 });
console.log(`${(100 * exact.at(-1)!).toFixed(1)}% of ${unseen.count} unseen puzzles solved`);
