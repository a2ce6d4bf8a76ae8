// Adds the service worker to the built page, with the list of files that it stores for offline use.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const source = fileURLToPath(new URL("../worker/isolation.js", import.meta.url));

export function isolationWorker(): Plugin {
  let folder = "";
  return {
    name: "isolation-worker",
    apply: "build",
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
    },
    closeBundle() {
      const files = (readdirSync(folder, { recursive: true, withFileTypes: true }) as import("node:fs").Dirent[])
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
        .filter((name) => name !== "isolation.js" && !/entry\.json$/.test(name))
        .sort();
      const hash = createHash("sha256");
      for (const name of files) hash.update(name).update(readFileSync(join(folder, name)));
      const about = { version: hash.digest("hex").slice(0, 12), files: ["./", ...files] };
      const text = readFileSync(source, "utf8").replace("/* BUILD */ null", JSON.stringify(about));
      writeFileSync(join(folder, "isolation.js"), text);
    },
  };
}
