// A step program in a separate process that makes steps on request (bench/shared/program.ts, --serve). Between its turns the process is
// stopped, so that threads that spin or collect garbage after a step do not slow down the other program.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Introduction, PeakRates } from "../shared/program.ts";
import type { Contestant } from "./contestants.ts";

export interface StepAnswer {
  readonly ms: number;
  /** Loss of a training step. */
  readonly loss?: number;
}

export class ServedStep {
  readonly introduction: Introduction;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #failure: () => string;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, first: Introduction, failure: () => string) {
    this.#child = child;
    this.#lines = lines;
    this.introduction = first;
    this.#failure = failure;
  }

  /** @throws Error with the last line of the program's standard error, if it does not start */
  static async start(
    contestant: Contestant,
    step: { config: string; folder: string; threads: number },
  ): Promise<ServedStep> {
    const [program, ...args] = contestant.command;
    const options = [step.config, "--threads", String(step.threads), "--case", step.folder, "--serve"];
    const child = spawn(program!, [...args, ...options], { env: { ...process.env, ...contestant.environment } });
    // Without this, a stopped process would outlive the benchmark.
    const kill = (): void => void child.kill("SIGKILL");
    process.once("exit", kill);
    child.once("exit", () => process.off("exit", kill));
    let errors = "";
    child.stderr!.on("data", (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2000);
    });
    child.on("error", (error) => {
      errors += error.message;
    });
    child.stdin!.on("error", () => {}); // if the program has ended, the missing answer reports it
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const failure = (): string => errors.trim().split("\n").at(-1) || `it ended with code ${child.exitCode}`;
    const first = await nextLine(lines, contestant.name, failure);
    const served = new ServedStep(child, lines, first as Introduction, failure);
    served.#signal("SIGSTOP");
    return served;
  }

  /** Makes one or several steps and returns the answer of the last. */
  async step(kind: "train" | "eval", times = 1): Promise<StepAnswer> {
    return (await this.#request(kind, times)) as StepAnswer;
  }

  /** The current peak of the machine, from a program that can measure it. */
  async peak(): Promise<PeakRates> {
    return (await this.#request("peak")) as PeakRates;
  }

  async #request(line: string, times = 1): Promise<unknown> {
    this.#signal("SIGCONT");
    let answer: unknown;
    for (let i = 0; i < times; i++) {
      this.#child.stdin!.write(`${line}\n`);
      answer = await nextLine(this.#lines, this.introduction.peer, this.#failure);
    }
    this.#signal("SIGSTOP");
    return answer;
  }

  /** Peak memory of the process in bytes, or null if the system does not report it. */
  peakMemory(): number | null {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
      const kilobytes = /VmHWM:\s*(\d+) kB/.exec(status)?.[1];
      return kilobytes === undefined ? null : Number(kilobytes) * 1024;
    } catch {
      return null; // there is no /proc outside Linux
    }
  }

  #signal(signal: "SIGSTOP" | "SIGCONT"): void {
    if (process.platform !== "win32") this.#child.kill(signal); // Windows has no such signals
  }

  /** Ends the program and waits for its exit. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#signal("SIGCONT");
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    const timer = setTimeout(() => this.#child.kill(), 5000);
    this.#child.stdin!.end();
    await ended;
    clearTimeout(timer);
  }
}

async function nextLine(lines: AsyncIterator<string>, name: string, failure: () => string): Promise<unknown> {
  const { value, done } = await lines.next();
  if (done) {
    await new Promise((resolve) => setTimeout(resolve, 100)); // standard error may arrive later
    throw new Error(`${name}: ${failure()}`);
  }
  return JSON.parse(value);
}
