// Commands that continue from a result, each with its purpose.
import type { Terminal } from "./terminal.ts";
import { invocation } from "./version.ts";

/** Shows commands, given without "npx trm". They are remarks, so that they never mix with output for a program. */
export function showNext({ remark, colours }: Terminal, rows: readonly (readonly [what: string, command: string])[]) {
  remark();
  remark(colours.bold("Next commands to try"));
  for (const [what, command] of rows) remark(`  ${`${what}:`.padEnd(16)} ${invocation} ${command}`);
}
