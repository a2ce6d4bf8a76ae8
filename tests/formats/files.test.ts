// Files on the disk: an output path of any kind is written as a user expects, and every error names the path.
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import {
  checkOutput,
  FileSet,
  isSameFile,
  isThere,
  makeFolders,
  openFile,
  readAt,
  readBytes,
  replaceFile,
  replaceFiles,
  writeFlushed,
  writeOutput,
} from "../../src/formats/index.node.ts";
import { FileError } from "../../src/formats/index.ts";
import { projectRoot } from "../source.ts";

const folder = mkdtempSync(join(tmpdir(), "trm-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);
const text = (name: string): string => readFileSync(path(name), "utf8");

/** Runs `writeOutput(output, "new\n")` in a shell command, in which $WRITE stands for it. */
const shell = (output: string, command: string) => {
  const source = `import { writeOutput } from "${projectRoot}src/formats/index.node.ts"; writeOutput(process.argv[1], "new\\n");`;
  const run = spawnSync(
    "bash",
    ["-c", command.replace("$WRITE", `node --import tsx --input-type=module -e '${source}' "${output}"`)],
    {
      cwd: projectRoot,
      encoding: "utf8",
      timeout: 30_000,
    },
  );
  return { code: run.status, stdout: run.stdout, stderr: run.stderr };
};

describe("writeOutput", () => {
  it("creates a file and its folder, and replaces a file", () => {
    writeOutput(path("new/a.txt"), "1");
    writeOutput(path("new/a.txt"), Uint8Array.of(0x32));
    expect(text("new/a.txt")).toBe("2");
    expect(readdirSync(path("new"))).toEqual(["a.txt"]);
  });

  it("writes to the target of a symbolic link and keeps the link", () => {
    mkdirSync(path("elsewhere"));
    writeFileSync(path("elsewhere/real.csv"), "old");
    symlinkSync("elsewhere/real.csv", path("link.csv"));
    symlinkSync("link.csv", path("link-to-link.csv"));
    writeOutput(path("link-to-link.csv"), "new");
    expect(text("elsewhere/real.csv")).toBe("new");
    expect([readlinkSync(path("link.csv")), readlinkSync(path("link-to-link.csv"))]).toEqual([
      "elsewhere/real.csv",
      "link.csv",
    ]);
    expect(readdirSync(path("elsewhere"))).toEqual(["real.csv"]);
  });

  it("creates the target of a dangling link, and refuses a circle of links", () => {
    symlinkSync("later.csv", path("dangling.csv"));
    writeOutput(path("dangling.csv"), "new");
    expect(text("later.csv")).toBe("new");
    expect(lstatSync(path("dangling.csv")).isSymbolicLink()).toBe(true);
    symlinkSync("circle", path("circle"));
    expect(() => writeOutput(path("circle"), "")).toThrow(/circle: cannot write: too many symbolic links$/);
  });

  it("refuses a folder by its path", () => {
    mkdirSync(path("folder"));
    expect(() => writeOutput(path("folder"), "")).toThrow(`${path("folder")}: cannot write: a folder, expected a file`);
    expect(readdirSync(path("folder"))).toEqual([]);
  });

  it.skipIf(process.platform === "win32")(
    "writes files whose names are as long as the system allows, and side by side",
    () => {
      const longest = (end: string): string => path(`longest/${"é".repeat(127 - Math.ceil(end.length / 2))}${end}`);
      const names = ["", "x", ".csv", "2.csv"].map(longest);
      const files = new FileSet();
      for (const name of names) files.write(name, name);
      for (const temporary of readdirSync(path("longest"))) expect(temporary).not.toContain("\uFFFD");
      files.finish();
      expect(names.map((name) => readFileSync(name, "utf8"))).toEqual(names);
      expect(readdirSync(path("longest"))).toHaveLength(names.length);
    },
  );

  it.skipIf(process.platform === "win32")("writes through pipes, devices and /dev/fd, and keeps them", () => {
    execFileSync("mkfifo", [path("fifo")]);
    const { stdout } = shell(path("fifo"), `timeout 20 cat ${path("fifo")} & $WRITE; wait`);
    expect(stdout).toBe("new\n");
    expect(lstatSync(path("fifo")).isFIFO()).toBe(true);
    writeOutput("/dev/null", "new");
    expect(lstatSync("/dev/null").isCharacterDevice()).toBe(true);
    if (existsSync("/dev/full"))
      expect(() => writeOutput("/dev/full", "new")).toThrow("/dev/full: cannot write: no space left");
  });

  it.skipIf(process.platform === "win32")(
    "writes to the standard output for - and /dev/stdout, and creates no file of that name",
    () => {
      expect(shell("-", "$WRITE | cat")).toEqual({ code: 0, stdout: "new\n", stderr: "" });
      expect(existsSync(join(projectRoot, "-"))).toBe(false);
      // Here the standard output is a file: it is continued, not replaced.
      expect(shell("/dev/stdout", `(echo before; $WRITE; echo after) > ${path("out")}`)).toMatchObject({
        code: 0,
        stderr: "",
      });
      expect(text("out")).toBe("before\nnew\nafter\n");
      expect(shell("-", "$WRITE | true")).toMatchObject({ code: 0, stderr: "" });
    },
  );
});

describe("checkOutput", () => {
  it("refuses what writeOutput refuses, with the same error, and leaves nothing behind", () => {
    mkdirSync(path("checked/folder"), { recursive: true });
    writeFileSync(path("checked/file"), "1");
    const contents = () => readdirSync(path("checked"), { recursive: true, encoding: "utf8" }).toSorted();
    const before = contents();
    const errorOf = (work: () => void): string | undefined => {
      try {
        work();
      } catch (error) {
        return (error as FileError).message;
      }
    };
    for (const name of ["folder", "folder/", "file/new", `new/${"n".repeat(300)}`]) {
      const refused = errorOf(() => checkOutput(path(`checked/${name}`)));
      expect(contents()).toEqual(before);
      expect(refused).toMatch(/: cannot write: /);
      expect(errorOf(() => writeOutput(path(`checked/${name}`), "2"))).toBe(refused);
    }
    for (const name of ["file", "new", "new/file"]) checkOutput(path(`checked/${name}`));
    expect([contents(), text("checked/file")]).toEqual([before, "1"]);
  });

  it.skipIf(process.platform === "win32")("accepts a pipe without waiting for its reader", () => {
    execFileSync("mkfifo", [path("checked-fifo")]);
    checkOutput(path("checked-fifo"));
    checkOutput("/dev/null");
    checkOutput("-");
  });
});

describe("two outputs", () => {
  it("are the same file if their paths lead to one file, or to the same path before there is a file", () => {
    writeFileSync(path("one"), "1");
    symlinkSync("one", path("to-one"));
    expect(isSameFile(path("one"), path("to-one"))).toBe(true);
    expect(isSameFile(path("one"), path("other"))).toBe(false);
    expect(isSameFile(path("other"), `${folder}/./other`)).toBe(true);
    expect(isSameFile("-", "-")).toBe(true);
  });

  it.skipIf(process.platform === "win32")("do not disturb each other if both are the null device", () => {
    expect(isSameFile("/dev/null", "/dev/null")).toBe(false);
    const source = `import { isStandardOutput } from "./src/formats/index.node.ts"; console.error(isStandardOutput("/dev/null"), isStandardOutput("-"));`;
    const command = `node --import tsx --input-type=module -e '${source}' > /dev/null`;
    const { stderr } = spawnSync("bash", ["-c", command], { cwd: projectRoot, encoding: "utf8" });
    expect(stderr).toBe("false true\n");
  });
});

describe("an error of the file system", () => {
  const refused = (work: () => unknown): FileError => {
    try {
      work();
    } catch (error) {
      if (error instanceof FileError) return error;
      throw error;
    }
    throw new Error("done, expected a FileError");
  };

  it("is one line with the path, for reading and for writing", () => {
    mkdirSync(path("a-folder"));
    writeFileSync(path("short"), "123");
    const missing = refused(() => readBytes(path("missing")));
    expect([missing.message, missing.code]).toEqual([
      `${path("missing")}: cannot read: no such file or folder`,
      "ENOENT",
    ]);
    expect(refused(() => readBytes(path("a-folder"))).message).toMatch(
      /a-folder: cannot read: a folder, expected a file$/,
    );
    expect(refused(() => openFile(path("short/x"))).message).toMatch(/x: cannot read: a part of the path is a file/);
    expect(refused(() => readAt(openFile(path("short")), new Uint8Array(9), 0, "short")).message).toBe(
      "short: cannot read: the file ends at byte 3, expected more",
    );
    expect(refused(() => replaceFile(path("a-folder"), Uint8Array.of(1))).message).toMatch(
      /a-folder: cannot write: a folder/,
    );
    expect(refused(() => writeOutput(path("short/x"), "")).message).toMatch(
      /short\/x: cannot write: a part of the path/,
    );
  });

  it("is not hidden by the question whether a file exists", () => {
    symlinkSync("turning", path("turning"));
    expect(refused(() => isThere(path("turning/file"))).message).toBe(
      `${path("turning/file")}: cannot read: too many symbolic links`,
    );
    expect([".", "nowhere", "nowhere/file"].map((name) => isThere(path(name)))).toEqual([true, false, false]);
  });

  it("says that the path of a new folder is a dangling link", () => {
    symlinkSync("nowhere", path("dangling-folder"));
    for (const name of ["dangling-folder", "dangling-folder/", "dangling-folder/run"]) {
      expect(refused(() => makeFolders(path(name))).message).toMatch(
        /dangling-folder\/?: cannot write: a dangling symbolic link to nowhere, expected a folder$/,
      );
    }
  });

  it("names the path of a file that the limit of the system cuts off", () => {
    // The shell limits files to 1 kB; ignoring the signal turns the limit into the error EFBIG.
    const source = `import { replaceFile } from "./src/formats/index.node.ts"; try { replaceFile(process.argv[1], new Uint8Array(9999)); } catch (error) { console.log(error.message); }`;
    const command = `trap '' XFSZ; ulimit -f 1; node --import tsx --input-type=module -e '${source}' "${path("large")}"`;
    const { stdout } = spawnSync("bash", ["-c", command], { cwd: projectRoot, encoding: "utf8" });
    expect(stdout).toBe(`${path("large")}: cannot write: the file would be too large\n`);
    expect(existsSync(path("large"))).toBe(false);
  });
});

describe("a set of files", () => {
  it("follows links, and refuses a path that is not a regular file before anything is written", () => {
    mkdirSync(path("set"));
    mkdirSync(path("disk"));
    symlinkSync("../disk/target", path("set/link"));
    const files = new FileSet();
    files.write(path("set/link"), "1");
    files.finish();
    expect([text("disk/target"), readlinkSync(path("set/link"))]).toEqual(["1", "../disk/target"]);
    const refusing = new FileSet();
    refusing.write(path("set/first"), "1");
    expect(() => refusing.open("/dev/null")).toThrow("/dev/null: cannot write: not a regular file");
    expect(readdirSync(path("set"))).toEqual(["link"]);
  });

  it("that is abandoned leaves the folders as they were", () => {
    const names = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(names), fc.array(names), (before, added) => {
        const root = mkdtempSync(path("abandoned-"));
        for (const folders of before) mkdirSync(join(root, ...folders), { recursive: true });
        const contents = () => readdirSync(root, { recursive: true, encoding: "utf8" }).sort();
        const [were, files] = [contents(), new FileSet()];
        for (const [index, folders] of added.entries()) files.write(join(root, ...folders, `file-${index}`), "1");
        files.abandon();
        expect(contents()).toEqual(were);
      }),
    );
  });

  it("that is abandoned twice removes what is empty by then, and keeps the first error", () => {
    const files = new FileSet();
    files.write(path("twice/inner/ours"), "1");
    writeFileSync(path("twice/inner/theirs"), "2");
    expect(() => files.open("/dev/null")).toThrow("/dev/null: cannot write: not a regular file");
    expect(readdirSync(path("twice/inner"))).toEqual(["theirs"]);
    rmSync(path("twice/inner/theirs"));
    files.abandon();
    expect(existsSync(path("twice"))).toBe(false);
  });

  it("leaves no folder behind if one of its folders cannot be created", () => {
    const files = new FileSet();
    expect(() => files.write(path(`made/inner/${"n".repeat(300)}/file`), "1")).toThrow("the name is too long");
    expect(existsSync(path("made"))).toBe(false);
  });

  it("that is abandoned keeps a folder in which another program has written a file meanwhile", () => {
    const files = new FileSet();
    files.write(path("shared/data/ours"), "1");
    writeFileSync(path("shared/theirs"), "2");
    files.abandon();
    expect(readdirSync(path("shared"))).toEqual(["theirs"]);
  });
});

const killed = spawnSync(process.execPath, ["--version"]).pid;
/** This machine in the names of temporary files. */
const machine = crc32(hostname()).toString(16);

describe("the temporary files of a killed process", () => {
  /** The name that a process gives to the temporary file of "table.csv". */
  const nameOf = (pid: number): string => {
    const files = new FileSet();
    files.open(path("named/table.csv"));
    const [name] = readdirSync(path("named"));
    files.abandon();
    return name!.replace(String(process.pid), String(pid));
  };

  it("are removed when the next file is written in their folder, those of living processes are kept", () => {
    mkdirSync(path("left"));
    for (const pid of [killed, process.ppid]) writeFileSync(path(`left/${nameOf(pid)}`), "part");
    const files = new FileSet();
    files.write(path("left/first.csv"), "1");
    files.write(path("left/second.csv"), "2");
    files.finish();
    expect(readdirSync(path("left")).toSorted()).toEqual([nameOf(process.ppid), "first.csv", "second.csv"]);
  });

  it("are kept if another machine writes them, or if they are folders, which may hold the files that were replaced", () => {
    const elsewhere = nameOf(killed).replace(/@\w+/, "@0");
    mkdirSync(path(`left-elsewhere/${nameOf(killed)}`), { recursive: true });
    writeFileSync(path(`left-elsewhere/${elsewhere}`), "part");
    writeOutput(path("left-elsewhere/table.csv"), "1");
    expect(readdirSync(path("left-elsewhere")).toSorted()).toEqual([elsewhere, nameOf(killed), "table.csv"].toSorted());
  });
});

describe("files that are replaced together", () => {
  const bytes = (contents: string): Uint8Array => new TextEncoder().encode(contents);
  const files = new Map([
    ["weights", bytes("new")],
    ["data/train", bytes("new")],
    ["marker", bytes("new")],
  ]);
  const options = { names: ["weights", "average", "data"], marker: "marker" };
  const namesIn = (name: string): string[] => readdirSync(path(name)).toSorted();

  /** A folder with earlier files, and one that is not to be replaced. */
  const earlier = (name: string): string => {
    mkdirSync(path(`${name}/data`), { recursive: true });
    for (const file of ["weights", "average", "data/test", "marker", "other"]) {
      writeFileSync(path(`${name}/${file}`), "old");
    }
    return path(name);
  };

  it("take the place of the earlier ones, also of those without a successor, and of no others", () => {
    replaceFiles(earlier("together"), files, options);
    expect(namesIn("together")).toEqual(["data", "marker", "other", "weights"]);
    expect(namesIn("together/data")).toEqual(["train"]);
    expect(["weights", "data/train", "marker", "other"].map((name) => text(`together/${name}`))).toEqual([
      "new",
      "new",
      "new",
      "old",
    ]);
  });

  it("keep the temporary files of others: of a user, of a living process and of another machine", () => {
    const folder = earlier("foreign");
    const theirs = [".tmp-note", `.tmp-${process.ppid}@${machine}-files`, ".tmp-1@0-files"];
    for (const name of theirs) mkdirSync(join(folder, name));
    mkdirSync(join(folder, `.tmp-${killed}@${machine}-files`));
    replaceFiles(folder, files, options);
    expect(namesIn("foreign")).toEqual([...theirs, "data", "marker", "other", "weights"].toSorted());
  });

  it("keep the earlier ones if one cannot be written", () => {
    const write = (file: string, contents: Uint8Array): void => {
      if (file.endsWith("train")) throw Object.assign(new Error("full"), { code: "ENOSPC" });
      writeFlushed(file, contents);
    };
    const folder = earlier("full");
    expect(() => replaceFiles(folder, files, { ...options, write })).toThrow(
      `${folder}/data/train: cannot write: no space left on the disk`,
    );
    expect(namesIn("full")).toEqual(["average", "data", "marker", "other", "weights"]);
    expect(["weights", "data/test", "marker"].map((name) => text(`full/${name}`))).toEqual(["old", "old", "old"]);
  });

  it("keep the earlier ones if one cannot be renamed", () => {
    const folder = earlier("stuck");
    rmSync(join(folder, "marker"));
    mkdirSync(join(folder, "marker")); // a file cannot replace a folder
    expect(() => replaceFiles(folder, files, options)).toThrow(`${folder}: cannot write: `);
    expect(namesIn("stuck")).toEqual(["average", "data", "marker", "other", "weights"]);
    expect(["weights", "average", "data/test"].map((name) => text(`stuck/${name}`))).toEqual(["old", "old", "old"]);
  });
});
