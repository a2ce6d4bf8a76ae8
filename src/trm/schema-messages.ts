// The text of messages about values that a schema rejects. zod/mini, which is used because of its size, has no language by default.
import en from "zod/v4/locales/en.js";

/**
 * Pass this to `safeParse` as its second argument for messages in English. It is not set with `z.config`, which would change the
 * messages of every other part of the program that uses zod.
 */
export const inEnglish = { error: en().localeError };

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The first reason why a schema rejects a value: "data.train: Invalid input: expected number, received string". */
export function issueText({ issues }: { readonly issues: readonly Issue[] }): string {
  const { path, message } = issues[0]!;
  return `${path.join(".") || "contents"}: ${message}`;
}
