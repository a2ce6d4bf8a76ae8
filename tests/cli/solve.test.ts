/** `trm solve`: limits of its options and the progress of long work. */
import { expect, it, vi } from "vitest";
import { probeCommand } from "../../src/cli/commands/probe.ts";
import { solveCommand } from "../../src/cli/commands/solve.ts";
import { runCommand } from "./run-command.ts";

const puzzle = "..1.3.....4.2...";
const solve = (...args: string[]): Promise<string> => runCommand(solveCommand(), puzzle, ...args);

it.each([
  { name: "solve", command: solveCommand, argument: puzzle, least: 1 },
  { name: "probe", command: probeCommand, argument: "sudoku4", least: 2 },
])("$name refuses more than 100,000 supervision steps", async ({ command, argument, least }) => {
  for (const steps of ["100001", "9007199254740991"]) {
    const refused = runCommand(command(), argument, "--steps", steps);
    await expect(refused).rejects.toThrow(`Expected a whole number from ${least} to 100000.`);
  }
});

it.each([
  { what: "supervision steps", args: ["--steps", "8"] },
  { what: "rollouts", args: ["--steps", "2", "--rollouts", "4"] },
])("solve shows the progress of $what that take long, and nothing of quick ones", async ({ args }) => {
  const now = vi.spyOn(performance, "now").mockReturnValue(0);
  expect(await solve(...args)).not.toContain("solving");
  let clock = 0;
  now.mockImplementation(() => (clock += 4_000));
  const shown = [...(await solve(...args)).matchAll(/^solving: ([\d.]+)% · \S+ left$/gm)].map(([, share]) =>
    Number(share),
  );
  expect(shown.length).toBeGreaterThan(1);
  expect(shown).toEqual(shown.toSorted((a, b) => a - b));
  expect(shown.every((share) => share % 12.5 === 0 && share < 100)).toBe(true);
});

it("solve --json keeps its progress out of standard output", async () => {
  let clock = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (clock += 4_000));
  const output = vi.spyOn(process.stdout, "write").mockImplementation(() => true);
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  await solveCommand().parseAsync([puzzle, "--steps", "8", "--backend", "reference", "--json"], { from: "user" });
  expect(JSON.parse(output.mock.calls.join(""))).toMatchObject({ task: "sudoku4" });
});
