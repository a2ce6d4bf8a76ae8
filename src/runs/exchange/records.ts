// Records with values of unknown type, as read from a configuration file.

export type Settings = Readonly<Record<string, unknown>>;

export const isRecord = (value: unknown): value is Settings =>
  typeof value === "object" && value !== null && !Array.isArray(value);
