// Builds a page with Vite in production mode (minified), serves it, and opens it in Chromium, for the gpu suite and the GPU benchmark.
// Rendering is done in software, so that no GPU is needed. Vite and playwright-core are installed in this folder.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

export type BrowserMode = "webgl2" | "webgpu";

/** Flags for software rendering. TRM_GPU_HARDWARE=1 uses the GPU instead. */
const softwareFlags: Readonly<Record<BrowserMode, readonly string[]>> = {
  webgl2: ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
  webgpu: [
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan",
    "--use-vulkan=swiftshader",
  ],
};
const hardwareFlags = ["--enable-unsafe-webgpu", "--enable-features=Vulkan", "--ignore-gpu-blocklist"];

/** The part of playwright-core that this file uses. */
export interface Page {
  goto(address: string): Promise<unknown>;
  on(event: "console", listener: (message: { text(): string }) => void): void;
  on(event: "pageerror", listener: (error: Error) => void): void;
  waitForFunction(expression: string, argument: null, options: { timeout: number }): Promise<unknown>;
  evaluate(expression: string): Promise<unknown>;
  close(): Promise<void>;
}
export interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}
interface Playwright {
  readonly chromium: { launch(options: { executablePath: string; args: readonly string[] }): Promise<Browser> };
}
/** The part of Vite that this file uses. */
export interface Vite {
  build(config: object): Promise<unknown>;
  preview(config: object): Promise<{
    readonly resolvedUrls: { readonly local: readonly string[] } | null;
    close(): Promise<void>;
  }>;
}

const require = createRequire(import.meta.url);
const load = async <T>(name: string): Promise<T> => (await import(pathToFileURL(require.resolve(name)).href)) as T;

export const loadVite = (): Promise<Vite> => load<Vite>("vite");

/** Starts Chromium with the given flags. */
export async function launchChromium(flags: readonly string[]): Promise<Browser> {
  const { chromium } = (await load<{ default: Playwright }>("playwright-core")).default;
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: findChromium()!, args: [...sandbox, ...flags] });
}

/** Path of Chromium: $CHROMIUM, or a usual location, or null. */
const findChromium = (): string | null =>
  [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
    (path): path is string => path !== undefined && existsSync(path),
  ) ?? null;

/** The reason why pages cannot be tested here, or null if they can. */
export function missingForBrowser(): string | null {
  if (!findChromium()) return "no Chromium (Debian: apt-get install chromium; or set CHROMIUM)";
  for (const name of ["vite", "playwright-core"]) {
    try {
      require.resolve(name);
    } catch {
      return `no ${name} in tests/gpu (npm ci --prefix tests/gpu)`;
    }
  }
  return null;
}

export interface BuiltPage {
  readonly address: string;
  close(): Promise<void>;
}

/** Builds a page for production and serves it. @param root  folder of the page */
export async function buildPage(root: string, page = "index.html"): Promise<BuiltPage> {
  const vite = await loadVite();
  const outDir = join(tmpdir(), `trm-gpu-page-${process.pid}`);
  const common = { root, configFile: false, logLevel: "error", base: "./" };
  await vite.build({
    ...common,
    build: {
      outDir,
      emptyOutDir: true,
      target: "esnext",
      chunkSizeWarningLimit: 2000,
      rollupOptions: { input: join(root, page) },
    },
  });
  const server = await vite.preview({ ...common, build: { outDir }, preview: { port: 0, host: "127.0.0.1" } });
  return { address: `${server.resolvedUrls!.local[0]}${page}`, close: () => server.close() };
}

/** Opens a page in Chromium, waits for `globalThis.report`, and returns it. @param log  receives the console output of the page */
export async function runPage(
  address: string,
  mode: BrowserMode,
  log: (line: string) => void,
  minutes: number,
): Promise<unknown> {
  const flags = process.env.TRM_GPU_HARDWARE ? hardwareFlags : softwareFlags[mode];
  const browser = await launchChromium(flags);
  try {
    const page = await browser.newPage();
    page.on("console", (message) => log(message.text()));
    page.on("pageerror", (error) => log(`page: ${error.message}`));
    await page.goto(address);
    await page.waitForFunction("globalThis.report !== undefined", null, { timeout: minutes * 60_000 });
    return await page.evaluate("globalThis.report");
  } finally {
    await browser.close();
  }
}
