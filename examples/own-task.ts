// A task of your own: trained, saved, and resumed bit for bit. Run: npx tsx examples/own-task.ts
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as trm from "trm-ts";
import { defaultBackend } from "trm-ts/tensor";

/** The right half of the answer mirrors the left half of the question. */
const mirror = trm.gridTask({
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
const size = { hiddenSize: 32, heads: 4, widthMultiple: 8, T: 2, n: 2 };
const learning = { nSup: 4, batchSize: 32, learningRate: 4e-3, warmupSteps: 50, weightDecay: 0.1, emaRate: 0.99 };
const config = trm.parseConfig({ vocabularySize, sequenceLength, ...size, ...learning });
const training = new trm.Training(config, new trm.ShuffledExamples(train, 1));
for (let step = 1; step <= 300; step++) await training.supervisionStep();

const folder = mkdtempSync(join(tmpdir(), "mirror-"));
const { name, build } = defaultBackend();
const task = { name: "tokens", cells: sequenceLength, vocabulary: vocabularySize } as const;
const about = { task, backend: { name, build }, seconds: 0, madeBy: "examples/own-task.ts" };
for (const [file, bytes] of await trm.packCheckpoint(training, about)) writeFileSync(join(folder, file), bytes);

const files = new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))]));
const side = trm.parseSide(files.get("checkpoint.json")!, folder);
const resumed = new trm.Training(side.config, new trm.ShuffledExamples(train, 1));
trm.restoreTraining(resumed, side, files, folder);
const [going, again] = [await training.supervisionStep(), await resumed.supervisionStep()];
console.log(`saved in ${folder}; loss of step ${again.step}: ${going.loss}, resumed: ${again.loss}`);
const { exact } = await trm.evaluate(resumed.evaluationModel, test, { ...config.training, batchSize: 100 });
console.log(`${(100 * exact.at(-1)!).toFixed(1)}% of ${test.count} unseen puzzles solved`);
