// The picture of a sweep, chosen with selects: a value, over one key or two.

/** A labelled select; options are [value, text]. */
function choice(label, id, options, chosen, changed) {
  const select = h("select", { id, onchange: changed }, options.map(([value, text]) =>
    h("option", { value, selected: String(value) === String(chosen) }, text)));
  return { select, element: h("div.choice", {}, h("label", { for: id }, label), select) };
}

/** The picture with its selects; `open` is called with the points that were clicked. */
function sweepPlot(open) {
  const place = h("div.figure.sweep", { id: "plot", role: "group", "aria-label": "a summary value over swept keys" });
  const note = h("p.hint", { id: "plot-note", "aria-live": "polite" });
  const varied = KEYS.map((_, i) => i).filter((i) => KEYS[i].values.length > 1);
  const order = [...varied].sort((a, b) => rank(KEYS[b]) - rank(KEYS[a]));
  const some = VALUES.filter((value) => value.of.some((v) => v !== null));
  const listed = some.length ? some : VALUES;
  const names = varied.map((i) => [i, keyLabel(KEYS[i])]);
  const [first, second] = order;
  const twoD = second !== undefined && KEYS[second].numeric && KEYS[second].values.length > 5;
  const fixed = h("div.choices", { id: "fixed" });
  let draw = () => {}, rest = new Map();
  const update = () => { others(); draw(); };
  const value = choice("value", "value", listed.map((v) => [VALUES.indexOf(v), v.name]), VALUES.indexOf(listed[0]), () => draw());
  const x = choice("horizontal", "x", names, first, update);
  const y = choice("vertical", "y", [["", "the value (lines)"], ...names], twoD ? second : "", update);
  const colour = choice("colour", "colour", [["", "none"], ...names], twoD || second === undefined ? "" : second, update);

  function rank(key) { // what is varied most, in numbers, comes first; repetitions last
    if (key.name === "seed") return -1;
    return key.numeric ? key.values.length : Math.min(key.values.length, 5) - 0.5;
  }

  /** Selects for the keys that the picture does not show. */
  function others() {
    const used = new Set([x.select.value, y.select.value || colour.select.value]);
    colour.element.hidden = y.select.value !== "";
    const before = new Map([...rest].map(([i, one]) => [i, one.select.value]));
    rest = new Map();
    for (const i of varied) {
      if (used.has(String(i)) || sampled(KEYS[i])) continue;
      const key = KEYS[i];
      rest.set(i, choice(key.name, `fixed-${i}`, [["", "all (mean)"],
        ...key.values.map((v, at) => [at, valueText(key, v)])], before.get(i) ?? "", () => draw()));
    }
    fixed.replaceChildren(...[...rest.values()].map((one) => one.element));
  }

  function chosen() {
    const keyOf = (one) => (one.select.value === "" ? null : KEYS[Number(one.select.value)]);
    const kx = keyOf(x), ky = keyOf(y);
    const points = [];
    for (let p = 0; p < N; p++)
      if ([...rest].every(([i, one]) => one.select.value === "" || KEYS[i].of[p] === Number(one.select.value)))
        points.push(p);
    return { value: VALUES[Number(value.select.value)], kx, ky: ky === kx ? null : ky,
      by: keyOf(colour) === kx ? null : keyOf(colour), points };
  }

  function build() {
    const { value: v, kx, ky, by, points } = chosen();
    const cells = ky ? new Set(points.map((p) => ky.of[p] * kx.values.length + kx.of[p])).size : 0;
    const grid = ky && cells > 0.5 * kx.values.length * ky.values.length;
    const made = !ky ? lines(v, kx, by, points) : (grid ? heatmap : scattered)(v, kx, ky, points);
    const traces = [...made.traces, ...marks(kx, ky, points)];
    const bad = points.filter((p) => !completed(p)).length;
    const averaged = points.length > (ky ? cells : made.traces.reduce((n, t) => n + t.x.length, 0)) && (grid || !ky);
    const mean = averaged ? [...rest].filter(([, one]) => one.select.value === "").map(([i]) => KEYS[i].name) : [];
    note.textContent = [grid ? "Click a cell for its run." : "Click a point for its run.",
      mean.length ? `Means over ${mean.join(", ")}${ky ? "" : "; bars are standard deviations"}.` : "",
      !grid && points.length > SHOWN ? `About ${number(SHOWN)} of many points are drawn, chosen at random.` : "",
      bad ? `${plural(bad, "point")} not completed: marked by symbols, and not in means.` : ""].filter(Boolean).join(" ");
    const legend = traces.some((t) => t.showlegend) || Boolean(made.legend);
    const wanted = layout({ showlegend: legend, hovermode: "closest", margin: { t: legend ? 40 : 12, r: ky ? 8 : 24 },
      uirevision: [x, y, value, colour].map((one) => one.select.value).join(),
      xaxis: axis({ title: { text: keyLabel(kx) }, showgrid: !ky, ...typeOf(kx) }),
      yaxis: axis({ showgrid: !ky, ...made.y }) });
    if (!ky) wanted.yaxis2 = { overlaying: "y", range: [0, 1], visible: false, fixedrange: true };
    if (made.legend) wanted.legend.title = { text: `${keyLabel(made.legend)}  `, side: narrow() ? "top" : "left" };
    else if (!ky) traces.forEach((t) => { if (!t.showlegend) t.showlegend = false; });
    return { traces, layout: wanted };
  }

  others();
  const controls = h("div.choices", {}, value.element, x.element, y.element, colour.element);
  const element = card("Picture", controls, fixed, note, place);
  return { element, show() {
    draw = figure(place, build);
    place.on("plotly_click", ({ points: [clicked] }) => {
      const found = [clicked.customdata].flat(3).filter((p) => typeof p === "number");
      if (found.length) open(found);
    });
  }, varied };
}
