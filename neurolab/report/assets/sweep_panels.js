// The panels of a sweep's picture: which points each has, where it is, and its axes.

/** The colours of values: as they are, their logarithms, or as many values in each part of the scale. `of` is the place
 * of a value in it, null where it has none. */
function colouring(scale, all) {
  const known = all.filter((v) => v !== null && Number.isFinite(v)).sort((a, b) => a - b);
  if (scale === "log" && known.at(-1) > 0) {
    const ticks = logTicks(known.find((v) => v > 0), known.at(-1));
    return { of: (v) => (v > 0 ? Math.log10(v) : null), lost: known.filter((v) => v <= 0).length,
      bar: { tickvals: ticks.map(Math.log10), ticktext: ticks.map((v) => number(v)) } };
  }
  if (scale === "even" && known.length > 1) {
    const different = [...new Set(known)], last = Math.max(different.length - 1, 1);
    const place = new Map(different.map((v, i) => [v, i / last]));
    const at = [0, 0.25, 0.5, 0.75, 1];
    return { of: (v) => (v === null ? null : place.get(v)), lost: 0,
      bar: { tickvals: at, ticktext: at.map((part) => number(different[Math.round(part * (different.length - 1))], 3)) } };
  }
  return { of: (v) => v, lost: 0, bar: {} };
}

/** So many of the places of a key, evenly chosen, with the first and the last. */
function evenly(key, most) {
  const n = key.values.length, m = Math.min(n, most);
  return Array.from({ length: m }, (_, i) => (m > 1 ? Math.round((i * (n - 1)) / (m - 1)) : 0));
}

const titleOf = (key, at) => escaped([!key.numeric && !key.name.includes(".") ? String(key.values[at])
  : `${key.name} = ${valueText(key, key.values[at])}`])[0];

/** A title in so many letters: in two lines, of its key then the last part alone. */
function fitted(title, letters) {
  const lines = title.split(/ (?== )/);
  if (title.length <= letters || lines.length < 2) return title;
  if (lines[0].length > letters) lines[0] = lines[0].split(".").at(-1);
  return lines.join("<br>");
}

/** The panels of the keys `facets`: of one, side by side; of two, in columns and rows; of `each`, over each of them. */
function panelsOf({ kx, facets, each, points }) {
  if (each.length) return { panels: each.slice(0, MOST[0]).map((key) => ({ kx: key, points, title: "" })), left: [] };
  const most = facets.length > 1 ? [MOST[1], MOST[2]] : [MOST[0]];
  const shown = facets.map((key, i) => evenly(key, most[i]));
  const left = facets.flatMap((key, i) => (shown[i].length < key.values.length
    ? [`${shown[i].length} of ${key.values.length} values of ${key.name} are shown`] : []));
  const [columns, rows] = facets, panels = [];
  if (!columns) return { panels: [{ kx, points, title: "" }], left };
  for (const [r, row] of (rows ? shown[1] : [null]).entries())
    for (const [c, column] of shown[0].entries())
      panels.push({ kx, title: r && rows ? "" : titleOf(columns, column),
        beside: rows && c === shown[0].length - 1 ? titleOf(rows, row) : "",
        at: [[columns, column], ...(rows ? [[rows, row]] : [])],
        points: points.filter((p) => columns.of[p] === column && (!rows || rows.of[p] === row)) });
  return { panels, left, columns: rows ? shown[0].length : 0 };
}

/** Where panels are: columns, and the height that the figure needs; null for that of one. */
function arranged(panels, columns, width, own) {
  const n = panels.length;
  if (n === 1) return { columns: 1, rows: 1, height: null };
  const usual = { 4: 2, 5: 3, 6: 3, 9: 3 }[n] ?? Math.min(n, 4);
  const c = columns || Math.max(1, Math.min(usual, Math.floor(width / 190))), rows = Math.ceil(n / c);
  const each = Math.min(300, Math.max(150, (0.72 * width) / c));
  return { columns: c, rows, height: Math.round(rows * (each + (own ? 62 : 34)) + 110) };
}

/** The axes and titles of panels: a vertical one for each if they are `free`. */
function axesOf(panels, { columns, rows, height }, { free, own, width, above, xaxis, yaxis, xtitle, ytitle, grid }) {
  const wanted = { annotations: [] }, n = panels.length, tall = (height ?? 0) - 110;
  const gap = { x: n > 1 ? (free ? 58 : 14) / width : 0, y: n > 1 ? (own ? 62 : 34) / tall : 0 };
  const w = (1 - gap.x * (columns - 1)) / columns, t = (1 - gap.y * (rows - 1)) / rows;
  const high = above ? 1 - Math.min(0.4, (n > 1 ? 0.07 : 0.045) * above + 0.01) : 1;
  panels.forEach((panel, i) => {
    const r = Math.floor(i / columns), c = i % columns, end = i ? i + 1 : "";
    const [x0, y0] = [c * (w + gap.x), 1 - r * (t + gap.y) - t];
    panel.title = fitted(panel.title, (w * (width - 100)) / 7.5);
    Object.assign(panel, { x: `x${end}`, y: `y${end}`, strip: `y${n + i + 1}` });
    wanted[`xaxis${end}`] = axis({ ...xaxis(panel.kx), domain: [x0, x0 + w], anchor: panel.y, showgrid: grid,
      title: { text: n === 1 ? xtitle : own ? keyWords(panel.kx, width / columns / 8) : "" }, showticklabels: own || i + columns >= n,
      ...(i && !own ? { matches: "x" } : {}) });
    wanted[`yaxis${end}`] = axis({ ...yaxis, domain: [y0, y0 + t * high], anchor: panel.x, showgrid: grid,
      title: { text: n === 1 ? ytitle : "" }, showticklabels: free || c === 0, ...(i && !free ? { matches: "y" } : {}) });
    if (above) wanted[`yaxis${n + i + 1}`] = { domain: [y0 + t * high, y0 + t], anchor: panel.x, range: [-0.5, above - 0.5],
      visible: false, fixedrange: true };
    const place = { showarrow: false, font: { color: css("--ink") } };
    if (panel.title) wanted.annotations.push({ ...place, text: panel.title, xref: "paper", yref: "paper", x: x0 + w / 2,
      y: y0 + t, xanchor: "center", yanchor: "bottom" });
    if (panel.beside) wanted.annotations.push({ ...place, text: panel.beside, xref: "paper", yref: "paper", x: x0 + w,
      y: y0 + t / 2, xanchor: "left", yanchor: "middle", textangle: 90 });
  });
  if (n > 1) {
    const size = parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.95; // as titles of axes have it
    const place = { showarrow: false, xref: "paper", yref: "paper", font: { color: css("--ink"), size } };
    if (!own) wanted.annotations.push({ ...place, text: xtitle, x: 0.5, y: 0, yshift: -46, yanchor: "middle" });
    wanted.annotations.push({ ...place, text: ytitle, x: 0, y: 0.5, xshift: -56, xanchor: "center", yanchor: "middle", textangle: -90 });
  }
  return wanted;
}
