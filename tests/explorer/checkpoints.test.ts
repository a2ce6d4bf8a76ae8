// What the page checks in the files of a checkpoint before it continues a training.
import { describe, expect, it } from "vitest";
import { expectTrainable } from "../../explorer/shared/checkpoints.ts";

const side = { format: "trm-ts checkpoint", task: { name: "sudoku4" }, config: { emaRate: 0.99 } };

/** The files of a checkpoint. @param without  a file that is missing */
function filesOf(checkpoint: unknown, without = ""): Map<string, Uint8Array> {
  const names = ["weights.safetensors", "training.safetensors", "ema.safetensors"];
  const files = new Map(names.map((name) => [name, new Uint8Array(8)]));
  files.set("checkpoint.json", new TextEncoder().encode(JSON.stringify(checkpoint)));
  files.delete(without);
  return files;
}

describe("the files of a checkpoint", () => {
  it("are accepted if all are there, without averaged weights if the training has none", () => {
    expectTrainable(filesOf(side));
    expectTrainable(filesOf({ ...side, config: { emaRate: 0 } }, "ema.safetensors"));
  });

  it("are refused if one is missing, with its name", () => {
    for (const name of filesOf(side).keys()) {
      expect(() => expectTrainable(filesOf(side, name))).toThrow(`checkpoint: no ${name} among `);
    }
  });

  it("are refused if they are those of another program, or of a task whose puzzles the page cannot generate", () => {
    expect(() => expectTrainable(filesOf({ format: "other" }))).toThrow("checkpoint.json: not a checkpoint of trm-ts");
    expect(() => expectTrainable(filesOf({ ...side, task: { name: "arc" } }))).toThrow(
      "checkpoint.json: puzzles of arc cannot be generated in the page",
    );
    expect(() => expectTrainable(filesOf(null))).toThrow("checkpoint.json: not a checkpoint of trm-ts");
  });
});
