// A sweep's points over all of their keys at once, and what each key does by itself.

const BINS = 10; // of the colours of lines

/** All points as lines over their keys and a value: `limit` is called with what a box leaves of them. */
function parallelView(value, limit) {
  const place = h("div.figure.sweep", { id: "parallel", role: "group", "aria-label": "points as lines over all keys" });
  const note = h("p.hint", { id: "parallel-note", "aria-live": "polite" });
  const keys = KEYS.filter((key) => key.values.length > 1);
  let draw = null, lit = null, ends = [0, 1], shown = [];
  /** Where a number is between the ends of an axis, and back. */
  const scaled = (key) => {
    if (!key.numeric) return { to: (p) => key.of[p] / (key.values.length - 1), back: (part) => part * (key.values.length - 1) };
    const turn = key.log ? Math.log : (v) => v, [low, high] = [key.values[0], key.values.at(-1)].map(turn);
    return { to: (p) => (turn(keyValue(key, p)) - low) / (high - low), back: (part) => (key.log ? Math.exp : (v) => v)(low + part * (high - low)) };
  };
  const ofValue = (part) => ends[0] + part * (ends[1] - ends[0]);

  function build() {
    const v = value(), known = [];
    for (let p = 0; p < N; p++) if (has(v, p)) known.push(p);
    ends = known.reduce(([low, high], p) => [Math.min(low, v.of[p]), Math.max(high, v.of[p])], [Infinity, -Infinity]);
    if (!(ends[1] > ends[0])) ends = [ends[0] - 1, ends[0] + 1];
    const part = (p) => (v.of[p] - ends[0]) / (ends[1] - ends[0]);
    shown = keys.map(scaled);
    const drawn = thinned(known), groups = grouped(drawn, (p) => (lit && !lit[p] ? -1 : Math.min(BINS - 1, Math.floor(part(p) * BINS))));
    const traces = [...groups].sort((a, b) => a[0] - b[0]).map(([bin, points]) => {
      const trace = { type: "scatter", mode: "lines", x: [], y: [], customdata: [], text: [], hovertemplate: "%{text}<extra></extra>",
        showlegend: false, opacity: bin < 0 ? 0.35 : points.length > 200 ? 0.45 : 0.8,
        line: { width: bin < 0 ? 0.6 : 1.4, color: bin < 0 ? css("--axis") : viridis((bin + 0.5) / BINS) } };
      for (const p of points) {
        const about = aboutPoint(p) + `<br>${escaped([`${v.name} = ${withUnit(number(v.of[p]), v.unit)}`])[0]}`;
        [...shown.map(({ to }) => to(p)), part(p), null].forEach((at, i) => {
          trace.x.push(at === null ? null : i);
          trace.y.push(at);
          trace.customdata.push(p);
          trace.text.push(about);
        });
      }
      return trace;
    });
    const many = keys.length > 5 || narrow(), ink = { font: { color: css("--ink") }, showarrow: false };
    const ticks = (i, at, text) => ({ ...ink, x: i, y: at, text, xanchor: "right", xshift: -4,
      bgcolor: css("--surface"), opacity: 0.9, font: { color: css("--ink"), size: many ? 10 : 11.5 } });
    const annotations = keys.flatMap((key, i) => {
      if (!key.numeric) return key.values.map((text, k) => ticks(i, k / (key.values.length - 1), escaped([String(text)])[0]));
      return [0, 0.25, 0.5, 0.75, 1].map((at) => ticks(i, at, number(shown[i].back(at), 3)));
    });
    annotations.push(...[0, 0.25, 0.5, 0.75, 1].map((at) => ticks(keys.length, at, number(ofValue(at), 3))));
    const bad = N - known.length;
    note.textContent = ["A line is a point. Draw a box around a part of an axis to keep what passes there; the filter below the picture has it then.",
      drawn.length < known.length ? `About ${number(SHOWN)} of ${plural(known.length, "point")} are drawn, chosen at random.` : "",
      bad ? `${plural(bad, "point")} without this value ${bad === 1 ? "is" : "are"} not drawn.` : ""].filter(Boolean).join(" ");
    const names = [...keys.map(keyLabel), valueLabel(v)].map((name) => escaped([name])[0].replace(/ \(/, "<br>("));
    return { traces, layout: layout({ hovermode: "closest", dragmode: coarse ? false : "select", selections: [], annotations,
      margin: { l: 64, r: 28, t: 14, b: 58 }, uirevision: "parallel",
      shapes: names.map((_, i) => ({ type: "line", x0: i, x1: i, y0: 0, y1: 1, line: { color: css("--axis"), width: 1.2 } })),
      xaxis: axis({ tickvals: names.map((_, i) => i), ticktext: names, range: [-0.25, keys.length + 0.1], showgrid: false, showline: false, ticks: "" }),
      yaxis: axis({ visible: false, range: [-0.05, 1.05] }) }) };
  }

  function boxed({ x, y }) {
    const [from, to] = [Math.min(...y), Math.max(...y)].map((at) => Math.min(1, Math.max(0, at)));
    const inside = [...keys.keys(), keys.length].filter((i) => i >= Math.min(...x) && i <= Math.max(...x));
    limit(inside.map((i) => (i === keys.length ? [value().name, { between: [ofValue(from), ofValue(to)] }]
      : limitOf(keys[i], [shown[i].back(from) - 1e-9 * Math.abs(shown[i].back(from)), shown[i].back(to) * (1 + 1e-9)]))).filter(Boolean));
  }

  return { element: h("div", {}, note, place), light(now) { lit = now; if (place.offsetParent) draw?.(); }, show() {
    if (draw) { draw(); return; }
    draw = figure(place, build, ["select2d"]);
    place.on("plotly_selected", (event) => { if (event?.range) boxed(event.range); });
    place.on("plotly_click", ({ points: [clicked] }) => place.dispatchEvent(new CustomEvent("point", { detail: clicked.customdata })));
  }, place };
}

/** The fraction of a value's variance that each key explains by itself. */
function importanceView(value) {
  const place = h("div.figure.sweep", { id: "importance", role: "group", "aria-label": "importance of keys" });
  const note = h("p.hint", { id: "importance-note", "aria-live": "polite" });
  let draw = null;
  function build() {
    const v = value(), found = data.importance[v.name], rows = (found?.keys ?? []).map((name, i) => [name, found.of[i]])
      .filter(([, of]) => of !== null).sort((a, b) => a[1] - b[1]);
    const sum = rows.reduce((all, [, of]) => all + of, 0);
    note.textContent = rows.length ? `The fraction of the variance of ${v.name} that each key explains by itself (first-order Sobol index): `
      + `together ${number(sum, 3)}; what is missing from 1 is of keys together${data.importance.sampled ? ", or of differences within a bin of samples" : ""}.`
      : `Nothing is known of ${v.name}: ${found?.why ?? "it has no value"}.`;
    return { traces: [{ type: "bar", orientation: "h", x: rows.map(([, of]) => of), y: rows.map(([name]) => name), showlegend: false,
      marker: { color: palette()[0] }, text: rows.map(([, of]) => number(of, 2)), textposition: "outside", cliponaxis: false,
      textfont: { color: css("--ink") }, hovertemplate: "%{y}: %{x:.3f}<extra></extra>" }],
    layout: layout({ margin: { l: 120, r: 40 }, bargap: 0.45, uirevision: v.name,
      xaxis: axis({ title: { text: "fraction of the variance" }, range: [0, 1] }), yaxis: axis({ type: "category", ticks: "" }) }) };
  }
  return { element: h("div", {}, note, place), show() { if (draw) draw(); else draw = figure(place, build); } };
}
