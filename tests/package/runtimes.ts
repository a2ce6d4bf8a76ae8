// The runtimes of JavaScript in which the package runs, as programs of npm: Node in all supported versions, Bun and Deno.
import { execFileSync } from "node:child_process";

export interface Runtime {
  readonly name: string;
  /** The arguments of npx that print the path of the program. */
  readonly locate: readonly string[];
  /** Arguments before the name of a module. */
  readonly options: readonly string[];
  /** The programs run as they are written where the runtime reads TypeScript, else as JavaScript. */
  readonly language: "ts" | "js";
}

const node = (version: number, language: Runtime["language"]): Runtime => ({
  name: `Node ${version}`,
  locate: [`node@${version}`, "-p", "process.execPath"],
  options: ["--no-warnings"],
  language,
});

export const runtimes: readonly Runtime[] = [
  node(20, "js"),
  node(22, "js"),
  node(24, "ts"),
  node(26, "js"),
  { name: "Bun", locate: ["bun@1", "-p", "process.execPath"], options: [], language: "ts" },
  { name: "Deno", locate: ["deno@2", "eval", "console.log(Deno.execPath())"], options: ["run", "-A"], language: "js" },
];

/** The path of a runtime's program, which npm downloads at the first call; or the reason why it cannot be had. */
export function locate({ name, locate: args }: Runtime): { readonly program: string } | { readonly missing: string } {
  if (name === `Node ${process.versions.node.split(".")[0]}`) return { program: process.execPath };
  try {
    const output = execFileSync("npx", ["--yes", "--prefer-offline", ...args], { encoding: "utf8", timeout: 300_000 });
    return { program: output.trim().split("\n").at(-1)! };
  } catch (error) {
    return { missing: `npx ${args[0]} failed: ${(error as Error).message.split("\n")[0]}` };
  }
}
