// The picture of a sweep: a value, over one key or two, in panels of others.

const [MARK, MOST] = [data.picture?.mark ?? "lines", data.picture?.most ?? [16, 4, 3]];

/** The picture with its controls: `open` is called with the points that were clicked, `limit` with the limits of keys and
 * values that a box was drawn around. */
function sweepPlot(open, limit) {
  const place = h("div.figure.sweep", { id: "plot", role: "group", tabindex: 0, onkeydown: walk, "aria-describedby": "plot-cursor",
    "aria-label": "a summary value over swept keys: arrows go from point to point, Enter opens one" });
  const cursor = h("p.hint", { id: "plot-cursor", "aria-live": "polite" });
  const note = h("p.hint", { id: "plot-note", "aria-live": "polite" });
  const varied = AXES.map((_, i) => i).filter((i) => AXES[i].values.length > 1);
  const listed = VALUES.filter((value) => value.of.some((_, p) => has(value, p)));
  const names = varied.map((i) => [i, keyLabel(AXES[i])]);
  const first = data.picture ?? { x: varied[0], y: null, panels: [], each: [] }; // as matplotlib draws it
  const [fixed, told] = [h("div.inline", { id: "fixed" }), { opened: -1, lit: null, panels: [] }];
  let redraw = null, rest = new Map(), changed = () => {};
  const draw = () => { if (place.offsetParent) redraw?.(); };
  const soon = perFrame(draw);
  const update = () => { others(); draw(); changed(); };
  const partsOf = (v) => listed.filter((one) => one.population && one.base === v.name);
  const value = choice("value", "value", listed.flatMap((v) => [[VALUES.indexOf(v), v.name],
    ...(partsOf(v).length ? [[`each ${VALUES.indexOf(v)}`, `${v.name} of each population`]] : [])]),
  listed.length ? VALUES.indexOf(listed[0]) : "", update);
  const parted = () => value.select.value.startsWith("each");
  const each = first.each.length > 1 ? [["each", "each, a panel of its own"]] : [];
  const x = choice("horizontal", "x", [...names, ...each], each.length ? "each" : first.x, update);
  const y = choice("vertical", "y", [["", "the value (lines)"], ...names], MARK === "lines" ? "" : first.y, update);
  const colour = choice("colour", "colour", [["", "none"], ...names], (MARK === "lines" ? first.y : "") ?? "", update);
  const facets = ["columns", "rows"].map((label, i) => choice(i ? "rows" : "panels", label, [["", "none"], ...names], first.panels[i] ?? "", update));
  const scale = choice("scale", "scale", [["", "linear"], ["log", "logarithmic"], ["even", "even colours"]], "", update);
  const bars = choice("bars", "bars", [["", "s.d."], ["sem", "s.e.m."], ["ci", "95 % interval"], ["none", "none"]], "", update);
  const free = toggle("own scales", "free", Boolean(first.free), update);
  const contours = toggle("contours", "contours", false, update);
  const logs = ["x", "y"].map((which) => toggle(`log ${which}`, `log-${which}`, false, () => {
    const key = keyOf(which === "x" ? x : y);
    key.log = logs[which === "x" ? 0 : 1].box.checked;
    draw();
  }));
  const keyOf = (one) => (one.select.value === "" || one.select.value === "each" ? null : AXES[Number(one.select.value)]);
  const walked = () => x.select.value === "each";
  const kept = { x: address.get("log-x"), y: address.get("log-y") };

  /** The controls that have something to choose, and those of keys that the picture does not show: one value of each, or
   * the mean of seeds. A sample has as many values as points: all of them are shown. */
  function others() {
    const over = y.select.value !== "" && !parted() && !walked(), coloured = !over && !parted() && !walked();
    y.element.hidden = parted() || walked();
    colour.element.hidden = !coloured;
    const spread = [x, over ? y : coloured ? colour : null].filter(Boolean).map(keyOf).filter(Boolean);
    facets[0].element.hidden = walked() || varied.length < 2;
    facets[1].element.hidden = facets[0].element.hidden || facets[0].select.value === "" || varied.length < 3;
    const panels = facets.filter(({ element }) => !element.hidden).map(keyOf).filter(Boolean);
    free.element.hidden = over || !(panels.length === 1 || walked());
    contours.element.hidden = !(over && spread.every((key) => key.numeric));
    scale.select.options[2].hidden = !over;
    if (!over && scale.select.value === "even") scale.select.value = "";
    for (const [i, which, key] of [[0, "x", keyOf(x)], [1, "y", over ? keyOf(y) : null]]) {
      logs[i].element.hidden = !(key?.numeric && Math.min(...key.values) > 0);
      if (!key) continue;
      if (kept[which] !== null) key.log = kept[which] === "yes"; // once, as the address says
      kept[which] = null;
      logs[i].box.checked = key.log;
    }
    const shown = new Set([...spread, ...panels, ...(walked() ? first.each.map((i) => AXES[i]) : [])].map(({ axis: of }) => of));
    const before = new Map([...rest].map(([i, one]) => [i, one.select.value]));
    rest = new Map();
    for (const i of varied) {
      const key = AXES[i];
      if (shown.has(key.axis) || key.scattered) continue;
      shown.add(key.axis);
      const one = key === SEED || !key.numeric ? choice(key.name, `fixed-${i}`, [...(key === SEED ? [["", "all (mean)"]] : []),
        ...key.values.map((v, at) => [at, valueText(key, v)])], key === SEED ? "" : 0, draw) : slider(`fixed-${i}`, key, soon);
      if (before.has(i) && one.select.value !== before.get(i)) {
        one.select.value = before.get(i);
        one.select.dispatchEvent(new Event("input"));
      }
      rest.set(i, one);
    }
    bars.element.hidden = over || !(SEED && [...rest.keys()].some((i) => AXES[i] === SEED));
    fixed.replaceChildren(...[...rest.values()].map((one) => one.element));
  }

  function chosen() {
    const points = [], [kx, ky] = [keyOf(x), keyOf(y)], over = ky && ky !== kx && !parted() && !walked();
    for (let p = 0; p < N; p++)
      if ([...rest].every(([i, one]) => one.select.value === "" || AXES[i].of[p] === Number(one.select.value)))
        points.push(p);
    const mean = [...rest.values()].some((one) => one.select.value === "");
    const of = VALUES[Number(value.select.value.replace("each", ""))];
    const used = [kx, over ? ky : null];
    const panels = facets.filter(({ element }) => !element.hidden).map(keyOf).filter((key) => key && !used.includes(key));
    const by = over || walked() || parted() || used.includes(keyOf(colour)) || panels.includes(keyOf(colour)) ? null : keyOf(colour);
    return { value: of, parts: parted() ? partsOf(of) : null, kx, ky: over ? ky : null, by, points, mean,
      facets: [...new Set(panels)], each: walked() ? first.each.map((i) => AXES[i]) : [] };
  }

  function build() {
    const made = chosen(), { value: v, parts, ky, by, points, mean } = made, { lit } = told;
    const { panels, left, columns } = panelsOf(made);
    for (const panel of panels) {
      panel.runs = [...grouped(panel.points, mean ? firstOf : (p) => p).values()]; // at one place of the sweep
      panel.cells = cellsOf(v, panel.runs);
    }
    const grid = Boolean(ky) && ky.axis !== made.kx.axis && panels.every(({ runs, kx }) =>
      new Set(runs.map(([p]) => ky.of[p] * kx.values.length + kx.of[p])).size === runs.length);
    const colours = colouring(scale.select.value, ky ? panels.flatMap(({ cells }) => cells.map((cell) => cell.mean)) : []);
    const which = by ? [...new Set(points.map((p) => by.of[p]))].sort((a, b) => a - b) : [0];
    const sampled = Boolean(by?.numeric && by.scattered);
    const drawn = panels.map((panel) => {
      const given = { ...made, ...panel, colours, which, lit, bars: bars.select.value, contours: contours.box.checked && !contours.element.hidden };
      if (parts) return populationLines(given);
      return ky ? (grid ? heatmap : scattered)(given) : sampled ? coloured(given) : lines(given);
    });
    const used = (drawn[0].rows ?? []).map((_, i) => drawn.some(({ rows }) => rows[i].points.length));
    const above = used.filter(Boolean).length, counts = grouped(points.filter((p) => !completed(p)), statusOf);
    const own = made.each.length > 0, loose = free.box.checked && !free.element.hidden;
    const width = Math.max(200, place.clientWidth - 120), shape = arranged(panels, columns, width, own);
    const log = !ky && scale.select.value === "log";
    const wanted = axesOf(panels, shape, { free: loose, own, width, above, grid: !ky,
      xaxis: (key) => typeOf(key), yaxis: ky ? typeOf(ky) : log ? { type: "log" } : { rangemode: "tozero" },
      xtitle: keyWords(panels[0].kx, width / 8), ytitle: ky ? keyWords(ky, 45) : valueLabel(v) });
    const bar = by && !sampled && which.length > 24 ? coloursOfLines(by, which) : null;
    const keyed = parts ? { name: "population" } : by && !sampled && !bar ? by : null, named = new Set();
    const traces = panels.flatMap((panel, i) => {
      const rows = drawn[i].rows?.filter((_, k) => used[k]) ?? null;
      const all = [...drawn[i].traces, ...marks({ ...panel, ky, rows, counts }), ...ring(panel, made)];
      return all.map(({ above: strip, ...trace }) => {
        const status = strip !== undefined;
        const said = (keyed && trace.name) || status ? trace.name : null, legend = said !== null && !["open", "halo"].includes(said) && !named.has(said);
        if (legend) named.add(said);
        return { ...trace, xaxis: panel.x, yaxis: strip ? panel.strip : panel.y, showlegend: legend, legendgroup: said ?? undefined };
      });
    });
    if (bar) traces.push(bar);
    const bad = points.filter((p) => !completed(p)).length, lost = log ? points.filter((p) => has(v, p) && v.of[p] <= 0).length : colours.lost;
    const none = points.filter((p) => completed(p) && !has(v, p)).length;
    note.textContent = [grid ? "Click a cell for its run." : "Click a point for its run.",
      mean ? `Means of ${plural(SEED.values.length, "seed")}${ky ? "" : BARS[bars.select.value][0] && `; bars are ${BARS[bars.select.value][0]}`}.` : "",
      left.length ? `${left.join("; ")}.` : "",
      !grid && panels.some(({ runs }) => runs.length > SHOWN) ? `About ${number(SHOWN)} of many points are drawn, chosen at random.` : "",
      bad ? `${plural(bad, "point")} not completed: marked by symbols, without a value${mean ? ", and not in means" : ""}.` : "",
      none && !v.so_far ? `${plural(none, "completed point")} without this value.` : "",
      lost ? `${plural(lost, "value")} of 0 or less ${lost === 1 ? "has" : "have"} no place on a logarithmic scale.` : "",
      lit ? "What the filter leaves out is faint." : ""].filter(Boolean).join(" ");
    const legend = traces.some((t) => t.showlegend);
    const titles = 16 * Math.max(...panels.map(({ title }) => (title ? title.split("<br>").length : 0)));
    const top = (legend ? 40 : 12) + titles;
    Object.assign(wanted, layout({ ...wanted, showlegend: legend, hovermode: "closest",
      margin: { t: top, r: ky || bar || sampled ? 8 : panels.some(({ beside }) => beside) ? 30 : 24,
        ...(panels.length > 1 ? { l: 72, b: 64 } : {}) },
      uirevision: [x, y, value, colour, ...facets].map((one) => one.select.value).join(), selections: [] }));
    if (ky || sampled) wanted.coloraxis = { colorscale: scaleOf(),
      colorbar: sampled ? colourbar({ long_name: by.name, unit: by.unit }) : colourbar(v, colours.bar) };
    wanted.legend.y = 1 + titles / ((shape.height ?? place.clientHeight) - 64 - top); // above titles of panels
    if (keyed) wanted.legend.title = { text: `${keyLabel(keyed)}  `, side: narrow() ? "top" : "left" };
    place.style.height = shape.height ? `${shape.height}px` : "";
    Object.assign(told, { panels, made });
    return { traces, layout: wanted };
  }

  /** A ring around the point that is open beside the page. */
  function ring({ kx, points }, { ky, value: v, parts }) {
    const { opened } = told;
    if (opened < 0 || !points.includes(opened)) return [];
    const [at, height] = [places(kx)[kx.of[opened]], ky ? places(ky)[ky.of[opened]] : v.of[opened]];
    if (parts || (!ky && !has(v, opened))) return [];
    const circle = (name, color, width) => ({ type: "scatter", mode: "markers", x: [at], y: [height], hoverinfo: "skip", cliponaxis: false,
      name, marker: { symbol: "circle-open", size: 17, color, line: { width, color } } });
    return [circle("halo", css("--surface"), 5.5), circle("open", css("--ink"), 2.5)]; // seen on any colour
  }

  /** Goes from point to point along the axes with arrows. */
  function walk(event) {
    if (event.target !== place || !told.made) return;
    const { kx, ky, by, value: v, points } = told.made, all = told.panels.flatMap((panel) => panel.points);
    const up = ky ?? by, [key, sign] = { ArrowRight: [kx, 1], ArrowLeft: [kx, -1], ArrowUp: [up, 1], ArrowDown: [up, -1] }[event.key] ?? [];
    const from = all.includes(told.opened) ? told.opened : -1;
    if (event.key === "Enter" && from >= 0) open([from]);
    if (!key || !all.length) return;
    event.preventDefault();
    const others = AXES.filter((one) => one.axis !== key.axis);
    const near = from < 0 ? points.slice(0, 1) : all.filter((p) => sign * (key.of[p] - key.of[from]) > 0
      && others.every((one) => one.of[p] === one.of[from]));
    const next = near.reduce((best, p) => (best < 0 || sign * (key.of[p] - key.of[best]) < 0 ? p : best), -1);
    if (next < 0) return;
    told.opened = next;
    cursor.textContent = [`Point ${next}`, ...KEYS.map((one) => `${one.name} = ${valueText(one, keyValue(one, next))}`),
      `${v.name} = ${has(v, next) ? withUnit(number(v.of[next]), v.unit) : statusOf(next)}`].join(", ");
    draw();
  }

  /** The limits of keys and of the value that a box in a panel has. */
  function boxed(range) {
    const panel = told.panels.find((one) => range[one.x] && range[one.y]);
    if (!panel) return;
    const { ky, value: v } = told.made;
    const found = [limitOf(panel.kx, range[panel.x]), ky ? limitOf(ky, range[panel.y]) : [v.name, { between: range[panel.y] }]];
    for (const [key, at] of panel.at ?? []) found.push([key.name, { of: [key.values[at]], numeric: key.numeric }]);
    limit(found.filter(Boolean));
  }

  others();
  addEventListener("resize", () => { if (told.panels.length > 1) soon(); });
  const controls = h("div.choices", {}, ...[x, y, colour, ...facets].map((one) => one.element), fixed,
    ...[scale, bars, ...logs, free, contours].map((one) => one.element));
  const element = h("div", {}, controls, note, place, cursor);
  return { element, varied: varied.length > 0, known: listed.length > 0, chooser: h("div.choices", {}, value.element),
    value: () => VALUES[Number(value.select.value.replace("each", ""))] ?? listed[0],
    onchange(then) { changed = then; },
    mark(point) { told.opened = point; draw(); },
    light(lit) { told.lit = lit; if (redraw) soon(); },
    show() {
      if (redraw) { draw(); return; }
      redraw = figure(place, build, ["select2d"]);
      place.on("plotly_click", ({ points: [clicked] }) => {
        const found = [clicked.customdata].flat(3).filter((p) => typeof p === "number");
        if (found.length) open(found);
      });
      place.on("plotly_selected", (event) => { if (event?.range) boxed(event.range); });
    } };
}

/** What a range along the axis of a key leaves of its values; null for one that no table has. */
function limitOf(key, [from, to]) {
  if (!KEYS.includes(key)) return null;
  if (key.numeric) {
    const inside = key.values.filter((v) => v >= Math.min(from, to) && v <= Math.max(from, to));
    return [key.name, inside.length ? { between: [Math.min(...inside), Math.max(...inside)], exact: true } : { between: [from, to] }];
  }
  const at = [from, to].map((v) => (typeof v === "number" ? v : key.values.map(String).indexOf(String(v)))); // by name, or place
  return [key.name, { of: key.values.filter((_, i) => i >= Math.min(...at) && i <= Math.max(...at)) }];
}
