// Traces of a panel of a sweep's picture: a heatmap, lines, or scattered points; and marks of what went wrong.

const VIRIDIS = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];
const SYMBOLS = { partial: "diamond-open", diverged: "x-thin-open", failed: "triangle-up", refused: "square-open", missing: "circle-open",
  damaged: "triangle-down-open" };
const BAD = { diverged: ["#D55E00", "#FF8A4C"], failed: ["#222222", "#E8EBEE"],
  partial: ["#4C78A8", "#8AB4E0"], refused: ["#93407A", "#E79AC6"], missing: ["#59646F", "#A0ABB6"],
  damaged: ["#B3261E", "#F2867E"] };
const DIM = 0.15; // how much is seen of what a filter leaves out
const scaleOf = () => VIRIDIS.map((colour, i) => [i / (VIRIDIS.length - 1), colour]);

/** A colour between 0 and 1 of viridis; its ends are left out where they vanish in the page. */
function viridis(part) {
  const place = (isDark() ? 0.35 + 0.65 * part : 0.76 * part) * (VIRIDIS.length - 1);
  const i = Math.min(Math.floor(place), VIRIDIS.length - 2), rest = place - i;
  const parts = [0, 1].map((k) => [1, 3, 5].map((at) => parseInt(VIRIDIS[i + k].slice(at, at + 2), 16)));
  return `rgb(${parts[0].map((c, j) => Math.round(c + (parts[1][j] - c) * rest)).join(",")})`;
}

/** Where values are along an axis: numbers as they are, categories in their order. */
const places = (key) => (key.numeric ? key.values : key.values.map(String));
function typeOf(key) {
  if (!key.numeric) return { type: "category", categoryarray: places(key) };
  if (!key.log) return {};
  const few = key.values.length <= 8 ? { tickvals: key.values, ticktext: key.values.map((v) => number(v)) } : {};
  return { type: "log", ...few };
}

/** The edges of cells around values: half-way, on a logarithmic axis geometrically. */
function edges(key) {
  if (!key.numeric) return places(key);
  const at = key.log ? key.values.map(Math.log) : key.values, last = at.length - 1;
  const found = [at[0] - (at[1] - at[0]) / 2, ...at.slice(1).map((v, i) => (v + at[i]) / 2), at[last] + (at[last] - at[last - 1]) / 2];
  return key.log ? found.map(Math.exp) : found;
}

function colourbar(value, ticks = {}) {
  return { title: { text: valueLabel(value), side: narrow() ? "top" : "right", font: { color: css("--ink") } },
    thickness: 14, outlinewidth: 0, tickfont: { color: css("--ink") }, ...ticks,
    ...(narrow() ? { orientation: "h", y: -0.22, yanchor: "top" } : {}) };
}

/** Mean and spread of the runs at one place, and where a click leads. */
const cellsOf = (value, runs) => runs.map((points) => ({ points, p: points[0], ...statistics(value, points) }));

/** What bars around means can be: their half, of a mean of n with its standard deviation. */
const BARS = {
  "": ["standard deviations", ({ sd }) => sd],
  sem: ["standard errors", ({ sd, n }) => sd / Math.sqrt(n)],
  ci: ["95 % confidence intervals", ({ sd, n }) => ((data.student[n] ?? 0) * sd) / Math.sqrt(n)],
  none: ["", () => 0],
};

const aboutCell = (value, keys, { p, mean, sd, n }) => escaped([
  `${value.name} = ${withUnit(number(mean), value.unit)}${n > 1 ? ` ± ${number(sd, 2)}, ${n} seeds` : ""}`,
  ...keys.map((key) => `${key.name} = ${valueText(key, keyValue(key, p))}`)]).join("<br>");

/** Which of these cells a filter leaves in, for markers; nothing where there is no filter. */
function dimmed(cells, lit) {
  if (!lit) return {};
  const kept = cells.flatMap(({ points }, i) => (points.some((p) => lit[p]) ? [i] : []));
  return { selectedpoints: kept, unselected: { marker: { opacity: DIM } }, opacity: kept.length ? 1 : 2 * DIM };
}

function heatmap({ value, kx, ky, cells, colours, lit, contours }) {
  const empty = () => ky.values.map(() => kx.values.map(() => null));
  const [raw, customdata, text] = [empty(), empty(), empty()];
  const dark = lit ? empty() : null, bright = empty();
  for (const cell of cells) {
    const [row, column] = [ky.of[cell.p], kx.of[cell.p]], z = colours.of(cell.mean);
    raw[row][column] = cell.mean;
    (lit && !cell.points.some((p) => lit[p]) ? dark : bright)[row][column] = z;
    customdata[row][column] = cell.points;
    text[row][column] = aboutCell(value, [kx, ky], cell);
  }
  const gap = Math.max(kx.values.length, ky.values.length) <= 16 ? 1 : 0;
  const shared = { type: "heatmap", x: edges(kx), y: edges(ky), customdata, text, hoverongaps: false, coloraxis: "coloraxis",
    xgap: gap, ygap: gap, hovertemplate: "%{text}<extra></extra>" };
  const line = (color, width) => ({ type: "contour", x: places(kx), y: places(ky), z: raw, hoverinfo: "skip", showscale: false,
    showlegend: false, ncontours: 9, connectgaps: false, line: { color, width },
    contours: { coloring: "none", showlabels: width < 2, labelfont: { color, size: 11 } } });
  return { traces: [{ ...shared, z: bright }, ...(lit ? [{ ...shared, z: dark, opacity: 2 * DIM }] : []),
    ...(contours ? [line("rgba(0,0,0,0.45)", 3), line("#ffffff", 1.2)] : [])] };
}

function scattered({ value, kx, ky, cells, colours, lit }) {
  const good = thinned(cells.filter((cell) => cell.n));
  return { traces: [{ type: "scatter", mode: kx.joined && ky.joined && kx.axis === ky.axis ? "lines+markers" : "markers",
    x: good.map(({ p }) => keyValue(kx, p)), y: good.map(({ p }) => keyValue(ky, p)), customdata: good.map(({ points }) => points),
    text: good.map((cell) => `${aboutPoint(cell.p)}<br>${aboutCell(value, [], cell)}`), line: { color: css("--axis"), width: 1 },
    marker: { size: good.length > 2000 ? 6 : 13, color: good.map(({ mean }) => colours.of(mean)), coloraxis: "coloraxis",
      line: { width: 1, color: css("--axis") } },
    hovertemplate: "%{text}<extra></extra>", ...dimmed(good, lit) }] };
}

/** The value of a sample's points, in the colours of another of its keys: no two share a line. */
function coloured({ value, kx, by, cells, lit }) {
  const good = thinned(cells.filter((cell) => cell.n));
  return { traces: [{ type: "scatter", mode: "markers", x: good.map(({ p }) => places(kx)[kx.of[p]]), y: good.map(({ mean }) => mean),
    customdata: good.map(({ points }) => points), text: good.map((cell) => aboutCell(value, [kx, by], cell)),
    marker: { size: 7, color: good.map(({ p }) => keyValue(by, p)), coloraxis: "coloraxis", line: { width: 1, color: css("--axis") } },
    hovertemplate: "%{text}<extra></extra>", ...dimmed(good, lit) }],
  rows: [{ colour: css("--ink"), points: cells.flatMap(({ points }) => points).filter((p) => !completed(p)) }] };
}

/** A line for each of the values `which` of the key `by`, or one. */
function lines({ value, kx, by, which, cells, lit, bars }) {
  const inside = grouped(cells, by ? ({ p }) => by.of[p] : () => 0), colours = palette(), many = which.length > 12;
  const colourOf = (i) => (by?.numeric ? viridis(which.length > 1 ? i / (which.length - 1) : 0) : colours[i % colours.length]);
  const traces = which.flatMap((one, i) => {
    if (!inside.has(one)) return [];
    const colour = colourOf(i), own = thinned(inside.get(one).sort((a, b) => kx.of[a.p] - kx.of[b.p]));
    const joined = kx.joined && new Set(own.map(({ p }) => kx.of[p])).size === own.length;
    const spread = bars !== "none" && own.some((s) => s.n > 1) && which.length <= 8;
    return [{ type: "scatter", mode: joined ? "lines+markers" : "markers", connectgaps: false,
      x: own.map(({ p }) => places(kx)[kx.of[p]]), y: own.map((s) => s.mean), customdata: own.map(({ points }) => points),
      text: own.map((cell) => aboutCell(value, by ? [kx, by] : [kx], cell)),
      name: by ? valueText(by, by.values[one]) : value.name, line: { color: colour, width: 2 },
      marker: { color: colour, size: kx.numeric ? (many || own.length > 120 ? 4 : 6) : 11, symbol: by?.numeric ? "circle" : i % 6 },
      error_y: spread ? { type: "data", array: own.map((s) => (s.n > 1 ? BARS[bars][1](s) : 0)), color: colour, thickness: 1, width: 3 } : {},
      hovertemplate: "%{text}<extra></extra>", ...dimmed(own, lit) }];
  });
  const bad = which.map((one, i) => ({ colour: colourOf(i),
    points: (inside.get(one) ?? []).flatMap(({ points }) => points).filter((p) => !completed(p)) }));
  return { traces, rows: many ? [{ colour: css("--ink"), points: bad.flatMap(({ points }) => points) }] : bad };
}

/** A line for each population, of as many values, which are a value of all taken apart. */
function populationLines({ parts, kx, runs, lit, bars }) {
  const each = parts.map((value) => lines({ value, kx, by: null, which: [0], cells: cellsOf(value, runs), lit, bars })), colours = palette();
  const traces = each.flatMap(({ traces: own }, k) => own.map((trace) => merged(trace, { name: parts[k].population,
    line: { color: colours[k % colours.length] }, marker: { color: colours[k % colours.length] },
    error_y: { color: colours[k % colours.length] } })));
  return { ...each[0], traces };
}

/** A bar in place of a legend of too many lines: what the colours of some of them mean. */
function coloursOfLines(by, which) {
  const last = which.length - 1, at = [0, 0.25, 0.5, 0.75, 1].map((part) => Math.round(part * last));
  const scale = Array.from({ length: 9 }, (_, i) => [i / 8, viridis(i / 8)]);
  return { type: "scatter", mode: "markers", x: [null], y: [null], hoverinfo: "skip", showlegend: false,
    marker: { color: [0], cmin: 0, cmax: last, colorscale: scale, showscale: true,
      colorbar: { ...colourbar({ long_name: by.name, unit: by.unit }), tickvals: at,
        ticktext: at.map((i) => valueText({ ...by, unit: "" }, by.values[which[i]])) } } };
}

/** Marks where points were not completed: at their place, or in rows above lines, as they have no value; of the colour
 * of their line there. `counts` are of all panels. */
function marks({ kx, ky, points, rows, counts }) {
  const traces = [];
  const all = rows ?? [{ points: points.filter((p) => !completed(p)) }];
  all.forEach((row, at) => {
    for (const [status, inside] of grouped(row.points, statusOf)) {
      const bad = thinned(inside), [light, dark] = BAD[status] || BAD.missing;
      const colour = row.colour ?? (isDark() ? dark : light);
      traces.push({ type: "scatter", mode: "markers", name: `${counts.get(status).length} ${status}`, above: !ky,
        x: bad.map((p) => places(kx)[kx.of[p]]), y: bad.map((p) => (ky ? places(ky)[ky.of[p]] : at)),
        customdata: bad.map((p) => [p]), text: bad.map(aboutPoint), cliponaxis: false,
        marker: { symbol: SYMBOLS[status] || "diamond-open", size: 9, color: colour, line: { width: 1.6, color: colour } },
        hovertemplate: "%{text}<extra></extra>" });
    }
  });
  return traces;
}
