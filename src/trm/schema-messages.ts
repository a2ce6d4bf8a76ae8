// The language of messages about values that a schema rejects. zod/mini, which is used because of its size, has none by default.
import en from "zod/v4/locales/en.js";

/**
 * Pass this to `safeParse` as its second argument for messages in English. It is not set with `z.config`, which would change the
 * messages of every other part of the program that uses zod.
 */
export const inEnglish = { error: en().localeError };
