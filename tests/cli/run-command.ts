/** Runs a command of the command line within the test process, on the reference backend. */
import type { Command } from "commander";
import { vi } from "vitest";

/** Returns what the command prints. @throws the error of the command */
export async function runCommand(command: Command, ...args: string[]): Promise<string> {
  const lines: string[] = [];
  const record = (text: unknown): boolean => lines.push(String(text)) > 0;
  const streams = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, "write").mockImplementation(record),
  );
  try {
    const computes = command.options.some(({ long }) => long === "--backend");
    const backend = computes ? ["--backend", "reference"] : [];
    for (const each of command.commands) each.exitOverride(); // subcommands do not inherit it later
    await command.exitOverride().parseAsync([...args, ...backend], { from: "user" });
  } finally {
    for (const stream of streams) stream.mockRestore();
  }
  return lines.join("");
}
