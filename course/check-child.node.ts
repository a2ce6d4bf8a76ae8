// The process that checks one lesson: it loads the lesson and the learner's file, runs the check and sends the result.
import { useBackend } from "trm-ts/tensor";
import { runCheck } from "./check.ts";
import type { Exercises } from "./lesson.ts";
import { loadLesson } from "./lessons.node.ts";
import { addressOf, type CheckJob, type CheckMessage } from "./run-check.node.ts";

await useBackend("wasm", { threads: 1 }); // The models of the course are small; the bits do not depend on the threads.

process.once("message", async ({ lesson, folder, seed }: CheckJob) => {
  const send = (message: CheckMessage): void => {
    process.send!(message, () => process.exit());
  };
  try {
    const own = await loadLesson(lesson);
    const mine = (await import(addressOf(folder, lesson))) as Exercises;
    send({ parts: await runCheck(own, mine, seed) });
  } catch (error) {
    send({ error: oneLine(error) });
  }
});
process.send!("ready");

/** An error in one line, with the place if it is a syntax error. */
function oneLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = /(\d\d-[\w-]+\.ts):(\d+)/.exec(`${error.message}\n${error.stack}`);
  const reason = /ERROR: (.+)/.exec(error.message)?.[1] ?? error.message.split("\n")[0]!;
  return `${reason}${place ? ` (${place[1]}, line ${place[2]})` : ""}`;
}
