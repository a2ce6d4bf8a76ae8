// Archives of checkpoints: reading gives back what was written, and damage is found.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readZip, writeZip } from "../../explorer/shared/zip.ts";

const archives = fc
  .array(fc.tuple(fc.string({ minLength: 1, maxLength: 12 }), fc.uint8Array({ maxLength: 60 })), { maxLength: 5 })
  .map((files) => new Map(files));

const hasPython = !spawnSync("python3", ["--version"]).error;

describe("an archive", () => {
  it("gives back the files that were written into it", () => {
    fc.assert(
      fc.property(archives, (files) => {
        expect(readZip(writeZip(files))).toEqual(files);
      }),
    );
  });

  it("is refused if a byte of a file is damaged, or the end is missing", () => {
    const archive = writeZip(new Map([["a.txt", Uint8Array.of(1, 2, 3)]]));
    const damaged = archive.with(30 + 5, 9);
    expect(() => readZip(damaged)).toThrow("zip: a.txt is damaged");
    expect(() => readZip(archive.subarray(0, archive.length - 1))).toThrow("zip: not an archive");
  });

  it("is refused if its files share bytes, which would multiply its size", () => {
    const [size, entry] = [1000, 46 + 5];
    const archive = writeZip(new Map(["a.txt", "b.txt", "c.txt"].map((name) => [name, new Uint8Array(size)])));
    const directory = archive.length - 22 - 3 * entry;
    const view = new DataView(archive.buffer);
    view.setUint32(directory + entry + 42, 0, true);
    view.setUint32(directory + 2 * entry + 42, 0, true);
    const files = 22 + 3 * entry + 30 + 5 + size;
    const short = new Uint8Array(files); // one file, three entries
    short.set(archive.subarray(0, 35 + size));
    short.set(archive.subarray(directory), 35 + size);
    new DataView(short.buffer).setUint32(files - 22 + 16, 35 + size, true);
    expect(() => readZip(short)).toThrow("shares bytes with another file");
  });

  it("is refused if its directory points outside the archive", () => {
    const archive = writeZip(new Map([["a.txt", Uint8Array.of(1, 2, 3)]]));
    const directory = 30 + 5 + 3;
    const damaged = archive.with(directory + 42, 255);
    expect(() => readZip(damaged)).toThrow("zip: a.txt lies outside the archive");
  });

  it.skipIf(!hasPython)("is read by other programs", () => {
    const folder = mkdtempSync(join(tmpdir(), "trm-zip-"));
    const file = join(folder, "a.zip");
    writeFileSync(file, writeZip(new Map([["x/y.txt", new TextEncoder().encode("hello")]])));
    try {
      const text = execFileSync("python3", [
        "-c",
        "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip(), z.read('x/y.txt').decode())",
        file,
      ]);
      expect(text.toString().trim()).toBe("None hello");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
