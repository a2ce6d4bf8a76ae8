// Are the answers of the float16 weights, which the page loads, those of the shipped float32 weights? Prints one line per model.
// Run: npx tsx explorer/build/compare-float16.ts sudoku6 1000
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Examples, loadModel, type Model, predictions, sliceExamples } from "trm-ts";
import { chooseBackend } from "../worker/machine.ts";
import { type Card, taskOfTraining, toFloat16 } from "./prepare.ts";

const [name = "sudoku6", count = "1000"] = process.argv.slice(2);
const folder = fileURLToPath(new URL(`../../weights/${name}/`, import.meta.url));
const [config, weights] = [readFileSync(`${folder}config.json`), readFileSync(`${folder}model.safetensors`)];
await chooseBackend({ backend: "wasm", threads: 1 });
const halves = toFloat16(weights);
const models = [loadModel({ config, weights }), loadModel({ config, weights: halves })] as const;
const task = taskOfTraining(models[0], JSON.parse(readFileSync(`${folder}card.json`, "utf8")) as Card);
const { test } = task.generate({ train: 0, test: Number(count), seed: 20_261_128 });

/** The answers after the last supervision step, puzzle by puzzle, as text. */
async function answersOf(model: Model, puzzles: Examples): Promise<string[]> {
  const { length, count: size } = puzzles;
  let last = new Int32Array();
  for await (const { tokens } of predictions(model, puzzles, models[0].config.training.nSup)) last = tokens.slice();
  return Array.from({ length: size }, (_, i) => last.subarray(i * length, (i + 1) * length).join());
}

const found = { equal: 0, both: 0, onlyFloat32: 0, onlyFloat16: 0 };
for (let first = 0; first < test.count; first += 100) {
  const part = sliceExamples(test, first, first + 100);
  const [wide, narrow] = [await answersOf(models[0].model, part), await answersOf(models[1].model, part)];
  wide.forEach((answer, i) => {
    const truth = part.labels.subarray(i * part.length, (i + 1) * part.length).join();
    if (answer === narrow[i]) found.equal++;
    if (answer === truth && narrow[i] === truth) found.both++;
    else if (answer === truth) found.onlyFloat32++;
    else if (narrow[i] === truth) found.onlyFloat16++;
  });
}
console.log(
  `${name}: ${weights.length} bytes as float32, ${halves.length} as float16. ${found.equal} of ${test.count} answers are equal; ` +
    `correct with both ${found.both}, with float32 alone ${found.onlyFloat32}, with float16 alone ${found.onlyFloat16}.`,
);
