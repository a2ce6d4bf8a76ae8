// The programs of a user in a folder outside the repository with the packed tarball: in strict TypeScript and in JavaScript, in Node, Bun
// and Deno, and bundled by Vite and by esbuild in real Chromium.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Browser, launchChromium, loadVite, missingForBrowser } from "../gpu/browser.node.ts";
import { projectRoot } from "../source.ts";
import { manifest, run, UserFolder } from "./packed.ts";
import { pagePrograms, programsInPage, userPrograms, usesDisk } from "./programs.ts";
import { locate, runtimes } from "./runtimes.ts";
import { type Esbuild, loadTool, missingTools } from "./tools.ts";

let user: UserFolder;

const inPage = programsInPage();
const all = { ...userPrograms, ...inPage, ...pagePrograms() };

beforeAll(async () => {
  user = new UserFolder();
  user.link("fast-check");
  user.link("@types/node");
  user.link("undici-types");
  for (const [name, { code }] of Object.entries(all)) user.write(`${name}.ts`, code);
  const trm = join(user.unpacked, manifest.bin.trm!);
  const train = ["train", "--task", "sudoku4", "--steps", "2", "--puzzles", "200", "--out", "runs/demo"];
  run(process.execPath, [trm, ...train], { cwd: user.path });
}, 600_000);

afterAll(() => user?.remove());

/** Checks what a program printed. */
const check = (name: string, output: string): void => expect(output.trim(), name).toMatch(all[name]!.printed);

describe("in strict TypeScript", () => {
  const compile = (module: string, moduleResolution: string, types: readonly string[], files: readonly string[]) => {
    const lib = ["es2023", "dom", "esnext.disposable"];
    const compilerOptions = {
      module,
      moduleResolution,
      target: "es2022",
      lib,
      strict: true,
      skipLibCheck: false,
      types,
    };
    user.write("tsconfig.json", JSON.stringify({ compilerOptions: { ...compilerOptions, noEmit: true }, files }));
    run(process.execPath, [`${projectRoot}node_modules/typescript/bin/tsc`, "-p", "."], { cwd: user.path });
  };
  const files = Object.keys(all).map((name) => `${name}.ts`);

  it("the programs compile as modules of Node, without skipping the declarations", () => {
    compile("nodenext", "nodenext", ["node"], files);
  });

  it("the programs that use no disk compile for a bundler without the types of Node", () => {
    const portable = Object.entries(all).filter(([, program]) => !usesDisk(program));
    expect(portable.length).toBeGreaterThan(5);
    compile(
      "esnext",
      "bundler",
      [],
      portable.map(([name]) => `${name}.ts`),
    );
  });

  it("a program with a wrong type does not compile", () => {
    user.write("wrong.ts", 'import { wilson95 } from "trm-ts";\nwilson95("three", 4);\n');
    expect(() => compile("nodenext", "nodenext", [], ["wrong.ts"])).toThrow(/wrong\.ts\(2,10\): error TS2345/);
  });
});

describe.skipIf(missingTools !== null)("in JavaScript", () => {
  beforeAll(async () => {
    const { transform } = await loadTool<Esbuild>("esbuild");
    for (const [name, { code }] of Object.entries(all)) {
      user.write(`${name}.js`, (await transform(code, { loader: "ts", format: "esm", target: "es2022" })).code);
    }
  });

  it.each(Object.keys(pagePrograms()))("the code of the page %s runs in Node", (name) => {
    check(name, run(process.execPath, [`${name}.js`], { cwd: user.path }));
  });

  describe.each(runtimes)("$name", (runtime) => {
    const found = locate(runtime);
    if ("missing" in found) console.log(`tests/package: ${runtime.name} skipped: ${found.missing}`);

    it.skipIf("missing" in found).each(Object.keys(userPrograms))(`runs %s.${runtime.language}`, (name) => {
      if ("missing" in found) return;
      const file = `${name}.${runtime.language}`;
      check(name, run(found.program, [...runtime.options, file], { cwd: user.path }));
    });
  });

  it("a bundle of esbuild for Node runs", async () => {
    const { build } = await loadTool<Esbuild>("esbuild");
    const options = { bundle: true, platform: "node", format: "esm", target: "node20" };
    await build({ ...options, absWorkingDir: user.path, entryPoints: ["lion.ts"], outfile: "bundled/lion.mjs" });
    check("lion", run(process.execPath, ["bundled/lion.mjs"], { cwd: user.path }));
  });
});

const missing = missingTools ?? missingForBrowser();
if (missing) console.log(`tests/package: Chromium skipped: ${missing}`);

describe.skipIf(missing !== null)("in Chromium", () => {
  const dist = mkdtempSync(join(tmpdir(), "trm-ts-pages-"));
  const pageOf = (script: string): string =>
    `<!doctype html><title>A program on trm-ts</title><script type="module" src="./${script}"></script>`;
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    // A page reports the end of its program, or the error.
    const start = (module: string): string =>
      `import("${module}").then(() => "done", String).then((report) => Object.assign(globalThis, { report }));`;
    const { build, transform } = await loadTool<Esbuild>("esbuild");
    for (const [name, { code }] of Object.entries(inPage)) {
      user.write(`pages/${name}.ts`, code);
      user.write(`pages/${name}.start.ts`, start(`./${name}.ts`));
      user.write(`pages/${name}.html`, pageOf(`${name}.start.ts`));
      user.write(
        `pages/js/${name}.js`,
        (await transform(code, { loader: "ts", format: "esm", target: "es2022" })).code,
      );
      user.write(`pages/js/${name}.start.js`, start(`./${name}.js`));
    }
    const vite = await loadVite();
    const root = join(user.path, "pages");
    await vite.build({
      ...{ root, configFile: false, logLevel: "error", base: "./" },
      build: {
        outDir: join(dist, "vite"),
        target: "esnext",
        chunkSizeWarningLimit: 2000,
        rollupOptions: { input: Object.keys(inPage).map((name) => join(root, `${name}.html`)) },
      },
    });
    await build({
      ...{ bundle: true, minify: true, splitting: true, format: "esm", target: "esnext", logLevel: "error" },
      absWorkingDir: root,
      entryPoints: Object.keys(inPage).map((name) => `js/${name}.start.js`),
      outdir: join(dist, "esbuild"),
    });
    server = createServer((request, response) => {
      const path = request.url!.replace(/\?.*/, "");
      const esbuildPage = /^\/esbuild\/([\w-]+)\.html$/.exec(path)?.[1];
      if (esbuildPage) {
        response.setHeader("Content-Type", "text/html");
        response.end(pageOf(`${esbuildPage}.start.js`));
        return;
      }
      const demo = join(user.path, "runs/demo");
      const checkpoint = readdirSync(demo).findLast((name) => name.startsWith("checkpoint-"))!;
      const file = path.startsWith("/demo/") ? join(demo, checkpoint, path.slice(6)) : join(dist, path);
      const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };
      response.setHeader("Content-Type", types[extname(file)] ?? "application/octet-stream");
      response.statusCode = existsSync(file) ? 200 : 404;
      response.end(existsSync(file) ? readFileSync(file) : "");
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    browser = await launchChromium([]);
  }, 600_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(dist, { recursive: true, force: true });
  });

  const cases = ["vite", "esbuild"].flatMap((bundler) => Object.keys(inPage).map((name) => ({ bundler, name })));

  it.each(cases)("$name runs, bundled by $bundler", async ({ bundler, name }) => {
    const page = await browser.newPage();
    try {
      const lines: string[] = [];
      page.on("console", (message) => lines.push(message.text()));
      page.on("pageerror", (error) => lines.push(`error: ${error.message}`));
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${bundler}/${name}.html`);
      await page.waitForFunction("globalThis.report !== undefined", null, { timeout: 300_000 });
      expect(await page.evaluate("globalThis.report"), lines.join("\n")).toBe("done");
      check(name, lines.join("\n"));
    } finally {
      await page.close();
    }
  });
});
