// What stands beside every number: the model, the backend and its build, the threads, the sample and its interval.
import type { JSX } from "preact";
import type { Machine, Measured } from "../../shared/models.ts";
import { shareText } from "../../shared/shares.ts";
import { counted, nounFor } from "../../shared/words.ts";

export function machineText({ backend, build, threads }: Machine): string {
  // The build of the wasm backend names the threads that were asked for; the ones that have started are what counts.
  const kernels = build.replace(/,? \d+ threads?/, "");
  return `${backend} (${kernels}), ${counted(threads, "thread")}`;
}

export function From({ machine, children }: { machine: Machine | null; children?: string | undefined }): JSX.Element {
  return (
    <p class="from">
      {machine ? `${machine.model} on ${machineText(machine)}` : "recorded"}
      {children && `; ${children}`}
    </p>
  );
}

/** How many of the class a latent answers correctly after a frame, in words; null if it was not measured. */
export function measuredText({ exact, puzzles }: Measured, index: number): string | null {
  const right = exact[index];
  return right === undefined ? null : `${shareText(right, puzzles)} ${nounFor(puzzles, "puzzle")}`;
}
