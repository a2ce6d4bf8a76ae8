// The package as a user gets it: built, packed, unpacked into an empty folder beside its runtime dependencies, and used
// through every export. The code of the README, of two pages of docs and of the examples is type-checked against it and run.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codeBlocks, docCode } from "../doc-code.ts";
import { shortened } from "../run-program.ts";
import { projectRoot, walkSyntax } from "../source.ts";

interface Manifest {
  readonly version: string;
  readonly dependencies: Record<string, string>;
  readonly peerDependencies: Record<string, string>;
  readonly exports: Record<string, { types: string; default: string }>;
  readonly bin: Record<string, string>;
}

const manifest = JSON.parse(readFileSync(`${projectRoot}package.json`, "utf8")) as Manifest;
const folder = mkdtempSync(join(tmpdir(), "trm-ts-package-"));
const modules = join(folder, "node_modules");
const unpacked = join(modules, "trm-ts");

/** Runs a program in a folder. @throws Error with its output if it fails */
function run(program: string, args: readonly string[], cwd = folder): string {
  try {
    return execFileSync(program, args, { cwd, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${program} ${args.join(" ")} failed\n${stdout}\n${stderr}`);
  }
}

const link = (name: string): void => {
  mkdirSync(dirname(join(modules, name)), { recursive: true });
  if (!existsSync(join(modules, name))) symlinkSync(join(projectRoot, "node_modules", name), join(modules, name));
};

/** Runs a module in the user's folder and returns what it prints. */
function userRuns(name: string, code: string): string {
  writeFileSync(join(folder, name), code);
  return run(process.execPath, [name]).trim();
}

beforeAll(() => {
  rmSync(`${projectRoot}dist`, { recursive: true, force: true }); // otherwise files that no longer exist would be packed
  run("npm", ["run", "build"], projectRoot);
  run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], projectRoot);
  mkdirSync(unpacked, { recursive: true });
  run("tar", ["-xzf", join(folder, `trm-ts-${manifest.version}.tgz`), "-C", unpacked, "--strip-components", "1"]);
  for (const name of Object.keys(manifest.dependencies)) link(name);
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "private": true }\n');
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the package", () => {
  it("contains the built files, the pages, the examples, the torchrun script and licences, and nothing else", () => {
    const inside = readdirSync(unpacked).toSorted();
    expect(inside).toEqual([
      "LICENSE",
      "NOTICE.md",
      "README.md",
      "bin",
      "dist",
      "docs",
      "examples",
      "interop",
      "package.json",
    ]);
    const files = readdirSync(join(unpacked, "dist"), { recursive: true, encoding: "utf8" });
    expect(files.filter((file) => /\.ts$/.test(file) && !/\.d\.ts$/.test(file))).toEqual([]);
  });

  it("contains everything that package.json points at", () => {
    const targets = [
      ...Object.values(manifest.exports).flatMap(({ types, default: code }) => [types, code]),
      ...Object.values(manifest.bin),
    ];
    expect(targets.filter((target) => !existsSync(join(unpacked, target)))).toEqual([]);
  });

  it("contains every page that a help text or an error message of the command names", () => {
    const sources = readdirSync(join(unpacked, "dist"), { recursive: true, encoding: "utf8" });
    const named = sources
      .filter((file) => file.endsWith(".js"))
      .flatMap((file) => readFileSync(join(unpacked, "dist", file), "utf8").match(/\bdocs\/[\w-]+\.md/g) ?? []);
    expect(named).toContain("docs/evaluation.md");
    expect(named.filter((page) => !existsSync(join(unpacked, page)))).toEqual([]);
  });

  it("passes publint", async () => {
    const { messages } = await publint({ pkgDir: unpacked, pack: false, strict: true });
    expect(messages.filter(({ type }) => type !== "suggestion")).toEqual([]);
  });
});

describe("the entries of the package", () => {
  /** Packages that an entry imports when it is loaded, directly or through files of the package. */
  function packagesOf(entry: string): string[] {
    const seen = new Set<string>();
    const packages = new Set<string>();
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      walkSyntax(readFileSync(path, "utf8"), (node) => {
        if (!/^(Import|ExportNamed|ExportAll)Declaration$/.test(node.type)) return;
        const from = (node.source as { value?: string } | null)?.value;
        if (from?.startsWith(".")) visit(join(dirname(path), from));
        else if (from)
          packages.add(
            from
              .split("/")
              .slice(0, from.startsWith("@") ? 2 : 1)
              .join("/"),
          );
      });
    };
    visit(join(unpacked, entry));
    return [...packages].toSorted();
  }

  it.each(Object.entries(manifest.exports))(
    "%s loads only runtime dependencies, and fast-check for ./testing alone",
    (name, target) => {
      const needed = packagesOf(target.default);
      const declared = Object.keys(manifest.dependencies);
      expect(needed.filter((one) => !declared.includes(one))).toEqual(name === "./testing" ? ["fast-check"] : []);
      if (name === "./testing") expect(manifest.peerDependencies).toHaveProperty("fast-check");
    },
  );
});

describe("a user of the package", () => {
  it("can import trm-ts", () => {
    const printed = userRuns(
      "all.js",
      `import * as trm from "trm-ts";
       const { tensor, autograd, nn } = trm;
       console.log([tensor.matmul, autograd.gradients, nn.Linear, trm.deepRecursion].map((f) => typeof f).join(" "));`,
    );
    expect(printed).toBe("function function function function");
  });

  it("can import trm-ts/tensor", () => {
    const printed = userRuns(
      "tensor.js",
      `import { matmul, scope, tensor } from "trm-ts/tensor";
       const product = scope(() => matmul(tensor([[1, 2], [3, 4]]), tensor([[5], [6]])));
       console.log(String(Array.from(await product.data())));`,
    );
    expect(printed).toBe("17,39");
  });

  it("can import trm-ts/autograd", () => {
    const printed = userRuns(
      "autograd.js",
      `import { gradients, parameter, square, sum, tapeOf } from "trm-ts/autograd";
       const x = parameter([1, -3]);
       const y = sum(square(x));
       console.log(tapeOf(y).map((entry) => entry.operation).join(" "));
       console.log(String(Array.from(await gradients(y, [x])[0].data())));`,
    );
    expect(printed).toBe("square sum\n2,-6");
  });

  it("can import trm-ts/nn", () => {
    const printed = userRuns(
      "nn.js",
      `import { parameter } from "trm-ts/autograd";
       import { Linear, Module } from "trm-ts/nn";
       console.log(typeof Linear, Linear.prototype instanceof Module);`,
    );
    expect(printed).toBe("function true");
  });

  it("can import trm-ts/trm", () => {
    const printed = userRuns(
      "trm.js",
      `import { deepRecursion, latentRecursion } from "trm-ts/trm";
       const updates = [];
       const net = (...inputs) => { updates.push(inputs.join("+")); return updates.length; };
       latentRecursion(net, "x", { y: "y", z: "z" }, 2);
       console.log(updates.join(" "), typeof deepRecursion);`,
    );
    expect(printed).toBe("x+y+z x+y+1 y+2 function");
  });

  it("can import trm-ts/testing once fast-check is installed", () => {
    expect(() => userRuns("early.js", 'import "trm-ts/testing";')).toThrow(/Cannot find package 'fast-check'/);
    link("fast-check");
    const printed = userRuns(
      "testing.js",
      `import { checkGradient, square, sum } from "trm-ts/autograd";
       import { shapes } from "trm-ts/testing";
       console.log(checkGradient("sum of squares", (x) => sum(square(x)), [{ shape: [2], values: [1, 2] }]).worst < 1e-6, typeof shapes);`,
    );
    expect(printed).toBe("true function");
  });
});

describe("the programs of the pages and examples", () => {
  const example = (name: string): string => readFileSync(`${projectRoot}examples/${name}.ts`, "utf8");
  const operation = docCode("docs/adding-an-operation.md");
  /** By the name of the file: the code, its training shortened, and what it prints. */
  const programs: Record<string, readonly [code: string, printed: RegExp | string]> = {
    "adding-an-operation": [operation.code, operation.output],
    readme: [shortened(codeBlocks("README.md", "ts")[1]!), /^solved after supervision step 1: /],
    tutorial: [shortened(codeBlocks("docs/tutorial.md", "ts").join("\n")), /\n95% interval of the last: /],
    "step-by-hand": [shortened(example("step-by-hand")), / {2}step 2, cycle 2: y\n/],
    "own-operation": [example("own-operation"), /^the gradient of mish agrees/m],
    "own-task": [shortened(example("own-task")), /of 200 unseen puzzles solved$/],
    "noise-on-z": [shortened(example("noise-on-z")), /^noise 4: /m],
  };

  beforeAll(() => {
    link("fast-check");
    link("@types/node");
    for (const [name, [code]] of Object.entries(programs)) writeFileSync(join(folder, `${name}.ts`), code);
  });

  it("type-check against the declarations of the package", () => {
    const options = {
      module: "nodenext",
      target: "es2022",
      lib: ["es2023", "dom", "esnext.disposable"],
      strict: true,
      types: ["node"],
    };
    const files = Object.keys(programs).map((name) => `${name}.ts`);
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files }));
    run(process.execPath, [join(projectRoot, "node_modules/typescript/bin/tsc"), "-p", folder]);
  });

  it.each(Object.entries(programs))("%s runs with the package", (name, [, printed]) => {
    const output = run(process.execPath, [`${name}.js`]).trim();
    if (typeof printed === "string") expect(output).toBe(printed);
    else expect(output).toMatch(printed);
  });
});

describe("the trm command", () => {
  it("runs from the package", () => {
    expect(run(process.execPath, [join(unpacked, manifest.bin.trm!), "--help"])).toContain("train");
  });
});
