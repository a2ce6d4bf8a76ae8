// Makes `npx trm` work in a clone: npm links the commands of dependencies into node_modules/.bin, but not the project's own.
import { existsSync, rmSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../node_modules/.bin/", import.meta.url));

// On Windows a symlink needs extra rights; there npx finds the command through package.json, only slower.
if (existsSync(folder) && process.platform !== "win32") {
  rmSync(`${folder}trm`, { force: true });
  symlinkSync("../../bin/trm.mjs", `${folder}trm`);
}
