// A training on the screen: what is trained, the progress line, and the summary at the end. Ctrl-C stops and saves.
import type { EvaluatedStep } from "../runs/index.node.ts";
import { defaultBackend, ThreadChoice } from "../tensor/index.ts";
import { trainingBytes } from "../trm/index.ts";
import { backendText, depthText, networkText, taskText } from "./describe-run.ts";
import { counted, duration, lossText, percent, thousands } from "./format.ts";
import type { ThreadCount } from "./options.ts";
import { startProgress } from "./progress.ts";
import { listenForStop } from "./stop-request.ts";
import type { Terminal } from "./terminal.ts";
import type { Ending, TrainingOptions, TrainingSession } from "./training-session.ts";

/** Prints the settings of a training that is about to start. */
export function showSettings({ training, about, run }: TrainingSession, { remark }: Terminal): void {
  const { config, model } = training;
  const { data } = about;
  remark(`task     ${taskText(about.task)}; preset ${about.preset}, seed ${config.training.seed}`);
  remark(`model    ${networkText(config, model)}`);
  remark(`depth    ${depthText(config)}`);
  if (about.init) remark(`weights  ${about.init.weights}, of ${about.init.source}`);
  if (about.dataFolder !== undefined) remark(`data     ${about.dataFolder}, read during training`);
  remark(`puzzles  ${thousands(data.train)} for training${data.augment ? ", with random symmetries" : ""}`);
  remark(`unseen   ${data.watch} evaluated during training, ${thousands(data.unseen)} for trm eval`);
  remark(`backend  ${backendText(defaultBackend())}`);
  if (training.microBatch < config.training.batchSize) {
    const gigabytes = (trainingBytes(config, model.parameterCount()) / 1e9).toFixed(1);
    remark(`memory   about ${gigabytes} GB: ${training.microBatch} of ${config.training.batchSize} puzzles at a time`);
    remark("         (gradient accumulation, which equals the whole batch up to rounding)");
  }
  remark(`folder   ${run.path}`);
}

/** Trains with a progress line, saves, and closes the run folder. A new run that fails before its first step is removed. */
export async function trainOnScreen(
  session: TrainingSession,
  options: Omit<TrainingOptions, "stop" | "progress" | "threads"> & {
    /** Number of threads that the user asked for. Default: auto. */
    readonly threads?: ThreadCount | undefined;
  },
  terminal: Terminal,
): Promise<Ending> {
  const progress = startProgress(terminal);
  const stop = listenForStop(() => {
    progress.clear();
    terminal.remark("stopping after this step, then saving (Ctrl-C again: stop at once)");
  });
  let isFinished = false;
  try {
    const onChoice = (reason: string): void => {
      progress.clear();
      terminal.remark(`threads  ${reason}`);
    };
    const threads = typeof options.threads === "number" ? undefined : new ThreadChoice(defaultBackend(), onChoice);
    const ending = await session.train({ ...options, stop, progress, threads });
    progress.clear();
    await session.save();
    isFinished = true;
    for (const line of summary(session, ending)) terminal.remark(line);
    return ending;
  } finally {
    progress.clear();
    stop.release();
    if (isFinished || session.hasTrained || !session.run.isNew) session.run.close();
    else session.run.discard();
  }
}

/** What was trained, what was measured at which step, and where the weights are. */
function summary(session: TrainingSession, ending: Ending): string[] {
  const { training, seconds, lastEvaluation, lastLoss, run } = session;
  const how = { goal: "trained", target: "target reached", stopped: "stopped" }[ending];
  const loss = lastLoss === undefined ? "" : `, loss ${lossText(lastLoss)}`;
  const { best } = run;
  const at = (evaluated: EvaluatedStep): string =>
    `${percent(evaluated.exact)} exact, ${percent(evaluated.cell)} of the cells at step ${thousands(evaluated.step)}`;
  return [
    `${how}: ${counted(training.step, "step")} in ${duration(seconds)}${loss}`,
    ...(lastEvaluation ? [`unseen   ${at(lastEvaluation)} (${counted(lastEvaluation.puzzles, "puzzle")})`] : []),
    ...(best && best.step !== lastEvaluation?.step ? [`best     ${at(best)}`] : []),
    `saved in ${run.path}`,
  ];
}
