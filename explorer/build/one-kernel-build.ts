// Puts each build of the kernels into a file of its own, so that a visitor loads only the one that the browser runs. Replaces the module
// that holds both as text; an empty text is no valid module, so `supportedBuilds` of trm-ts leaves that build out.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const both = fileURLToPath(new URL("../../src/tensor/backends/wasm/generated/binary.ts", import.meta.url));
const names = ["plain", "relaxed"] as const;

/** A module that a browser accepts if it has relaxed SIMD: one function that calls i8x16.relaxed_swizzle. */
export const relaxedProbe = [
  ...[0, 97, 115, 109, 1, 0, 0, 0], // "\0asm", version 1
  ...[1, 5, 1, 96, 0, 1, 123], // type: () -> v128
  ...[3, 2, 1, 0], // function 0 has type 0
  ...[10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11], // code: swizzle of two splats
];

/** A build as the bytes of its module. */
function bytesOf(name: (typeof names)[number]): Buffer {
  const text = new RegExp(`${name}Binary: string = "([^"]+)"`).exec(readFileSync(both, "utf8"))?.[1];
  if (!text) throw new Error(`${both}: no ${name}Binary in it`);
  return Buffer.from(text, "base64");
}

/** @param addresses  JavaScript expressions of the addresses of the two files */
const choice = (addresses: Record<(typeof names)[number], string>): string => `
const isRelaxed = WebAssembly.validate(Uint8Array.of(${relaxedProbe}));
const response = await fetch(isRelaxed ? ${addresses.relaxed} : ${addresses.plain});
if (!response.ok) throw new Error(\`\${response.url}: the server answered \${response.status}\`);
const bytes = new Uint8Array(await response.arrayBuffer());
const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
export const [plainBinary, relaxedBinary] = isRelaxed ? ["", text] : [text, ""];
`;

export function oneKernelBuild(): Plugin {
  return {
    name: "one-kernel-build",
    apply: "build",
    enforce: "pre",
    load(id) {
      if (id !== both) return undefined;
      const addressOf = (name: (typeof names)[number]): string =>
        `import.meta.ROLLUP_FILE_URL_${this.emitFile({ type: "asset", name: `kernels-${name}.wasm`, source: bytesOf(name) })}`;
      return choice({ plain: addressOf("plain"), relaxed: addressOf("relaxed") });
    },
  };
}
