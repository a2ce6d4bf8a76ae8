// The entries of the package: every value is exported by one of them only.
import { expect, it } from "vitest";
import { readText } from "./docs/files.ts";

const { exports } = JSON.parse(readText("package.json")) as { exports: Record<string, { default?: string } | string> };

/** The source of an entry: "./dist/tensor/index.js" is built from src/tensor/index.ts. */
const entries = Object.entries(exports).flatMap(([name, target]) => {
  const built = typeof target === "string" ? target : target.default;
  return built?.endsWith(".js") ? [[name, built.replace("./dist/", "../src/").replace(/\.js$/, ".ts")] as const] : [];
});

it("the entries export nothing twice", async () => {
  expect(entries.map(([name]) => name).toSorted()).toEqual(
    [".", "./autograd", "./formats", "./nn", "./node", "./tensor", "./testing"].toSorted(),
  );
  const places = new Map<unknown, string[]>();
  for (const [entry, source] of entries) {
    for (const [name, value] of Object.entries((await import(source)) as Record<string, unknown>)) {
      if (typeof value !== "function" && typeof value !== "object") continue;
      places.set(value, [...(places.get(value) ?? []), `${entry} ${name}`]);
    }
  }
  expect(places.size).toBeGreaterThan(150);
  expect([...places.values()].filter((found) => found.length > 1)).toEqual([]);
});
