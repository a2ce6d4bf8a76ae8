// A terminal that records its output as text.
import type { WriteStream } from "node:tty";
import pc from "picocolors";
import type { Terminal } from "../../src/cli/terminal.ts";

export function recordedTerminal({ isLive = false, colour = false, columns = 60 } = {}): {
  readonly terminal: Terminal;
  readonly text: () => string;
} {
  let text = "";
  const write = (part: string): boolean => {
    text += part;
    return true;
  };
  const line = (part = ""): void => void write(`${part}\n`);
  const progress = { write, isTTY: isLive } as unknown as WriteStream;
  const terminal = { print: line, remark: line, progress, isLive, columns, colours: pc.createColors(colour) };
  return { terminal, text: () => text };
}
