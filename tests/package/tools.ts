// The packages of this folder, which `npm run test:package` installs, and the other runtimes of JavaScript, which npm provides.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);

/** Loads a package of this folder. */
export const loadTool = async <T>(name: string): Promise<T> =>
  (await import(pathToFileURL(require.resolve(name)).href)) as T;

/** Why the packages of this folder cannot be used, or null if they can. */
export const missingTools: string | null = (() => {
  for (const name of ["esbuild", "@arethetypeswrong/core"]) {
    try {
      require.resolve(name);
    } catch {
      return `no ${name} in tests/package (npm ci --prefix tests/package)`;
    }
  }
  return null;
})();

/** The part of esbuild that the tests use. */
export interface Esbuild {
  build(options: object): Promise<{
    readonly outputFiles: readonly { readonly contents: Uint8Array }[];
    readonly metafile: {
      readonly outputs: Record<string, { readonly inputs: Record<string, { readonly bytesInOutput: number }> }>;
    };
  }>;
  transform(code: string, options: object): Promise<{ readonly code: string }>;
}
