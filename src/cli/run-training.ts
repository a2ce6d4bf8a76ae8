// Training as a command shows it: from the announcement to the checkpoint at the end, with Ctrl-C heard in between.
import { defaultBackend } from "../tensor/index.ts";
import { backendText, depthText, networkText, taskText } from "./describe-run.ts";
import { counted, duration, lossText, percent, thousands } from "./format.ts";
import { startProgress } from "./progress.ts";
import { listenForStop } from "./stop-request.ts";
import type { Terminal } from "./terminal.ts";
import type { Ending, LoopOptions, TrainingRun } from "./training-run.ts";

export function announce({ training, about, run }: TrainingRun, { remark }: Terminal): void {
  const { config, model } = training;
  const { data } = about;
  remark(`task     ${taskText(about.task)}; preset ${about.preset}, seed ${config.training.seed}`);
  remark(`model    ${networkText(config, model)}`);
  remark(`depth    ${depthText(config)}`);
  if (about.dataFolder !== undefined) remark(`data     ${about.dataFolder}, read as needed`);
  remark(`puzzles  ${thousands(data.train)} for training${data.augment ? ", turned by random symmetries" : ""}`);
  remark(`unseen   ${data.watch} to watch during training, ${thousands(data.unseen)} for the final test`);
  remark(`backend  ${backendText(defaultBackend())}`);
  remark(`folder   ${run.path}`);
}

/** Trains, saves at the end whatever ended it, and closes the run folder. */
export async function runTraining(
  run: TrainingRun,
  options: Pick<LoopOptions, "goal" | "evaluateEvery" | "saveEvery" | "target">,
  terminal: Terminal,
): Promise<Ending> {
  const progress = startProgress(terminal);
  const stop = listenForStop(() => {
    progress.clear();
    terminal.remark("stopping after this step, then saving (Ctrl-C again: stop at once)");
  });
  try {
    const ending = await run.train({ ...options, stop, progress });
    progress.clear();
    await run.save();
    terminal.remark(summary(run, ending));
    return ending;
  } finally {
    progress.clear();
    stop.release();
    run.run.close();
  }
}

function summary({ training, seconds, lastExact, lastLoss, run }: TrainingRun, ending: Ending): string {
  const why = { goal: "trained", target: "target reached", stopped: "stopped" }[ending];
  const loss = lastLoss === undefined ? "" : `, loss ${lossText(lastLoss)}`;
  const exact = lastExact === undefined ? "" : `, unseen ${percent(lastExact)} exact`;
  return `${why}: ${counted(training.step, "step")} in ${duration(seconds)}${loss}${exact}\nsaved in ${run.path}`;
}
