// The trainings of the page, with workers whose answers the test decides.
import { resolveObjectURL } from "node:buffer";
import { signal } from "@preact/signals";
import { afterEach, expect, it, vi } from "vitest";
import { continueRuns, download, runs, startRuns, stopRuns } from "../../explorer/page/training.ts";
import { readZip } from "../../explorer/shared/zip.ts";

/** A call that the page made and that has no answer yet. */
interface Open {
  readonly call: string;
  readonly args: unknown;
  readonly resolve: (result: unknown) => void;
}

/** The open calls of each worker, by its name. */
const workers = vi.hoisted(() => new Map<string, Open[]>());

vi.mock("../../explorer/page/state.ts", async () => {
  const { initialLink } = await import("../../explorer/shared/link.ts");
  return { link: signal({ ...initialLink, rival: "direct" }), go: () => {} };
});

vi.mock("../../explorer/page/workers.ts", () => ({
  startWorker: (name: string) => {
    const open: Open[] = [];
    workers.set(name, open);
    const call = (asked: string, args: unknown, { signal: abort }: { signal?: AbortSignal } = {}): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const own = { call: asked, args, resolve };
        open.push(own);
        abort?.addEventListener("abort", () => {
          open.splice(open.indexOf(own), 1);
          reject(abort.reason);
        });
      });
    return { call, stop: () => {} };
  },
}));

const started = { parameters: 1, updates: ["z", "y"], T: 1, nSup: 2, step: 0, unseen: [], hasItsData: true };
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** Answers the oldest open call of a worker, which must be the given one. */
async function answer(worker: string, call: string, result: unknown): Promise<void> {
  const [oldest] = workers.get(worker)!;
  expect(oldest?.call).toBe(call);
  workers.get(worker)!.shift();
  oldest!.resolve(result);
  await settled();
}

const openCalls = (worker: string): string[] => workers.get(worker)!.map(({ call }) => call);
const states = (): string[] => runs.value.map(({ value }) => value.status);

afterEach(() => void vi.unstubAllGlobals());

it("the folder in a downloaded archive has the step of its files, also if no report was made yet", async () => {
  startRuns();
  await answer("training none", "begin", started);
  workers.get("training none")!.length = 0; // the training, which does not report
  const anchor = { click: () => {}, href: "", download: "" };
  vi.stubGlobal("document", { createElement: () => anchor });
  const done = download();
  await answer(
    "training none",
    "checkpoint",
    new Map([["checkpoint.json", new TextEncoder().encode('{"step":1240}')]]),
  );
  await done;
  const archive = new Uint8Array(await resolveObjectURL(anchor.href)!.arrayBuffer());
  const folder = "checkpoint-0001240";
  expect([...readZip(archive).keys()]).toEqual([`${folder}/checkpoint.json`, `${folder}/explorer-settings.txt`]);
  expect(anchor.download).toBe(`trm-${folder}.zip`);
});

it("a run that is stopped while it is prepared begins again with “Continue”, and the other one continues", async () => {
  startRuns();
  const [first] = workers.get("training direct")!;
  await answer("training none", "begin", started);
  expect(states()).toEqual(["training", "preparing"]);
  stopRuns();
  await settled();
  expect(states()).toEqual(["stopped", "stopped"]);
  continueRuns();
  expect(states()).toEqual(["training", "preparing"]);
  expect([openCalls("training none"), openCalls("training direct")]).toEqual([["train"], ["begin"]]);
  expect(workers.get("training direct")![0]!.args).toEqual(first!.args);
  await answer("training direct", "begin", started);
  expect(states()).toEqual(["training", "training"]);
  // The second beginning can be stopped too.
  stopRuns();
  await settled();
  expect([openCalls("training none"), openCalls("training direct")]).toEqual([[], []]);
  expect(states()).toEqual(["stopped", "stopped"]);
});
