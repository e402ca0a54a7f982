// Traces of a sweep's picture: a heatmap, lines, or scattered points; and marks of what went wrong.

const VIRIDIS = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];
const SYMBOLS = { partial: "diamond-open", diverged: "x-thin-open", failed: "triangle-up", refused: "square-open", missing: "circle-open",
  damaged: "triangle-down-open" };
const BAD = { diverged: ["#D55E00", "#FF8A4C"], failed: ["#222222", "#E8EBEE"],
  partial: ["#4C78A8", "#8AB4E0"], refused: ["#93407A", "#E79AC6"], missing: ["#59646F", "#A0ABB6"],
  damaged: ["#B3261E", "#F2867E"] };
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

function colourbar(value) {
  return { title: { text: valueLabel(value), side: narrow() ? "top" : "right", font: { color: css("--ink") } },
    thickness: 14, outlinewidth: 0, tickfont: { color: css("--ink") },
    ...(narrow() ? { orientation: "h", y: -0.22, yanchor: "top" } : {}) };
}

/** Mean and spread of the runs at one place, and where a click leads. */
const cellsOf = (value, runs) => runs.map((points) => ({ points, p: points[0], ...statistics(value, points) }));

const aboutCell = (value, keys, { p, mean, sd, n }) => escaped([
  `${value.name} = ${withUnit(number(mean), value.unit)}${n > 1 ? ` ± ${number(sd, 2)}, ${n} seeds` : ""}`,
  ...keys.map((key) => `${key.name} = ${valueText(key, keyValue(key, p))}`)]).join("<br>");

function heatmap(value, kx, ky, runs) {
  const empty = () => ky.values.map(() => kx.values.map(() => null));
  const z = empty(), customdata = empty(), text = empty();
  for (const cell of cellsOf(value, runs)) {
    const [row, column] = [ky.of[cell.p], kx.of[cell.p]];
    z[row][column] = cell.mean;
    customdata[row][column] = cell.points;
    text[row][column] = aboutCell(value, [kx, ky], cell);
  }
  const gap = Math.max(kx.values.length, ky.values.length) <= 16 ? 1 : 0;
  return { traces: [{ type: "heatmap", x: edges(kx), y: edges(ky), z, customdata, text, hoverongaps: false,
    colorscale: scaleOf(), colorbar: colourbar(value), xgap: gap, ygap: gap, hovertemplate: "%{text}<extra></extra>" }],
  y: { title: { text: keyLabel(ky) }, ...typeOf(ky) } };
}

function scattered(value, kx, ky, runs) {
  const good = thinned(cellsOf(value, runs).filter((cell) => cell.n));
  return { traces: [{ type: "scatter", mode: kx.joined && ky.joined && kx.axis === ky.axis ? "lines+markers" : "markers",
    x: good.map(({ p }) => keyValue(kx, p)), y: good.map(({ p }) => keyValue(ky, p)), customdata: good.map(({ points }) => points),
    text: good.map((cell) => `${aboutPoint(cell.p)}<br>${aboutCell(value, [], cell)}`), line: { color: css("--axis"), width: 1 },
    marker: { size: good.length > 2000 ? 6 : 13, color: good.map(({ mean }) => mean), colorscale: scaleOf(),
      colorbar: colourbar(value), line: { width: 1, color: css("--axis") } },
    hovertemplate: "%{text}<extra></extra>" }],
  y: { title: { text: keyLabel(ky) }, ...typeOf(ky) } };
}

/** The value of a sample's points, in the colours of another of its keys: no two share a line. */
function coloured(value, kx, by, runs) {
  const cells = thinned(cellsOf(value, runs).filter((cell) => cell.n));
  return { traces: [{ type: "scatter", mode: "markers", x: cells.map(({ p }) => places(kx)[kx.of[p]]), y: cells.map(({ mean }) => mean),
    customdata: cells.map(({ points }) => points), text: cells.map((cell) => aboutCell(value, [kx, by], cell)),
    marker: { size: 7, color: cells.map(({ p }) => keyValue(by, p)), colorscale: scaleOf(),
      colorbar: colourbar({ long_name: by.name, unit: by.unit }), line: { width: 1, color: css("--axis") } },
    hovertemplate: "%{text}<extra></extra>" }],
  rows: [{ colour: css("--ink"), points: runs.flat().filter((p) => !completed(p)) }].filter(({ points }) => points.length),
  bar: true, legend: null, y: { title: { text: valueLabel(value) }, rangemode: "tozero" } };
}

function lines(value, kx, by, runs) {
  if (by?.numeric && by.scattered) return coloured(value, kx, by, runs);
  const groups = by ? [...grouped(runs, ([p]) => by.of[p])].sort((a, b) => a[0] - b[0]) : [[0, runs]];
  const ordered = by?.numeric, colours = palette(), many = groups.length > 12;
  const colourOf = (i) => (ordered ? viridis(groups.length > 1 ? i / (groups.length - 1) : 0) : colours[i % colours.length]);
  const traces = groups.map(([which, inside], i) => {
    const colour = colourOf(i), cells = thinned(cellsOf(value, inside).sort((a, b) => kx.of[a.p] - kx.of[b.p]));
    const joined = kx.joined && new Set(cells.map(({ p }) => kx.of[p])).size === cells.length;
    const spread = cells.some((s) => s.n > 1) && groups.length <= 8;
    return { type: "scatter", mode: joined ? "lines+markers" : "markers", connectgaps: false,
      x: cells.map(({ p }) => places(kx)[kx.of[p]]), y: cells.map((s) => s.mean), customdata: cells.map(({ points }) => points),
      text: cells.map((cell) => aboutCell(value, by ? [kx, by] : [kx], cell)),
      name: by ? valueText(by, by.values[which]) : value.name, line: { color: colour, width: 2 },
      marker: { color: colour, size: kx.numeric ? (many ? 4 : 6) : 11, symbol: ordered ? "circle" : i % 6 },
      error_y: spread ? { type: "data", array: cells.map((s) => s.sd), color: colour, thickness: 1, width: 3 } : {},
      hovertemplate: "%{text}<extra></extra>" };
  });
  const bad = groups.map(([which, inside], i) => ({ which, by, colour: colourOf(i), points: inside.flat().filter((p) => !completed(p)) }))
    .filter(({ points }) => points.length);
  const rows = many ? bad.slice(0, 1).map(() => ({ colour: css("--ink"), points: bad.flatMap(({ points }) => points) })) : bad;
  const bar = by && groups.length > 24 ? coloursOfLines(by, groups) : null;
  if (bar) traces.push(bar);
  return { traces, rows, bar, legend: by && !bar ? by : null,
    y: { title: { text: valueLabel(value) }, rangemode: "tozero" } };
}

/** A line for each population, of as many values, which are a value of all taken apart. */
function populationLines(of, values, kx, runs) {
  const each = values.map((value) => lines(value, kx, null, runs)), colours = palette();
  const traces = each.flatMap(({ traces: own }, k) => own.map((trace) => merged(trace, { name: values[k].population,
    line: { color: colours[k % colours.length] }, marker: { color: colours[k % colours.length] },
    error_y: { color: colours[k % colours.length] } })));
  return { ...each[0], traces, legend: { name: "population" }, y: lines(of, kx, null, runs).y };
}

/** A bar in place of a legend of too many lines: what the colours of some of them mean. */
function coloursOfLines(by, groups) {
  const last = groups.length - 1, at = [0, 0.25, 0.5, 0.75, 1].map((part) => Math.round(part * last));
  const scale = Array.from({ length: 9 }, (_, i) => [i / 8, viridis(i / 8)]);
  return { type: "scatter", mode: "markers", x: [null], y: [null], hoverinfo: "skip", showlegend: false,
    marker: { color: [0], cmin: 0, cmax: last, colorscale: scale, showscale: true,
      colorbar: { ...colourbar({ long_name: by.name, unit: by.unit }), tickvals: at,
        ticktext: at.map((i) => valueText({ ...by, unit: "" }, by.values[groups[i][0]])) } } };
}

/** Marks where points were not completed: at their place, or in rows above lines, as they have no
 * value; of the colour of their line there. */
function marks(kx, ky, points, rows) {
  const traces = [], named = new Set();
  const all = rows ?? [{ points: points.filter((p) => !completed(p)) }];
  all.forEach((row, at) => {
    for (const [status, inside] of grouped(row.points, statusOf)) {
      const bad = thinned(inside), [light, dark] = BAD[status] || BAD.missing;
      const colour = row.colour ?? (isDark() ? dark : light), n = points.filter((p) => statusOf(p) === status).length;
      traces.push({ type: "scatter", mode: "markers", name: `${n} ${status}`, showlegend: !named.has(status), legendgroup: status,
        x: bad.map((p) => places(kx)[kx.of[p]]), y: bad.map((p) => (ky ? places(ky)[ky.of[p]] : at)),
        yaxis: ky ? "y" : "y2", customdata: bad.map((p) => [p]), text: bad.map(aboutPoint), cliponaxis: false,
        marker: { symbol: SYMBOLS[status] || "diamond-open", size: 9, color: colour, line: { width: 1.6, color: colour } },
        hovertemplate: "%{text}<extra></extra>" });
      named.add(status);
    }
  });
  return traces;
}
