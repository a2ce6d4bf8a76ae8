// The page of `trm plot`: one file without references to the network, with uPlot and the data inside.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Chart, palette } from "./charts.ts";
import { pageScript } from "./page-script.ts";
import { escaped } from "./svg.ts";

const { resolve } = createRequire(import.meta.url);
const library = (name: string): string => readFileSync(resolve(`uplot/dist/${name}`), "utf8");

/** JSON for a script element, in which "</" would end the element. */
const embedded = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c");

/** @param runs  names of the runs, in the order of their colours */
export function plotPage(runs: readonly string[], charts: readonly Chart[]): string {
  const title = `Training of ${runs.join(", ")}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>
${library("uPlot.min.css")}
${style}
</style>
</head>
<body>
<header>
<h1>${escaped(title)}</h1>
<p>Drag over a chart to zoom in, double-click to zoom out. Hover for values; click a name in a legend to hide its curve.</p>
</header>
<main id="charts"></main>
<script>${library("uPlot.iife.min.js")}</script>
<script>
const charts = ${embedded(charts)};
const palettes = ${embedded(palette)};
${pageScript}
</script>
</body>
</html>
`;
}

const style = `
:root { color-scheme: light dark; --back: #ffffff; --card: #f7f8fa; --text: #1c2026; --soft: #5b6470; --line: #dfe3e8; }
@media (prefers-color-scheme: dark) {
  :root { --back: #14171b; --card: #1c2026; --text: #e8ebef; --soft: #a3adb8; --line: #353b43; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1440px; padding: 24px; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 4px; font-size: 22px; overflow-wrap: anywhere; }
header p { margin: 0 0 20px; color: var(--soft); }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(560px, 100%), 1fr)); gap: 16px; }
section { min-width: 0; padding: 14px 14px 8px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
section h2 { margin: 0; font-size: 16px; }
section p { margin: 0 0 6px; color: var(--soft); font-size: 13px; }
.uplot { font-family: inherit; }
.u-legend { text-align: left; font-size: 13px; }
.u-legend th, .u-legend td { padding: 2px 4px; }
.u-legend .u-value { font-variant-numeric: tabular-nums; }
.u-legend.u-inline tr { margin-right: 14px; }
.u-select { background: color-mix(in srgb, var(--text) 12%, transparent); }
.u-hz .u-cursor-x, .u-vt .u-cursor-y { border-right-color: var(--soft); }
@media (max-width: 500px) { body { padding: 12px; } section { padding: 10px 6px 4px; } .u-legend { font-size: 12px; } }
`;
