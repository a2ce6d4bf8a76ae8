// The form of the package as a user gets it (packed.ts): its files, its types, its entries and the sizes of bundles.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { walkSyntax } from "../source.ts";
import { entries, manifest, run, targetOf, UserFolder } from "./packed.ts";
import { type Esbuild, loadTool, missingTools } from "./tools.ts";

/** The part of @arethetypeswrong/core that this file uses. */
interface TypesCheck {
  createPackageFromTarballData(tarball: Uint8Array): object;
  checkPackage(packed: object): Promise<{
    readonly types: unknown;
    readonly entrypoints: Record<string, unknown>;
    readonly problems: readonly { readonly kind: string; readonly resolutionKind: string }[];
  }>;
}

if (missingTools) console.log(`tests/package: sizes and are-the-types-wrong skipped: ${missingTools}`);

let user: UserFolder;

beforeAll(() => {
  user = new UserFolder();
}, 300_000);

afterAll(() => user?.remove());

/** Runs a module in the user's folder and returns what it prints. */
function userRuns(name: string, code: string): string {
  user.write(name, code);
  return run(process.execPath, [name], { cwd: user.path }).trim();
}

describe("the package", () => {
  it("contains the built files, the pages, the examples, the torchrun script, the shipped models and licences, and nothing else", () => {
    const inside = readdirSync(user.unpacked).toSorted();
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
      "weights",
    ]);
    const unfinished = readdirSync(join(user.unpacked, "weights"), { recursive: true, encoding: "utf8" });
    expect(unfinished.filter((file) => /checkpoint-|\.jsonl$/.test(file))).toEqual([]);
    expect(unfinished).toContain(join("sudoku4", "model.safetensors"));
    const files = readdirSync(join(user.unpacked, "dist"), { recursive: true, encoding: "utf8" });
    expect(files.filter((file) => /\.ts$/.test(file) && !/\.d\.ts$/.test(file))).toEqual([]);
  });

  it("contains everything that package.json points at", () => {
    const targets = [
      ...Object.values(manifest.exports).flatMap((target) =>
        typeof target === "string" ? [target] : Object.values(target).filter((file) => file !== null),
      ),
      ...Object.values(manifest.bin),
    ];
    expect(targets.length).toBeGreaterThan(entries.length);
    expect(targets.filter((target) => !existsSync(join(user.unpacked, target.replace(/\*$/, ""))))).toEqual([]);
  });

  it("contains every page that a help text or an error message of the command names", () => {
    const sources = readdirSync(join(user.unpacked, "dist"), { recursive: true, encoding: "utf8" });
    const named = sources
      .filter((file) => file.endsWith(".js"))
      .flatMap((file) => readFileSync(join(user.unpacked, "dist", file), "utf8").match(/\bdocs\/[\w-]+\.md/g) ?? []);
    expect(named).toContain("docs/evaluation.md");
    expect(named.filter((page) => !existsSync(join(user.unpacked, page)))).toEqual([]);
  });

  it("contains the wide build of the kernels as a file, and no source map", () => {
    const files = readdirSync(join(user.unpacked, "dist"), { recursive: true, encoding: "utf8" });
    expect(files.filter((file) => file.endsWith(".wasm"))).toEqual(["tensor/backends/wasm/generated/wide.wasm"]);
    const withMaps = files.filter(
      (file) =>
        file.endsWith(".map") ||
        (/\.(js|ts)$/.test(file) &&
          readFileSync(join(user.unpacked, "dist", file), "utf8").includes("sourceMappingURL")),
    );
    expect(withMaps).toEqual([]);
  });

  it("has no encoded binary in its declarations", () => {
    const files = readdirSync(join(user.unpacked, "dist"), { recursive: true, encoding: "utf8" });
    const encoded = /[A-Za-z0-9+/=]{200}/;
    const withBinary = (end: string): string[] =>
      files.filter(
        (file) => file.endsWith(end) && encoded.test(readFileSync(join(user.unpacked, "dist", file), "utf8")),
      );
    expect(withBinary(".d.ts")).toEqual([]);
    expect(withBinary(".js")).toEqual(["tensor/backends/wasm/generated/binary.js"]);
  });

  it("is built by `prepare`, the only script that npm runs for an installation from git", () => {
    const files = run("tar", ["-tzf", user.tarball], { cwd: user.path });
    const fromGit = new UserFolder("prepare");
    try {
      expect(run("tar", ["-tzf", fromGit.tarball], { cwd: user.path })).toBe(files);
    } finally {
      fromGit.remove();
    }
  });

  it("passes publint without a suggestion", async () => {
    const { messages } = await publint({ pkgDir: user.unpacked, pack: false, strict: true });
    expect(messages).toEqual([]);
  });

  it.skipIf(missingTools !== null)("passes are-the-types-wrong in Node's modules and in bundlers", async () => {
    const { checkPackage, createPackageFromTarballData } = await loadTool<TypesCheck>("@arethetypeswrong/core");
    const { types, entrypoints, problems } = await checkPackage(
      createPackageFromTarballData(readFileSync(user.tarball)),
    );
    expect(types).toMatchObject({ kind: "included" });
    expect(Object.keys(entrypoints).toSorted()).toEqual([...entries, "./weights/*", "./package.json"].toSorted());
    // The package has no CommonJS build. "node10" does not know `exports`, and "node16-cjs" reports that a CommonJS module needs a
    // Node whose require() loads modules, as all supported versions do; that is tested below.
    const relevant = problems.filter(
      ({ resolutionKind }) => resolutionKind !== "node10" && resolutionKind !== "node16-cjs",
    );
    expect(relevant).toEqual([]);
  });
});

describe.skipIf(missingTools !== null)("a bundle for a page", () => {
  /** The minified bundle of a module: bytes after gzip, and its inputs with their share of bytes before gzip. */
  async function bundle(name: string, code: string): Promise<{ gzipped: number; inputs: Record<string, number> }> {
    user.write(name, code);
    const esbuild = await loadTool<Esbuild>("esbuild");
    const { outputFiles, metafile } = await esbuild.build({
      absWorkingDir: user.path,
      entryPoints: [name],
      outfile: `bundled-${name}`,
      write: false,
      bundle: true,
      minify: true,
      format: "esm",
      target: "esnext",
      metafile: true,
    });
    const inputs = Object.values(metafile.outputs)[0]!.inputs;
    return {
      gzipped: gzipSync(outputFiles[0]!.contents, { level: 9 }).length,
      inputs: Object.fromEntries(Object.entries(inputs).map(([path, { bytesInOutput }]) => [path, bytesInOutput])),
    };
  }

  const training = `
    import { parseConfig, ShuffledExamples, sudokuTask, Training } from "trm-ts";
    const task = sudokuTask(4);
    const { train } = task.generate({ train: 40, test: 8, seed: 1 });
    const { vocabularySize, sequenceLength } = task;
    const training = new Training(parseConfig({ vocabularySize, sequenceLength }), new ShuffledExamples(train, 5, task));
    for (;;) postMessage(await training.supervisionStep());`;

  it("of one function alone is below 10 kB", async () => {
    const { gzipped } = await bundle("wilson.js", `import { wilson95 } from "trm-ts"; console.log(wilson95(3, 4));`);
    console.log(`bundle of wilson95: ${gzipped} bytes gzipped`);
    expect(gzipped).toBeLessThan(10_000);
  });

  it("of a training worker is below 90 kB, without the parts that a page does not need", async () => {
    const { gzipped, inputs } = await bundle("training-worker.js", training);
    console.log(`bundle of a training worker: ${gzipped} bytes gzipped`);
    expect(gzipped).toBeLessThan(90_000);
    const has = (part: string): string[] => Object.keys(inputs).filter((path) => path.includes(part));
    expect(has("wasm/generated/binary.js")).toHaveLength(1);
    expect(has("zod/").length).toBeGreaterThan(0);
    for (const part of ["csv-parse", "commander", "/yaml/", "dist/formats/pickle", "dist/runs/", "backends/gpu"]) {
      expect(has(part), part).toEqual([]);
    }
    expect(has("locales/").filter((path) => inputs[path]! > 0 && !path.endsWith("/en.js"))).toEqual([]);
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
    visit(join(user.unpacked, entry));
    return [...packages].toSorted();
  }

  it.each(entries)(
    "%s loads only runtime dependencies, fast-check for ./testing alone, and Node for ./node alone",
    (name) => {
      const declared = Object.keys(manifest.dependencies);
      const others = packagesOf(targetOf(name, "default")).filter((one) => !declared.includes(one));
      if (name === "./node") expect(others.filter((one) => !one.startsWith("node:"))).toEqual([]);
      else expect(others).toEqual(name === "./testing" ? ["fast-check"] : []);
      if (name === "./testing") expect(manifest.peerDependencies).toHaveProperty("fast-check");
    },
  );

  it("are closed to bundlers for pages if they need a disk", () => {
    expect(
      entries.filter((name) => typeof manifest.exports[name] === "object" && manifest.exports[name].browser === null),
    ).toEqual(["./node"]);
  });
});

describe("a user of the package", () => {
  it("can import trm-ts", () => {
    const printed = userRuns(
      "all.js",
      `import { deepRecursion, latentRecursion } from "trm-ts";
       const updates = [];
       const net = (...inputs) => { updates.push(inputs.join("+")); return updates.length; };
       latentRecursion(net, "x", { y: "y", z: "z" }, 2);
       console.log(updates.join(" "), typeof deepRecursion);`,
    );
    expect(printed).toBe("x+y+z x+y+1 y+2 function");
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

  it("can import trm-ts/formats", () => {
    const printed = userRuns(
      "formats.js",
      `import { parseNpy, serializeNpy } from "trm-ts/formats";
       const bytes = serializeNpy(Int32Array.of(3, 4), [2]);
       console.log(...parseNpy(bytes, "two.npy").data);`,
    );
    expect(printed).toBe("3 4");
  });

  it("can import the algorithm from trm-ts", () => {
    const printed = userRuns(
      "algorithm.js",
      `import { latentRecursion } from "trm-ts";
       const updates = [];
       const net = (...inputs) => { updates.push(inputs.join("+")); return updates.length; };
       latentRecursion(net, "x", { y: "y", z: "z" }, 2);
       console.log(updates.join(" "));`,
    );
    expect(printed).toBe("x+y+z x+y+1 y+2");
  });

  it("can read the version of the package", () => {
    const printed = userRuns(
      "version.js",
      `import manifest from "trm-ts/package.json" with { type: "json" };
       console.log(manifest.version);`,
    );
    expect(printed).toBe(manifest.version);
  });

  it("can import trm-ts/node", () => {
    const printed = userRuns(
      "node.js",
      `import { loadRun } from "trm-ts/node";
       console.log(await loadRun("missing").catch(String));`,
    );
    expect(printed).toBe("CheckpointError: missing: no such folder");
  });

  it("can import trm-ts/testing once fast-check is installed", () => {
    expect(() => userRuns("early.js", 'import "trm-ts/testing";')).toThrow(/Cannot find package 'fast-check'/);
    user.link("fast-check");
    const printed = userRuns(
      "testing.js",
      `import { checkGradient, square, sum } from "trm-ts/autograd";
       import { shapes } from "trm-ts/testing";
       console.log(checkGradient("sum of squares", (x) => sum(square(x)), [{ shape: [2], values: [1, 2] }]).worst < 1e-6, typeof shapes);`,
    );
    expect(printed).toBe("true function");
  });

  it("can load every entry from CommonJS", () => {
    user.link("fast-check");
    const names = entries.map((name) => JSON.stringify(`trm-ts${name.slice(1)}`));
    user.write("all.cjs", `for (const name of [${names}]) console.log(Object.keys(require(name)).length > 0);`);
    const printed = run(process.execPath, ["--no-warnings", "all.cjs"], { cwd: user.path }).trim();
    expect(printed.split("\n")).toEqual(entries.map(() => "true"));
  });
});

describe("the trm command", () => {
  it("runs from the package", () => {
    expect(run(process.execPath, [join(user.unpacked, manifest.bin.trm!), "--help"], { cwd: user.path })).toContain(
      "train",
    );
  });
});
