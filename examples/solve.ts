// Loads a run, solves puzzles and prints them. Run: npx tsx examples/solve.ts (after npm start, which trains runs/demo)
import { predict } from "trm-ts";
import { loadRun } from "trm-ts/node";

const { model, task, config } = await loadRun("runs/demo");
const puzzles = ["..1.3.....4.2...", "1.....2..3.....4"];
for (const { tokens, steps, q, mistake } of await predict(model, task, puzzles, config)) {
  console.log(`${task.draw(tokens)}\n${steps} steps, q ${q.toFixed(1)}: ${mistake ?? "the answer is correct"}\n`);
}
model.dispose();
