// Runs the tests of mutants in a copy of the project, so that the sources themselves are never changed.
import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../source.ts";
import { type Mutant, mutated } from "./mutant.ts";

/** "caught": a test failed; "timed out": a test did not end; "survived": all passed; "broken": no test ran, because a file does not load. */
export type Verdict = "caught" | "timed out" | "survived" | "broken";

export interface Result {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
  /** The first test that failed. */
  readonly caughtBy: string | null;
}

/** What a copy of the project does not need. */
const left = [".git", "node_modules", "dist", "runs", "weights"];

/** Seconds after which a run is ended. The tests take one to two minutes on a machine with two free cores. */
export const usualLimit = 180;

/** A copy of the project in which mutants run, one at a time. */
export class Laboratory {
  readonly #folder: string;

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), "trm-ts-mutants-"));
    for (const name of readdirSync(projectRoot)) {
      if (!left.includes(name)) cpSync(`${projectRoot}${name}`, join(this.#folder, name), { recursive: true });
    }
    symlinkSync(`${projectRoot}node_modules`, join(this.#folder, "node_modules"));
  }

  /** Seconds that some tests take without a mutant. @throws Error if one of them fails */
  async secondsOf(tests: readonly string[]): Promise<number> {
    const begin = performance.now();
    const { verdict, caughtBy } = await this.#test(tests, 10 * usualLimit);
    if (verdict !== "survived") throw new Error(`mutation: without a mutant the tests are ${verdict} (${caughtBy})`);
    return (performance.now() - begin) / 1000;
  }

  /** Runs the tests of one mutant. @param limit  seconds after which a run of tests is ended */
  async run(mutant: Mutant, limit: number): Promise<Result> {
    const path = join(this.#folder, mutant.file);
    const original = readFileSync(path, "utf8");
    writeFileSync(path, mutated(mutant, original));
    try {
      const nearest = this.#nearestTest(mutant);
      const first = nearest === null ? null : await this.#test([nearest], limit);
      const isDecided = first?.verdict === "caught" || first?.verdict === "timed out";
      return { mutant, ...(isDecided ? first : await this.#test(mutant.tests, limit)) };
    } finally {
      writeFileSync(path, original);
    }
  }

  /** tests/nn/ema.test.ts for src/nn/ema.ts, if it exists: most mutants are caught there, in a fraction of the time. */
  #nearestTest({ file }: Mutant): string | null {
    const test = file.replace(/^src/, "tests").replace(/\.ts$/, ".test.ts");
    return existsSync(join(this.#folder, test)) ? test : null;
  }

  async #test(tests: readonly string[], limit: number): Promise<Omit<Result, "mutant">> {
    const report = join(this.#folder, "report.json");
    rmSync(report, { force: true });
    const vitest = join(projectRoot, "node_modules/vitest/vitest.mjs");
    const project = tests.some((test) => test.includes(".full.")) ? "full" : tests.every(isEngine) ? "engine" : "quick";
    // The files of "engine" define operations in the one registry, so that they cannot share a process.
    const shared = project === "engine" ? [] : ["--no-isolate"];
    const options = ["--project", project, ...shared, "--bail", "1", "--reporter", "json", "--outputFile", report];
    const ended = await runFor(limit, process.execPath, [vitest, "run", ...options, ...tests], this.#folder);
    if (!ended) return { verdict: "timed out", caughtBy: null };
    return verdictOf(readFileSync(report, "utf8"));
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Whether a test file belongs to the project "engine" of vitest.config.ts. */
const isEngine = (test: string): boolean => /^tests\/(tensor\/|autograd\/|testing\.test)/.test(test);

interface Report {
  readonly numTotalTests: number;
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

function verdictOf(json: string): Omit<Result, "mutant"> {
  const { numTotalTests, success, testResults } = JSON.parse(json) as Report;
  const failed = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter((test) => test.status === "failed"),
  );
  const [first] = failed;
  if (first) {
    const timedOut = first.failureMessages.some((message) => message.includes("timed out"));
    return { verdict: timedOut ? "timed out" : "caught", caughtBy: first.fullName };
  }
  if (success && numTotalTests > 0) return { verdict: "survived", caughtBy: null };
  return { verdict: "broken", caughtBy: null };
}

/** Whether the program ended within `seconds`; otherwise it is killed with its own processes, one of which may run an endless loop. */
function runFor(seconds: number, program: string, args: readonly string[], cwd: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // `detached` puts the program into a new process group, so that it can be killed together with the processes that it started.
    const child = spawn(program, args, { cwd, stdio: "ignore", detached: true });
    const timer = setTimeout(() => {
      process.kill(-child.pid!, "SIGKILL");
      resolve(false);
    }, 1000 * seconds);
    child.on("error", reject);
    child.on("exit", () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
