// The programs that a user writes on the package: those of examples/, the pages of docs and the README. Loops over training steps are
// shortened. Programs that use the disk do not run in a page.
import { readdirSync, readFileSync } from "node:fs";
import { codeBlocks, docCode } from "../doc-code.ts";
import { shortened } from "../run-program.ts";
import { projectRoot } from "../source.ts";

export interface Program {
  readonly code: string;
  /** What it prints. */
  readonly printed: RegExp;
}

/** What the examples print. An example that is not listed must print something. */
const printedBy: Record<string, RegExp> = {
  "custom-loss": /^blank cells first: solved after step 1: /m,
  lion: /^Lion: mean loss of the last 100 steps \d/m,
  "noise-on-z": /^noise 4: /m,
  "own-operation": /^the gradient of mish agrees/m,
  "own-task": /\S/,
  "step-by-hand": / {2}step 2, cycle 2: y\n/,
  variant: /^solved after step 1: /m,
};

const withShortLoops = (code: string): string => (/\bstep <= \d+/.test(code) ? shortened(code) : code);

/** By name: the ten-line program and the examples, each also in JavaScript and bundled. */
export const userPrograms: Readonly<Record<string, Program>> = Object.fromEntries([
  ...readdirSync(`${projectRoot}examples`)
    .filter((file) => file.endsWith(".ts"))
    .map((file): [string, Program] => {
      const name = file.replace(".ts", "");
      const code = withShortLoops(readFileSync(`${projectRoot}examples/${file}`, "utf8"));
      return [name, { code, printed: printedBy[name] ?? /\S/ }];
    }),
  [
    "ten-lines",
    {
      code: `import { predict } from "trm-ts";
import { loadRun } from "trm-ts/node";

const { model, task } = await loadRun("runs/demo");
for (const { question, tokens, q, steps, mistake } of await predict(model, task, ["1...............", "..34............"])) {
  console.log(\`\${task.format(question)}: \${steps} steps, q \${q.toFixed(2)}, \${mistake ?? "correct"}\`);
  console.log(task.draw(tokens));
}
model.dispose();
`,
      printed: /^1\.{15}: \d+ steps, q -?[\d.]+, .*\n[\s\S]*^\.\.34\.{12}: /m,
    },
  ],
]);

/** The ten-line program of a page: it loads the same files of a run from the server. */
const tenLinesInPage: Program = {
  code: userPrograms["ten-lines"]!.code.replace(
    'import { predict } from "trm-ts";\nimport { loadRun } from "trm-ts/node";',
    'import { loadModel, predict } from "trm-ts";',
  ).replace(
    'await loadRun("runs/demo")',
    `await loadModel({
  config: await (await fetch("/demo/checkpoint.json")).text(),
  weights: await (await fetch("/demo/weights.safetensors")).arrayBuffer(),
})`,
  ),
  printed: userPrograms["ten-lines"]!.printed,
};

/** A task of one's own in a page, where there is no disk to save it on. */
const ownTaskInPage: Program = {
  code: `import { gridTask, parseConfig, predict, ShuffledExamples, Training } from "trm-ts";

const copy = gridTask({
  name: "copy",
  rows: 2,
  columns: 3,
  symbols: ".ab",
  draw(random) {
    const question = Array.from({ length: 6 }, () => ".ab"[random.integer(3)]!).join("");
    return { question, answer: question };
  },
  mistake: (question, answer) => (question === answer ? undefined : "not the same"),
});
const { train, test } = copy.generate({ train: 100, test: 10, seed: 1 });
const { vocabularySize, sequenceLength } = copy;
const size = { hiddenSize: 16, heads: 2, widthMultiple: 8, T: 1, n: 1, nSup: 2 };
const config = parseConfig({ vocabularySize, sequenceLength, ...size, batchSize: 10, learningRate: 4e-3, warmupSteps: 1 });
const training = new Training(config, new ShuffledExamples(train, 1));
for (let step = 1; step <= 3; step++) await training.supervisionStep();
const answers = await predict(training.model, copy, test);
console.log(\`\${answers.filter(({ correct }) => correct).length} of \${answers.length} unseen puzzles solved\`);
`,
  printed: /^\d+ of 10 unseen puzzles solved$/m,
};

/** By name: the programs that run in a page. */
export const programsInPage = (): Readonly<Record<string, Program>> => ({
  ...Object.fromEntries(Object.entries(userPrograms).filter(([, program]) => !usesDisk(program))),
  "own-task-in-page": ownTaskInPage,
  "ten-lines-in-page": tenLinesInPage,
});

export const usesDisk = ({ code }: Program): boolean => /from "(node:|trm-ts\/node")/.test(code);

/** The code of pages, which is type-checked and run in Node only. */
export function pagePrograms(): Readonly<Record<string, Program>> {
  const operation = docCode("docs/adding-an-operation.md");
  const exactly = (text: string): RegExp => new RegExp(`^${text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")}$`);
  return {
    "adding-an-operation": { code: operation.code, printed: exactly(operation.output) },
    readme: { code: shortened(codeBlocks("README.md", "ts")[1]!), printed: /^solved after supervision step 1: / },
    tutorial: {
      code: shortened(codeBlocks("docs/tutorial.md", "ts").join("\n")),
      printed: /\n95% interval of the last: /,
    },
  };
}
