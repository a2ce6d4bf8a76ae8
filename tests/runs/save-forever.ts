// The process of checkpoint-kill.full.test.ts: trains a tiny run and saves after every step until it is killed.

import { packCheckpoint, restoreTraining } from "../../src/runs/checkpoint.ts";
import { readSets, WritableRun } from "../../src/runs/run-folder.node.ts";
import { useBackend } from "../../src/tensor/index.ts";
import { aboutCheckpoint, tinyStepLine, tinyTraining } from "./tiny-run.ts";

await useBackend("reference");
const { run, checkpoint } = WritableRun.resume(process.argv[2]!);
const training = tinyTraining(checkpoint.side.config, readSets(run.path));
restoreTraining(training, checkpoint.side, checkpoint.files, run.path);
for (;;) {
  await training.supervisionStep();
  run.metrics.append(tinyStepLine(training.step));
  run.save(training.step, await packCheckpoint(training, aboutCheckpoint));
  process.stdout.write(`${training.step}\n`);
}
