// Runs the check of a lesson in a process of its own, so that an endless loop in the learner's code can be ended.
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { PartResult } from "./check.ts";
import { fileOf, repository, titleOfLesson } from "./lessons.node.ts";
import type { LessonReport } from "./report.ts";

export interface CheckJob {
  readonly lesson: number;
  /** The learner's folder. */
  readonly folder: string;
  readonly seed: number;
}

/** What the process reports. */
export type CheckMessage = { readonly parts: readonly PartResult[] } | { readonly error: string };

/** Time that a process may take to start, in which nothing of the learner's runs, in milliseconds. */
const startTime = 30_000;

/**
 * The report of a lesson.
 *
 * @param seconds  time after which the check is ended
 * @throws Error with one line if the check cannot run: a syntax error, a missing function, or no end within the time
 */
export async function checkLesson(job: CheckJob, seconds: number): Promise<LessonReport> {
  const message = await messageOf(job, seconds);
  if ("error" in message) throw new Error(`lesson ${job.lesson}: ${message.error}`);
  return { lesson: job.lesson, title: titleOfLesson(job.lesson), parts: message.parts };
}

function messageOf(job: CheckJob, seconds: number): Promise<CheckMessage> {
  const child = spawn(process.execPath, [...loader, fileURLToPath(new URL("check-child.node.ts", import.meta.url))], {
    cwd: resolve(job.folder),
    // "production" switches off the warning about tensors that are never released: this process ends within seconds.
    env: { ...process.env, NODE_ENV: "production", TSX_TSCONFIG_PATH: join(repository, "tsconfig.json") },
    // What the learner's code prints goes to standard error, so that --json prints nothing else on standard output.
    stdio: ["ignore", 2, 2, "ipc"],
  });
  return new Promise((done) => {
    const late = `its check was ended after ${seconds} s. Does a loop never end? On a slow machine add --seconds ${6 * seconds}`;
    const endAfter = (time: number, error: string): NodeJS.Timeout =>
      setTimeout(() => {
        child.kill("SIGKILL");
        done({ error });
      }, time);
    let timer = endAfter(startTime, `its check did not start within ${startTime / 1000} s`);
    child.on("message", (message: CheckMessage | "ready") => {
      clearTimeout(timer);
      if (message === "ready") {
        timer = endAfter(1000 * seconds, late);
        child.send(job);
      } else done(message);
    });
    child.on("error", ({ message }) => {
      clearTimeout(timer);
      done({ error: `its check could not be started: ${message}` });
    });
    child.on("exit", (code) => {
      clearTimeout(timer);
      done({ error: `its check ended with code ${code} before it had a result` });
    });
  });
}

/** Node's options that let it run TypeScript. */
export const loader = ["--import", pathToFileURL(join(repository, "node_modules/tsx/dist/esm/index.mjs")).href];

/** The learner's file as an address to import. */
export const addressOf = (folder: string, lesson: number): string =>
  pathToFileURL(resolve(folder, fileOf(lesson))).href;
