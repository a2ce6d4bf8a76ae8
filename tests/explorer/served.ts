// The built page behind a small web server, opened in Chromium. With `isolated` the server sends the headers that allow threads; it always
// sends the strict Content-Security-Policy as a header, which holds for workers too.
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { policy } from "../../explorer/build/content-security-policy.ts";

export const distFolder = fileURLToPath(new URL("../../explorer/dist", import.meta.url));

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".safetensors": "application/octet-stream",
};

export interface Served {
  readonly address: string;
  close(): Promise<void>;
}

/** Serves a folder on a free port, below a path, as a page in a subfolder of a site would be. */
export async function serve(folder: string, isolated: boolean): Promise<Served> {
  const prefix = "/some/folder/";
  const server: Server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const name = path.startsWith(prefix) ? path.slice(prefix.length) || "index.html" : "";
    const file = join(folder, normalize(`/${name}`));
    if (name === "" || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "Content-Type": types[extname(file)] ?? "application/octet-stream",
      "Content-Security-Policy": policy,
      ...(isolated && {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Resource-Policy": "same-origin",
      }),
    });
    response.end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    address: `http://127.0.0.1:${port}${prefix}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export const chromiumPath =
  [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
    (path): path is string => path !== undefined && existsSync(path),
  ) ?? null;

export function launch(...v8Flags: string[]): Promise<Browser> {
  if (!chromiumPath) throw new Error("no Chromium (Debian: apt-get install chromium; or set CHROMIUM)");
  // With gc() a test can tell memory that is in use from garbage that V8 has not collected yet.
  const flags = ["--expose-gc", ...v8Flags].join(" ");
  const args = [`--js-flags=${flags}`, ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])];
  return chromium.launch({ executablePath: chromiumPath, args });
}

/** A page together with everything that it should not do: messages on the console, errors, requests to other hosts. */
export interface Watched {
  readonly page: Page;
  readonly complaints: string[];
  /** Paths of the files that were asked for, relative to the address. */
  readonly requests: string[];
}

export async function watchedPage(context: BrowserContext, address: string): Promise<Watched> {
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => complaints.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  const { host } = new URL(address);
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (request.url().startsWith(address)) requests.push(url.pathname.slice(new URL(address).pathname.length));
    if (url.host !== host && url.protocol !== "data:" && url.protocol !== "blob:") complaints.push(`request: ${url}`);
  });
  return { page, complaints, requests };
}

/** Asks again until the answer is true. Waiting for an expression as text would need eval, which the policy forbids. */
export async function until(ask: () => Promise<boolean>, what: string, milliseconds = 30_000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    if (await ask()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited ${milliseconds} ms for ${what}`);
}
