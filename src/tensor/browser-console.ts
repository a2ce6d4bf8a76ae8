// How the consoles of browsers show tensors and variables. Node, Bun and Deno need nothing of this, see Tensor.toString.
import { tensorsHeld } from "./scope.ts";

/** The interface of Chromium's and Firefox's custom formatters. */
interface Formatter {
  header(value: unknown): readonly unknown[] | null;
  hasBody(value: unknown): boolean;
}

const formatter: Formatter = {
  header(value) {
    const holdsTensors = typeof value === "object" && value !== null && tensorsHeld in value;
    return holdsTensors ? ["span", {}, String(value)] : null;
  },
  hasBody: () => false,
};

/**
 * Makes `console.log(tensor)` show shape, element type and the first numbers in the consoles of Chromium and Firefox, for tensors and
 * variables. It takes effect if "Enable custom formatters" is on in the settings of the developer tools. Without it,
 * `console.log(String(tensor))` shows the same.
 */
export function formatInBrowserConsole(): void {
  const page = globalThis as { devtoolsFormatters?: Formatter[] };
  if (!page.devtoolsFormatters?.includes(formatter)) {
    page.devtoolsFormatters = [...(page.devtoolsFormatters ?? []), formatter];
  }
}
