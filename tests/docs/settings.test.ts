// docs/settings.md lists all settings as they are, and no docstring states another default than the schema has.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { settingsOf, settingsPath, settingsTable } from "../../scripts/settings-table.ts";
import { configKeys } from "../../src/trm/config.ts";

const settings = [...settingsOf("ModelConfig"), ...settingsOf("TrainingConfig")];

it("the committed page of settings equals the one written from the source (npm run docs:settings)", () => {
  expect(readFileSync(settingsPath, "utf8")).toBe(settingsTable());
});

it("the page of settings has every key of a configuration", () => {
  expect(settings.map(({ name }) => name).toSorted()).toEqual([...configKeys].toSorted());
});

describe("the default in the docstring of a setting is the default of parseConfig", () => {
  const stated = settings.flatMap(({ name, docstring, defaultValue }) => {
    const value = /Default: (\S+?)[.,]?(?: |$)/.exec(docstring)?.[1];
    return value === undefined || value.startsWith("`") ? [] : [{ name, value, defaultValue }];
  });

  it.each(stated)("$name: $value", ({ value, defaultValue }) => {
    expect(JSON.parse(value.replaceAll(",", ""))).toEqual(JSON.parse(defaultValue!));
  });

  it("most settings state a default", () => {
    expect(stated.length).toBeGreaterThan(40);
  });
});
