// Keys and values of unknown content, as a configuration file holds them.

export type Settings = Readonly<Record<string, unknown>>;

export const isRecord = (value: unknown): value is Settings =>
  typeof value === "object" && value !== null && !Array.isArray(value);
