// The script inside the page of `trm plot`, as text, because the page loads no module: it draws `charts` with uPlot, again when the
// width or the colour scheme changes. `charts` and `palettes` stand before it in the page.
export const pageScript = `
const dark = matchMedia("(prefers-color-scheme: dark)");
const main = document.getElementById("charts");
const short = (value) =>
  value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5)
    ? Number(value.toPrecision(4)).toLocaleString("en-US")
    : value.toExponential(1);
const percent = (value) => Number((100 * value).toPrecision(4)) + "%";
const borderOf = ([dash, gap]) => (dash === undefined ? "solid" : dash > gap ? "dashed" : "dotted");
function show() {
  main.replaceChildren();
  const colours = dark.matches ? palettes.dark : palettes.light;
  const style = getComputedStyle(document.documentElement);
  const [soft, line] = [style.getPropertyValue("--soft"), style.getPropertyValue("--line")];
  // All sections come first, because their number determines their width.
  const sections = charts.map((chart) => {
    const section = document.createElement("section");
    section.append(
      Object.assign(document.createElement("h2"), { textContent: chart.title }),
      Object.assign(document.createElement("p"), { textContent: chart.note }),
    );
    main.append(section);
    return section;
  });
  charts.forEach((chart, index) => {
    const section = sections[index];
    const text = chart.isShare ? percent : short;
    const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const series = chart.series.map(({ name, colour, dash, isStepped }) => {
      const stroke = colours[colour % colours.length];
      const bars = { paths: uPlot.paths.bars({ size: [0.85, 40] }), fill: stroke + "40" };
      const points = { show: chart.hasPoints ?? false, size: 5, fill: stroke };
      const value = (_, value) => (value == null ? "-" : text(value));
      return { label: name, stroke, width: 2, dash, spanGaps: true, points, value, ...(isStepped && bars) };
    });
    const isHistogram = chart.series[0].isStepped;
    const isWide = innerWidth > 500;
    new uPlot(
      {
        width: section.clientWidth - (isWide ? 28 : 12),
        height: isWide ? 280 : 220,
        scales: {
          x: { time: false, ...(isHistogram && { range: (_, low, high) => [Math.round(low) - 0.6, Math.round(high) + 0.6] }) }, y: chart.isLog ? { distr: 3 } : chart.isShare ? { range: [0, 1.02] } : {},
        },
        legend: { markers: { width: 2, dash: (_, i) => (i === 0 ? "solid" : borderOf(chart.series[i - 1].dash)) } },
        axes: [
          { ...axis, label: chart.x, labelSize: 24, size: 40, space: isWide ? 60 : 50 },
          { ...axis, size: 62, values: (_, ticks) => ticks.map((tick) => (tick == null ? "" : text(tick))) },
        ],
        series: [{ label: chart.x, value: (_, x) => (x == null ? "-" : Math.round(x).toLocaleString("en-US")) }, ...series],
      },
      chart.data,
      section,
    );
  });
}
show();
dark.addEventListener("change", show);
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== width) show();
  width = innerWidth;
});
`;
