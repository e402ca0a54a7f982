// The picture of a sweep, chosen with selects: a value, over one key or two.

/** A labelled select; options are [value, text]. What is chosen is in the address, but for the usual. */
function choice(label, id, options, usual, changed) {
  const kept = options.find(([, text]) => String(text) === address.get(id));
  const chosen = kept ? kept[0] : usual;
  const note = () => {
    const option = select.options[select.selectedIndex];
    address.set(id, option.value === String(usual) ? null : option.textContent);
    changed();
  };
  const select = h("select", { id, onchange: note }, options.map(([value, text]) =>
    h("option", { value, selected: String(value) === String(chosen) }, text)));
  return { select, element: h("div.choice", {}, h("label", { for: id }, label), select) };
}

/** The picture with its selects; `open` is called with the points that were clicked. */
function sweepPlot(open) {
  const place = h("div.figure.sweep", { id: "plot", role: "group", "aria-label": "a summary value over swept keys" });
  const note = h("p.hint", { id: "plot-note", "aria-live": "polite" });
  const varied = AXES.map((_, i) => i).filter((i) => AXES[i].values.length > 1);
  const listed = VALUES.filter((value) => value.of.some((_, p) => has(value, p)));
  const names = varied.map((i) => [i, keyLabel(AXES[i])]);
  const first = data.picture ?? { mark: "lines", x: varied[0], y: null }; // as matplotlib draws it
  const fixed = h("div.choices", { id: "fixed" });
  let draw = () => {}, rest = new Map();
  const update = () => { others(); draw(); };
  const partsOf = (v) => listed.filter((one) => one.population && one.base === v.name);
  const value = choice("value", "value", listed.flatMap((v) => [[VALUES.indexOf(v), v.name],
    ...(partsOf(v).length ? [[`each ${VALUES.indexOf(v)}`, `${v.name} of each population`]] : [])]),
  listed.length ? VALUES.indexOf(listed[0]) : "", update);
  const each = () => value.select.value.startsWith("each");
  const x = choice("horizontal", "x", names, first.x, update);
  const y = choice("vertical", "y", [["", "the value (lines)"], ...names], first.mark === "lines" ? "" : first.y, update);
  const colour = choice("colour", "colour", [["", "none"], ...names], (first.mark === "lines" && first.y) ?? "", update);

  /** The axes of the sweep that the picture shows. */
  const used = () => (each() ? [x] : [x, y.select.value ? y : colour]).filter((one) => one.select.value !== "")
    .map((one) => AXES[Number(one.select.value)].axis);

  /** Selects for the keys that the picture does not show: one value of each, or the mean of seeds. A
   * sample has as many values as points: all of them are shown. */
  function others() {
    const shown = new Set(used());
    y.element.hidden = each();
    colour.element.hidden = each() || y.select.value !== "";
    const before = new Map([...rest].map(([i, one]) => [i, one.select.value]));
    rest = new Map();
    for (const i of varied) {
      const key = AXES[i];
      if (shown.has(key.axis) || key.scattered) continue;
      shown.add(key.axis);
      const mean = key === SEED ? [["", "all (mean)"]] : [];
      const one = choice(key.name, `fixed-${i}`, [...mean, ...key.values.map((v, at) => [at, valueText(key, v)])],
        mean.length ? "" : 0, () => draw());
      if (before.has(i)) one.select.value = before.get(i);
      rest.set(i, one);
    }
    fixed.replaceChildren(...[...rest.values()].map((one) => one.element));
  }

  function chosen() {
    const keyOf = (one) => (one.select.value === "" ? null : AXES[Number(one.select.value)]);
    const kx = keyOf(x), ky = keyOf(y), points = [];
    for (let p = 0; p < N; p++)
      if ([...rest].every(([i, one]) => one.select.value === "" || AXES[i].of[p] === Number(one.select.value)))
        points.push(p);
    const mean = [...rest.values()].some((one) => one.select.value === "");
    const of = VALUES[Number(value.select.value.replace("each", ""))];
    return { value: of, parts: each() ? partsOf(of) : null, kx, ky: each() || ky === kx ? null : ky,
      by: keyOf(colour) === kx ? null : keyOf(colour), points, mean };
  }

  function build() {
    const { value: v, parts, kx, ky, by, points, mean } = chosen();
    const runs = [...grouped(points, mean ? firstOf : (p) => p).values()]; // at one place of the sweep
    const cells = ky ? new Set(runs.map(([p]) => ky.of[p] * kx.values.length + kx.of[p])).size : 0;
    const grid = ky && ky.axis !== kx.axis && cells === runs.length;
    const made = parts ? populationLines(v, parts, kx, runs) : !ky ? lines(v, kx, by, runs) : (grid ? heatmap : scattered)(v, kx, ky, runs);
    const above = ky ? null : made.rows;
    const traces = [...made.traces, ...marks(kx, ky, points, above), ...ring(kx, ky, v, parts, points)];
    const bad = points.filter((p) => !completed(p)).length;
    const none = points.filter((p) => completed(p) && !has(v, p)).length;
    note.textContent = [grid ? "Click a cell for its run." : "Click a point for its run.",
      mean ? `Means of ${plural(SEED.values.length, "seed")}${ky ? "" : "; bars are standard deviations"}.` : "",
      !grid && runs.length > SHOWN ? `About ${number(SHOWN)} of many points are drawn, chosen at random.` : "",
      bad ? `${plural(bad, "point")} not completed: marked by symbols, without a value${mean ? ", and not in means" : ""}.` : "",
      none && !v.so_far ? `${plural(none, "completed point")} without this value.` : ""].filter(Boolean).join(" ");
    const legend = traces.some((t) => t.showlegend) || Boolean(made.legend);
    const high = above?.length ? 1 - Math.min(0.4, 0.045 * above.length + 0.01) : 1;
    const wanted = layout({ showlegend: legend, hovermode: "closest", margin: { t: legend ? 40 : 12, r: ky || made.bar ? 8 : 24 },
      uirevision: [x, y, value, colour].map((one) => one.select.value).join(),
      xaxis: axis({ title: { text: keyLabel(kx) }, showgrid: !ky, ...typeOf(kx) }),
      yaxis: axis({ showgrid: !ky, ...made.y, ...(ky ? {} : { domain: [0, high] }) }) });
    if (above?.length) wanted.yaxis2 = { domain: [high, 1], anchor: "x", range: [-0.5, above.length - 0.5], visible: false, fixedrange: true };
    if (made.legend) wanted.legend.title = { text: `${keyLabel(made.legend)}  `, side: narrow() ? "top" : "left" };
    else if (!ky) traces.forEach((t) => { if (!t.showlegend) t.showlegend = false; });
    return { traces, layout: wanted };
  }

  /** A ring around the point that is open beside the page. */
  function ring(kx, ky, v, parts, points) {
    if (opened < 0 || !points.includes(opened)) return [];
    const [x, value] = [places(kx)[kx.of[opened]], ky ? places(ky)[ky.of[opened]] : v.of[opened]];
    if (parts || (!ky && !has(v, opened))) return [];
    return [{ type: "scatter", mode: "markers", x: [x], y: [value], hoverinfo: "skip", showlegend: false, cliponaxis: false,
      name: "open", marker: { symbol: "circle-open", size: 17, color: css("--ink"), line: { width: 2.5, color: css("--ink") } } }];
  }

  let opened = -1;
  others();
  const controls = h("div.choices", {}, value.element, x.element, y.element, colour.element);
  const element = card("Picture", controls, fixed, note, place);
  const mark = (point) => { opened = point; draw(); };
  return { element, mark, varied: varied.length > 0, known: listed.length > 0, show() {
    draw = figure(place, build);
    place.on("plotly_click", ({ points: [clicked] }) => {
      const found = [clicked.customdata].flat(3).filter((p) => typeof p === "number");
      if (found.length) open(found);
    });
  } };
}
