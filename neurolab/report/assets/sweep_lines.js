// Traces of a sweep's picture: a heatmap, lines, or scattered points; and marks of what went wrong.

const VIRIDIS = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];
const SYMBOLS = { partial: "diamond-open", diverged: "x", failed: "triangle-up", refused: "square-open", missing: "circle-open", };
const BAD = { diverged: ["#D55E00", "#FF8A4C"], failed: ["#222222", "#E8EBEE"],
  partial: ["#4C78A8", "#8AB4E0"], refused: ["#93407A", "#E79AC6"], missing: ["#59646F", "#A0ABB6"] };
const scaleOf = () => VIRIDIS.map((colour, i) => [i / (VIRIDIS.length - 1), colour]);

/** A colour between 0 and 1 of viridis; its ends are left out where they vanish in the page. */
function viridis(part) {
  const place = (isDark() ? 0.2 + 0.8 * part : 0.76 * part) * (VIRIDIS.length - 1);
  const i = Math.min(Math.floor(place), VIRIDIS.length - 2), rest = place - i;
  const parts = [0, 1].map((k) => [1, 3, 5].map((at) => parseInt(VIRIDIS[i + k].slice(at, at + 2), 16)));
  return `rgb(${parts[0].map((c, j) => Math.round(c + (parts[1][j] - c) * rest)).join(",")})`;
}

/** Where values are along an axis: numbers as they are, categories in their order. */
const places = (key) => (key.numeric ? key.values : key.values.map(String));
const typeOf = (key) => (key.numeric ? {} : { type: "category", categoryarray: places(key) });

function colourbar(value) {
  return { title: { text: valueLabel(value), side: narrow() ? "top" : "right", font: { color: css("--ink") } },
    thickness: 14, outlinewidth: 0, tickfont: { color: css("--ink") },
    ...(narrow() ? { orientation: "h", y: -0.22, yanchor: "top" } : {}) };
}

function heatmap(value, kx, ky, points) {
  const cells = grouped(points, (p) => ky.of[p] * kx.values.length + kx.of[p]);
  const at = (i, j) => cells.get(j * kx.values.length + i) || [];
  const z = ky.values.map((_, j) => kx.values.map((_, i) => statistics(value, at(i, j)).mean));
  const customdata = ky.values.map((_, j) => kx.values.map((_, i) => at(i, j)));
  const gap = Math.max(kx.values.length, ky.values.length) <= 16 ? 1 : 0;
  return { traces: [{ type: "heatmap", x: places(kx), y: places(ky), z, customdata, hoverongaps: false,
    colorscale: scaleOf(), colorbar: colourbar(value), xgap: gap, ygap: gap,
    hovertemplate: `${value.name} = %{z:.4g} ${value.unit}<br>${kx.name} = %{x} ${kx.unit}` +
      `<br>${ky.name} = %{y} ${ky.unit}<extra></extra>` }],
  y: { title: { text: keyLabel(ky) }, ...typeOf(ky) } };
}

function scattered(value, kx, ky, points) {
  const good = thinned(points.filter((p) => completed(p) && value.of[p] !== null));
  return { traces: [{ type: "scatter", mode: "markers", x: good.map((p) => keyValue(kx, p)),
    y: good.map((p) => keyValue(ky, p)), customdata: good.map((p) => [p]),
    text: good.map((p) => `${aboutPoint(p)}<br>${value.name} = ${withUnit(number(value.of[p]), value.unit)}`),
    marker: { size: good.length > 2000 ? 6 : 13, color: good.map((p) => value.of[p]), colorscale: scaleOf(),
      colorbar: colourbar(value), line: { width: 1, color: css("--axis") } },
    hovertemplate: "%{text}<extra></extra>" }],
  y: { title: { text: keyLabel(ky) }, ...typeOf(ky) } };
}

function lines(value, kx, by, points) {
  const groups = by ? [...grouped(points, (p) => by.of[p])].sort((a, b) => a[0] - b[0]) : [[0, points]];
  const ordered = by?.numeric, colours = palette(), many = groups.length > 12;
  const traces = groups.map(([which, inside], i) => {
    const part = groups.length > 1 ? i / (groups.length - 1) : 0;
    const colour = ordered ? viridis(part) : colours[i % colours.length];
    const cells = thinned([...grouped(inside, (p) => kx.of[p])].sort((a, b) => a[0] - b[0]));
    const found = cells.map(([, ps]) => statistics(value, ps));
    const spread = found.some((s) => s.n > 1) && groups.length <= 8;
    return { type: "scatter", mode: sampled(kx) || !kx.numeric ? "markers" : "lines+markers",
      x: cells.map(([at]) => places(kx)[at]), y: found.map((s) => s.mean), customdata: cells.map(([, ps]) => ps),
      name: by ? valueText(by, by.values[which]) : value.name, line: { color: colour, width: 2 },
      marker: { color: colour, size: kx.numeric ? (many ? 4 : 6) : 11, symbol: ordered ? "circle" : i % 6 },
      error_y: spread ? { type: "data", array: found.map((s) => s.sd), color: colour, thickness: 1, width: 3 } : {},
      hovertemplate: `${value.name} = %{y:.4g} ${value.unit}<br>${kx.name} = %{x} ${kx.unit}<extra>` +
        `${by ? escaped([`${by.name} = ${valueText(by, by.values[which])}`])[0] : ""}</extra>` };
  });
  return { traces, legend: by && groups.length <= 24 ? by : null,
    y: { title: { text: valueLabel(value) }, rangemode: "tozero" } };
}

/** Marks where points were not completed; lines have none at a height, so theirs are at the bottom. */
function marks(kx, ky, points) {
  const traces = [];
  for (const [status, all] of grouped(points.filter((p) => !completed(p)), statusOf)) {
    const bad = thinned(all);
    const [light, dark] = BAD[status] || BAD.missing;
    traces.push({ type: "scatter", mode: "markers", name: `${all.length} ${status}`, showlegend: true,
      x: bad.map((p) => places(kx)[kx.of[p]]), y: ky ? bad.map((p) => places(ky)[ky.of[p]]) : bad.map(() => 0.02),
      yaxis: ky ? "y" : "y2", customdata: bad.map((p) => [p]), text: bad.map(aboutPoint), cliponaxis: false,
      marker: { symbol: SYMBOLS[status] || "diamond-open", size: 9, color: isDark() ? dark : light,
        line: { width: 1.6, color: isDark() ? dark : light } },
      hovertemplate: "%{text}<extra></extra>" });
  }
  return traces;
}
